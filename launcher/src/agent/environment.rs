//! The agent's environment: the user's own programs on PATH, variables from `agent.env`, and
//! attributes for telemetry.

use crate::files::{self, ReadError};
use crate::process::mounts::answers;
use shared::escape::shown;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Maximum size of a file of variables, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Variables to set, in order.
pub type Variables = Vec<(OsString, OsString)>;

/// The value that a variable has among `variables`, else in this process's environment.
pub(crate) fn value(variables: &Variables, name: &str) -> Option<OsString> {
    let set = variables.iter().rev().find(|(known, _)| known == name);
    set.map(|(_, value)| value.clone()).or_else(|| std::env::var_os(name))
}

/// Whether an agent keeps its conversations outside the usual directory.
pub fn moves_agents(variables: &Variables) -> bool {
    const MOVE: [&str; 9] = [
        "CLAUDE_CONFIG_DIR",
        "CODEX_HOME",
        "COPILOT_HOME",
        "GEMINI_CLI_HOME",
        "PI_CODING_AGENT_DIR",
        "PI_CODING_AGENT_SESSION_DIR",
        "QWEN_HOME",
        "QWEN_RUNTIME_DIR",
        "XDG_DATA_HOME",
    ];
    MOVE.iter().any(|name| value(variables, name).is_some())
}

/// The PATH among `variables`, else in this process's environment, else the system's: an empty one would
/// mean the current directory.
pub fn path(variables: &Variables) -> OsString {
    const SYSTEM: &str = "/usr/local/bin:/usr/bin:/bin";
    value(variables, "PATH").filter(|path| !path.is_empty()).unwrap_or_else(|| SYSTEM.into())
}

/// One PATH from several, each directory once, with `~/.local/bin` first: that is where the agents' own
/// installers put them.
pub fn join(home: &Path, paths: &[&OsStr]) -> OsString {
    let mut dirs = vec![home.join(".local/bin")];
    for path in paths.iter().filter(|path| !path.is_empty()) {
        for dir in std::env::split_paths(path) {
            if !dir.as_os_str().is_empty() && !dirs.contains(&dir) {
                dirs.push(dir);
            }
        }
    }
    std::env::join_paths(dirs).unwrap_or_else(|_| paths.join(OsStr::new(":")))
}

/// A PATH without the directories on mounts that do not answer, and those; `None` if all answer.
pub fn answering(path: &OsStr) -> Option<(OsString, Vec<PathBuf>)> {
    let (alive, dead): (Vec<_>, Vec<_>) =
        std::env::split_paths(path).partition(|dir| dir.is_relative() || answers(dir));
    let path = std::env::join_paths(alive).ok().filter(|_| !dead.is_empty())?;
    Some((path, dead))
}

/// A PATH with a directory before all others but `~/.local/bin`.
pub fn in_front(home: &Path, dir: Option<&Path>, path: &OsStr) -> OsString {
    join(home, &[dir.map_or(OsStr::new(""), Path::as_os_str), path])
}

/// Why `agent.env` is not used.
#[derive(Debug, thiserror::Error)]
#[error("{}{}{reason}; the file is not used", shown(path), reason.place())]
pub struct EnvFileError {
    path: PathBuf,
    reason: Reason,
}

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error("belongs to uid {0}, not to you")]
    OtherUser(u32),
    #[error("mode {0:o}: others can read it; hint: chmod 600")]
    OpenToOthers(u32),
    #[error("{1}")]
    Line(usize, &'static str),
}

impl Reason {
    /// What stands between path and reason.
    fn place(&self) -> String {
        match self {
            Self::Line(line, _) => format!(":{line}: "),
            _ => ": ".to_owned(),
        }
    }
}

/// Reads `agent.env`: KEY=VALUE lines, empty lines and `#` comments. It holds secrets, so it must be
/// readable for the user only.
///
/// # Errors
/// Nothing of an invalid file is used.
pub fn agent_env(path: &Path) -> Result<Variables, EnvFileError> {
    read_variables(path).map_err(|reason| EnvFileError { path: path.to_owned(), reason })
}

fn read_variables(path: &Path) -> Result<Variables, Reason> {
    let Some((bytes, metadata)) = files::read_with_metadata(path, MAX_FILE)? else {
        return Ok(Vec::new());
    };
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(Reason::OtherUser(metadata.uid()));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(Reason::OpenToOthers(metadata.mode() & 0o777));
    }
    parse(&bytes).map_err(|(line, why)| Reason::Line(line, why))
}

fn parse(text: &[u8]) -> Result<Variables, (usize, &'static str)> {
    let mut variables = Vec::new();
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let line = line.trim_ascii_end();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let refuse = |why| Err((index + 1, why));
        let Some(equals) = line.iter().position(|&byte| byte == b'=') else {
            return refuse("expected KEY=VALUE");
        };
        let (key, value) = (&line[..equals], &line[equals + 1..]);
        let first = key.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
        if !first || !key.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            return refuse("the key is not a variable's name");
        }
        if value.contains(&0) {
            return refuse("the value holds a NUL byte");
        }
        let value = match unquoted(value) {
            Ok(value) => value,
            Err(why) => return refuse(why),
        };
        variables.push((OsString::from_vec(key.to_vec()), OsString::from_vec(value.to_vec())));
    }
    Ok(variables)
}

