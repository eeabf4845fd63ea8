//! What else of an agent's environment comes back with it (pure): variables that choose its service, its
//! model or its way to the network, and the `PATH` on which it was found. Never a secret: keys come from
//! the user's login shell or from `agent.env`.

use super::environment::RECORDED;
use shared::pane_variables::split;

/// Variables that are recorded with an agent beside [`RECORDED`], unless they hold credentials.
pub const STARTED_WITH: [&str; 75] = [
    "PATH",
    "ALL_PROXY",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_BEDROCK_BASE_URL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "ANTHROPIC_FOUNDRY_BASE_URL",
    "ANTHROPIC_FOUNDRY_RESOURCE",
    "ANTHROPIC_MODEL",
    "ANTHROPIC_SMALL_FAST_MODEL",
    "ANTHROPIC_SMALL_FAST_MODEL_AWS_REGION",
    "ANTHROPIC_VERTEX_BASE_URL",
    "ANTHROPIC_VERTEX_PROJECT_ID",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_REGION",
    "BASH_DEFAULT_TIMEOUT_MS",
    "BASH_MAX_TIMEOUT_MS",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
    "CLAUDE_CODE_EFFORT_LEVEL",
    "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
    "CLAUDE_CODE_SKIP_BEDROCK_AUTH",
    "CLAUDE_CODE_SKIP_FOUNDRY_AUTH",
    "CLAUDE_CODE_SKIP_VERTEX_AUTH",
    "CLAUDE_CODE_SUBAGENT_MODEL",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_VERTEX",
    "CLOUDSDK_CONFIG",
    "CLOUD_ML_REGION",
    "DISABLE_AUTOUPDATER",
    "DISABLE_TELEMETRY",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_PROJECT",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "MAX_MCP_OUTPUT_TOKENS",
    "MAX_THINKING_TOKENS",
    "MCP_TIMEOUT",
    "NODE_EXTRA_CA_CERTS",
    "NODE_OPTIONS",
    "NO_PROXY",
    "OPENAI_BASE_URL",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "CLAUDE_CODE_ENABLE_TELEMETRY",
    "AIDER_MODEL",
    "COPILOT_ALLOW_ALL",
    "COPILOT_AUTO_UPDATE",
    "COPILOT_MODEL",
    "COPILOT_OFFLINE",
    "COPILOT_PROVIDER_BASE_URL",
    "COPILOT_PROVIDER_TYPE",
    "COPILOT_PROVIDER_WIRE_API",
    "GEMINI_CLI_TRUST_WORKSPACE",
    "GEMINI_MODEL",
    "GEMINI_SANDBOX",
    "GH_HOST",
    "GOOGLE_CLOUD_LOCATION",
    "GOOGLE_GEMINI_BASE_URL",
    "GOOGLE_GENAI_USE_GCA",
    "GOOGLE_GENAI_USE_VERTEXAI",
    "GOOGLE_VERTEX_BASE_URL",
    "OPENAI_API_BASE",
    "OPENAI_MODEL",
    "OPENCODE_DISABLE_AUTOUPDATE",
    "PI_OFFLINE",
    "PI_SKIP_VERSION_CHECK",
    "QWEN_MODEL",
    "QWEN_SANDBOX",
];

/// A longer value is not recorded (bytes).
const MAX_VALUE: usize = 4096;
/// What all values of an agent may have together (bytes).
const MAX_SUM: usize = 16 << 10;

/// Further variables of a process, for the field of a snapshot: `NAME=value`, each ended by a NUL byte.
/// `environ` is `/proc/<pid>/environ`; `configured` are names that the site keeps, too.
pub fn further(environ: &[u8], configured: &[String]) -> Vec<u8> {
    let is_kept = |name: &[u8]| {
        STARTED_WITH.iter().any(|known| known.as_bytes() == name)
            || configured.iter().any(|known| known.as_bytes() == name)
    };
    let mut field = Vec::new();
    let mut variables: Vec<(&[u8], &[u8])> = split(environ)
        .filter(|(name, _)| is_kept(name) && !is_recorded(name))
        .filter(|(name, value)| {
            !value.is_empty() && value.len() <= MAX_VALUE && !holds_credentials(name, value)
        })
        .collect();
    // In one order, so that equal states are equal bytes; the first of a name counts.
    variables.sort_by_key(|(name, _)| *name);
    variables.dedup_by_key(|(name, _)| *name);
    for (name, value) in variables {
        if field.len() + name.len() + value.len() + 2 <= MAX_SUM {
            field.extend([name, b"=", value, b"\0"].concat());
        }
    }
    field
}

