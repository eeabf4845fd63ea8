//! What a snapshot records of a session besides windows, panes and agents (pure).

use crate::agent::start_environment::is_secret;
use crate::text::wildcard;
use crate::tmux::{ExtraFields, options};
use serde::{Deserialize, Serialize};

/// The section `[keep]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CapturePolicy {
    /// Variables of the sessions' environments. None by default, since values can be secrets.
    pub environment: Vec<String>,
    /// Further variables of the agents' environments. None by default; never one that may be a secret.
    pub agent_environment: Vec<String>,
    /// Base names of programs that are started again with their arguments. None by default.
    pub programs: Vec<String>,
    /// Maximum lines of scrollback for each pane with a shell; 0 for none.
    pub scrollback_lines: u32,
    /// Maximum size of the scrollback of one pane, in bytes.
    pub scrollback_bytes: u32,
    /// Names of tmux options. By default, all that can be kept.
    pub window_options: Vec<String>,
    /// Patterns of the names of sessions that are neither saved nor restored: `*` stands for any
    /// characters, `?` for one.
    pub exclude: Vec<String>,
    /// Patterns of the names of options that users and tools set ([`crate::tmux::user_options`]). By
    /// default, all.
    pub user_options: Vec<String>,
}

impl Default for CapturePolicy {
    fn default() -> Self {
        Self {
            environment: Vec::new(),
            agent_environment: Vec::new(),
            programs: Vec::new(),
            scrollback_lines: 0,
            scrollback_bytes: 1 << 20,
            exclude: Vec::new(),
            user_options: vec!["*".to_owned()],
            window_options: options::KEPT.iter().map(|kept| kept.name.to_owned()).collect(),
        }
    }
}

/// Maximum number of variables, and of programs.
const MAX_NAMES: usize = 64;
/// Maximum of `scrollback_bytes`, in bytes.
const MAX_SCROLLBACK_BYTES: u32 = 64 << 20;

/// What is invalid in the section `[keep]` of the configuration. Values are escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolicy {
    #[error("keep.{key}: more than {MAX_NAMES}")]
    TooMany { key: &'static str },
    #[error("keep.{key}: '{name}' is not a variable's name")]
    Variable { key: &'static str, name: String },
    #[error(
        "keep.agent_environment: '{0}' may be a secret, which no snapshot holds; agents get it from the \
         user's login shell or from agent.env"
    )]
    Secret(String),
    #[error("keep.programs: '{0}' is not a program's base name")]
    Program(String),
    #[error("keep.window_options: '{0}' is not an option that can be kept")]
    Option(String),
    #[error("keep.scrollback_bytes: more than {MAX_SCROLLBACK_BYTES}")]
    Scrollback,
}

impl CapturePolicy {
    /// Checks the values of a configuration file.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        let shown = |word: &String| crate::text::escape(word.as_bytes());
        let lists = [
            ("environment", &self.environment),
            ("agent_environment", &self.agent_environment),
            ("programs", &self.programs),
            ("exclude", &self.exclude),
            ("user_options", &self.user_options),
        ];
        for (key, words) in lists {
            if words.len() > MAX_NAMES {
                return Err(InvalidPolicy::TooMany { key });
            }
        }
        for (key, names) in
            [("environment", &self.environment), ("agent_environment", &self.agent_environment)]
        {
            if let Some(name) = names.iter().find(|name| !is_variable(name)) {
                return Err(InvalidPolicy::Variable { key, name: shown(name) });
            }
        }
        if let Some(name) = self.agent_environment.iter().find(|name| is_secret(name)) {
            return Err(InvalidPolicy::Secret(shown(name)));
        }
        let is_base_name = |name: &&String| !name.is_empty() && !name.contains(['/', '\0']);
        if let Some(name) = self.programs.iter().find(|name| !is_base_name(name)) {
            return Err(InvalidPolicy::Program(shown(name)));
        }
        let is_unknown = |name: &&String| options::by_name(name.as_bytes()).is_none();
        if let Some(name) = self.window_options.iter().find(is_unknown) {
            return Err(InvalidPolicy::Option(shown(name)));
        }
        if self.scrollback_bytes > MAX_SCROLLBACK_BYTES {
            return Err(InvalidPolicy::Scrollback);
        }
        Ok(())
    }

    /// Whether sessions of that name are neither saved nor restored.
    pub(crate) fn excludes(&self, session: &[u8]) -> bool {
        self.exclude.iter().any(|pattern| wildcard::matches(pattern.as_bytes(), session))
    }

    /// What tmux has to report.
    pub(crate) fn wanted(&self) -> ExtraFields {
        let named =
            |kept: &&options::KeptOption| self.window_options.iter().any(|name| name == kept.name);
        ExtraFields {
            options: options::KEPT.iter().filter(named).collect(),
            environment: self.environment.clone(),
            ..ExtraFields::default()
        }
    }

    /// Whether a program is started again.
    pub(crate) fn keeps_program(&self, argv: &[Vec<u8>]) -> bool {
        let called = argv.first().map(|word| crate::process::base_name(word));
        called.is_some_and(|called| self.programs.iter().any(|name| name.as_bytes() == called))
    }
}

/// Whether a name is valid in a shell and cannot be taken for one of tmux's formats, which are in
/// lower case and found first: it needs a capital letter, unless it is a `..._proxy`.
fn is_variable(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let capital = name.bytes().any(|byte| byte.is_ascii_uppercase()) || name.ends_with("_proxy");
    first
        && capital
        && name.len() <= 64
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_a_format_a_path_or_code_is_refused() {
        let environment = |name: &str| {
            CapturePolicy { environment: vec![name.to_owned()], ..CapturePolicy::default() }.check()
        };
        assert!(["FOO", "_A1", "no_proxy"].into_iter().all(|name| environment(name).is_ok()));
        assert!(
            ["", "pid", "A-B", "1A", "A}", "#(x)"]
                .into_iter()
                .all(|name| environment(name).is_err())
        );
        let agents = |name: &str| {
            let agent_environment = vec![name.to_owned()];
            CapturePolicy { agent_environment, ..CapturePolicy::default() }.check()
        };
        assert!(agents("FOO").is_ok() && agents("A-B").is_err());
        let why = agents("MY_API_KEY").unwrap_err().to_string();
        assert!(why.contains("'MY_API_KEY' may be a secret"), "{why}");
        let programs = |name: &str| {
            CapturePolicy { programs: vec![name.to_owned()], ..CapturePolicy::default() }.check()
        };
        assert!(programs("vim").is_ok() && programs("/bin/vim").is_err() && programs("").is_err());
        let options = |name: &str| {
            CapturePolicy { window_options: vec![name.to_owned()], ..CapturePolicy::default() }
                .check()
        };
        assert!(options("mode-keys").is_ok() && options("default-command").is_err());
    }
}