/// A value without the quotes around it; no character is special within them.
fn unquoted(value: &[u8]) -> Result<&[u8], &'static str> {
    let Some(quote) = value.first().filter(|byte| matches!(byte, b'"' | b'\'')) else {
        let comment = value.windows(2).any(|pair| matches!(pair, b" #" | b"\t#"));
        return if comment { Err(COMMENT) } else { Ok(value) };
    };
    let inner = value[1..].strip_suffix(std::slice::from_ref(quote)).ok_or(QUOTES)?;
    if inner.contains(quote) { Err(QUOTES) } else { Ok(inner) }
}

const COMMENT: &str =
    "a comment needs a line of its own; a value with ' #' in it needs quotes around it";
const QUOTES: &str = "a value in quotes ends with the same quote, on its line, and has none within";

/// `OTEL_RESOURCE_ATTRIBUTES` with the user and the session added (OpenTelemetry's specification:
/// `key=value` pairs, percent-encoded, separated by commas).
pub fn telemetry(
    user: &str,
    session: Option<&OsStr>,
    variables: &Variables,
) -> (OsString, OsString) {
    const NAME: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let before = value(variables, NAME).unwrap_or_default().to_string_lossy().into_owned();
    let session = session.map(|session| ("tmux.session", percent_encode(session.as_bytes())));
    let ours: Vec<_> =
        [("os.user", percent_encode(user.as_bytes()))].into_iter().chain(session).collect();
    // Those that an outer launcher set are replaced.
    let is_ours = |pair: &&str| ours.iter().any(|(key, _)| pair.split('=').next() == Some(*key));
    let others = before.split(',').filter(|pair| !pair.is_empty() && !is_ours(pair));
    let ours = ours.iter().map(|(key, value)| format!("{key}={value}"));
    let all: Vec<String> = others.map(str::to_owned).chain(ours).collect();
    (NAME.into(), all.join(",").into())
}

fn percent_encode(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut encoded = String::new();
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}"); // writing to a String cannot fail
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_lines_and_anything_else_is_refused_with_its_line() {
        let variables = parse(b"# a\n\nA=1\nB_2=x = y#z\r\nC=\n").unwrap();
        let expected = [("A", "1"), ("B_2", "x = y#z"), ("C", "")];
        assert_eq!(variables, expected.map(|(key, value)| (key.into(), value.into())));
        assert_eq!(parse(b"A=1\nexport B=2\n"), Err((2, "the key is not a variable's name")));
        assert_eq!(parse(b"A\n"), Err((1, "expected KEY=VALUE")));
        assert_eq!(parse(b"=1\n"), Err((1, "the key is not a variable's name")));
        assert_eq!(parse(b"A=\0\n"), Err((1, "the value holds a NUL byte")));
    }

    #[test]
    fn quotes_around_a_value_are_removed_and_what_would_mean_two_things_is_refused() {
        let quoted = parse(b"A=\"a b # c\"\nB='x$y\"'\nC=it's\nD=\"\"\nE= x\n").unwrap();
        let expected = [("A", "a b # c"), ("B", "x$y\""), ("C", "it's"), ("D", ""), ("E", " x")];
        assert_eq!(quoted, expected.map(|(key, value)| (key.into(), value.into())));
        for refused in [
            &b"A=\"two\nB=lines\"\n"[..],
            b"A='a'b'\n",
            b"A=\"\n",
            b"A='x' # note\n",
            b"A=\"x\"y\n",
        ] {
            assert_eq!(parse(refused), Err((1, QUOTES)), "{}", refused.escape_ascii());
        }
        for refused in [&b"A=1 # note\n"[..], b"A=1\t# note\n", b"A= #\n"] {
            assert_eq!(parse(refused), Err((1, COMMENT)), "{}", refused.escape_ascii());
        }
        for refused in [&b" A=1\n"[..], b"export A=1\n", b"set A=1\n", b"A =1\n", b"A-B=1\n"] {
            let why = "the key is not a variable's name";
            assert_eq!(parse(refused), Err((1, why)), "{}", refused.escape_ascii());
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("agent.env");
        crate::test_files::write(&file, "A=1\n", 0o644);
        assert!(agent_env(&file).unwrap_err().to_string().contains("mode 644"));
        crate::test_files::write(&file, "A=1\n", 0o600);
        assert_eq!(agent_env(&file).unwrap().len(), 1);
        assert_eq!(agent_env(&dir.path().join("absent")).unwrap(), vec![]);
        let error = agent_env(dir.path()).unwrap_err().to_string();
        assert!(error.ends_with(": not a regular file; the file is not used"), "{error}");
    }

    #[test]
    fn telemetry_attributes_are_encoded() {
        let before = "team=x,os.user=old".into();
        let variables = vec![("OTEL_RESOURCE_ATTRIBUTES".into(), before)];
        let (_, value) = telemetry("ann", Some(OsStr::new("a,b=c \u{e9}")), &variables);
        assert_eq!(value, "team=x,os.user=ann,tmux.session=a%2Cb%3Dc%20%C3%A9");
    }
}