/// The variables of a snapshot's field that a restored agent gets: only names that are recorded here and
/// now, whatever the snapshot has. A variable that decides where the agent keeps its data and that it did
/// not have is named without a value: it is not to get one from elsewhere.
pub fn allowed(field: &[u8], configured: &[String]) -> Vec<u8> {
    let known = |name: &[u8]| {
        is_recorded(name)
            || STARTED_WITH.iter().any(|known| known.as_bytes() == name)
            || configured.iter().any(|known| known.as_bytes() == name)
    };
    let line = |(name, value): (&[u8], &[u8])| [name, b"=", value, b"\0"].concat();
    let set: Vec<u8> = split(field).filter(|(name, _)| known(name)).flat_map(line).collect();
    let has = |name: &str| split(field).any(|(known, _)| known == name.as_bytes());
    let absent = RECORDED.into_iter().filter(|name| *name != "HOME" && !has(name));
    let absent = absent.flat_map(|name| [name.as_bytes(), b"\0"].concat());
    set.into_iter().chain(absent).collect()
}

fn is_recorded(name: &[u8]) -> bool {
    RECORDED.iter().any(|known| known.as_bytes() == name)
}

/// Whether a variable may hold a secret by its name: such a one cannot be kept.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let words = ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "CREDENTIAL", "COOKIE", "_KEY", "APIKEY"];
    let harmless = ["_TOKENS", "GOOGLE_APPLICATION_CREDENTIALS"];
    let is_harmless = harmless.iter().any(|word| name.ends_with(word));
    !is_harmless && (words.iter().any(|word| name.contains(word)) || name.starts_with("KEY"))
}

/// Whether a value names a user and a password, as proxies' addresses may, or has a query.
fn holds_credentials(name: &[u8], value: &[u8]) -> bool {
    let is_proxy = name.to_ascii_lowercase().ends_with(b"_proxy");
    if is_proxy && value.contains(&b'@') {
        return true;
    }
    let Some(at) = memchr::memmem::find(value, b"://") else { return false };
    let rest = &value[at + 3..];
    let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    rest[..end].contains(&b'@') || rest.contains(&b'?')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_recorded_in_one_order_and_no_secret_is() {
        let environ =
            b"PATH=/x:/y\0ANTHROPIC_API_KEY=k\0ANTHROPIC_MODEL=m\0CODEX_HOME=/c\0MINE=1\0\
            HTTP_PROXY=http://u:p@h:1\0https_proxy=http://h:1\0http_proxy=u:p@h\0OTHER=2\0\
            ANTHROPIC_BASE_URL=https://h/v1?key=k\0PATH=/second\0NO_PROXY=\0";
        let field = further(environ, &["MINE".to_owned(), "OTHER2".to_owned()]);
        let expected = b"ANTHROPIC_MODEL=m\0MINE=1\0PATH=/x:/y\0https_proxy=http://h:1\0";
        assert_eq!(field, expected, "{}", String::from_utf8_lossy(&field));
        let with = [&field[..], b"CODEX_HOME=/c\0LD_PRELOAD=/evil\0MINE=1\0"].concat();
        let allowed = allowed(&with, &[]);
        let expected = b"ANTHROPIC_MODEL=m\0PATH=/x:/y\0https_proxy=http://h:1\0CODEX_HOME=/c\0\
            CLAUDE_CONFIG_DIR\0XDG_CONFIG_HOME\0XDG_DATA_HOME\0COPILOT_HOME\0GEMINI_CLI_HOME\0\
            OPENCODE_CONFIG\0OPENCODE_CONFIG_DIR\0OPENCODE_DB\0PI_CODING_AGENT_DIR\0\
            PI_CODING_AGENT_SESSION_DIR\0QWEN_HOME\0QWEN_RUNTIME_DIR\0";
        assert_eq!(allowed, expected, "{}", String::from_utf8_lossy(&allowed));
    }

    #[test]
    fn values_are_bounded() {
        let long = [&b"ANTHROPIC_MODEL="[..], &vec![b'x'; MAX_VALUE + 1], b"\0"].concat();
        assert_eq!(further(&long, &[]), b"");
        let names: Vec<String> = (0..9).map(|number| format!("NAME{number}")).collect();
        let value = vec![b'x'; 4000];
        let line = |name: &String| [name.as_bytes(), b"=", &value, b"\0"].concat();
        let all: Vec<u8> = names.iter().flat_map(line).collect();
        assert!(further(&all, &names).len() <= MAX_SUM);
    }

    #[test]
    fn a_name_that_may_be_of_a_secret_is_known() {
        for name in
            ["ANTHROPIC_API_KEY", "GITHUB_TOKEN", "DB_PASSWORD", "MY_SECRET", "OPENAI_APIKEY"]
        {
            assert!(is_secret(name), "{name}");
        }
        let harmless = STARTED_WITH.into_iter().chain(["FOO", "MAX_TOKENS", "KUBECONFIG"]);
        for name in harmless {
            assert!(!is_secret(name), "{name}");
        }
    }
}
