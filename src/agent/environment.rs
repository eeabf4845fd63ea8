//! The environment of an agent's process, as far as it decides where the agent keeps its data or
//! how it is started (pure). Only what is listed here is ever recorded: never a secret.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The variables that are recorded with an agent and given to it again. `HOME` only if it is not the
/// account's own.
pub const RECORDED: [&str; 14] = [
    "CLAUDE_CONFIG_DIR",
    "CODEX_HOME",
    HOME,
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "COPILOT_HOME",
    "GEMINI_CLI_HOME",
    "OPENCODE_CONFIG",
    "OPENCODE_CONFIG_DIR",
    "OPENCODE_DB",
    "PI_CODING_AGENT_DIR",
    "PI_CODING_AGENT_SESSION_DIR",
    "QWEN_HOME",
    "QWEN_RUNTIME_DIR",
];

const HOME: &str = "HOME";
/// A longer value is not recorded (bytes).
const MAX_VALUE: usize = 4096;

/// Variables of [`RECORDED`], in that order, none of them empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgentEnvironment(Vec<(&'static str, Vec<u8>)>);

impl AgentEnvironment {
    /// What of a process's environment is recorded. `environ` is `/proc/<pid>/environ`: `NAME=value`,
    /// each ended by a NUL byte; the first of a name counts. `home` is the account's home.
    pub fn of(environ: &[u8], home: &Path) -> Self {
        let is_own_home =
            |name: &str, value: &[u8]| name == HOME && Path::new(OsStr::from_bytes(value)) == home;
        let kept = |name: &'static str| {
            let value = value_of(environ, name)?;
            let keeps = !value.is_empty() && value.len() <= MAX_VALUE && !is_own_home(name, value);
            keeps.then(|| (name, value.to_vec()))
        };
        Self(RECORDED.into_iter().filter_map(kept).collect())
    }

    /// Reads a field of a snapshot that [`Self::encode`] made; what is not of the list is skipped.
    pub fn decode(field: &[u8]) -> Self {
        Self::of(field, Path::new(""))
    }

    /// The field of a snapshot: `NAME=value`, each ended by a NUL byte; `None` if there is nothing.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let line = |(name, value): &(&str, Vec<u8>)| [name.as_bytes(), b"=", value, b"\0"].concat();
        (!self.0.is_empty()).then(|| self.0.iter().flat_map(line).collect())
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_slice())
    }

    /// Names and values, in the order of [`RECORDED`].
    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        self.0.iter().map(|(name, value)| (*name, value.as_slice()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The directory of an agent's data: what the first variable that is set names, with what is below
    /// it, else `default` below the agent's home, which is `home` unless the environment has another. A
    /// relative path is one of `cwd`.
    pub fn data_dir(
        &self,
        variables: &[(&str, &str)],
        default: &str,
        home: &Path,
        cwd: &Path,
    ) -> PathBuf {
        let path = |value: &[u8]| cwd.join(OsStr::from_bytes(value));
        let named = variables.iter().find_map(|(name, below)| {
            let dir = path(self.get(name)?);
            Some(if below.is_empty() { dir } else { dir.join(below) })
        });
        let of_home = || self.get(HOME).map_or_else(|| home.to_owned(), path).join(default);
        named.unwrap_or_else(of_home)
    }
}

fn value_of<'a>(environ: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut lines = environ.split(|&byte| byte == 0);
    lines.find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_is_recorded_and_it_reads_back() {
        let environ = b"ANTHROPIC_API_KEY=secret\0HOME=/home/a\0CLAUDE_CONFIG_DIR=/home/a/w \xff\0\
            XDG_DATA_HOME=\0CLAUDE_CONFIG_DIR=/second\0XCODEX_HOME=/x\0";
        let seen = AgentEnvironment::of(environ, Path::new("/home/a"));
        let field = seen.encode().unwrap();
        assert_eq!(field, b"CLAUDE_CONFIG_DIR=/home/a/w \xff\0");
        assert_eq!(AgentEnvironment::decode(&field), seen);
        let other_home = AgentEnvironment::of(environ, Path::new("/home/b"));
        assert_eq!(other_home.get("HOME"), Some(&b"/home/a"[..]));
        assert_eq!(AgentEnvironment::of(b"", Path::new("/")).encode(), None);
        let long = [&b"CODEX_HOME=/"[..], &vec![b'x'; MAX_VALUE]].concat();
        assert!(AgentEnvironment::of(&long, Path::new("/")).is_empty());
    }

    #[test]
    fn the_data_is_where_the_variable_says_else_in_the_agents_home() {
        let dir = |environ: &[u8]| {
            let environment = AgentEnvironment::of(environ, Path::new("/home/a"));
            let (home, cwd) = (Path::new("/home/a"), Path::new("/srv"));
            environment.data_dir(&[("CODEX_HOME", ""), ("QWEN_HOME", "x")], ".codex", home, cwd)
        };
        assert_eq!(dir(b""), Path::new("/home/a/.codex"));
        assert_eq!(dir(b"HOME=/tmp/h\0"), Path::new("/tmp/h/.codex"));
        assert_eq!(dir(b"HOME=/tmp/h\0CODEX_HOME=/c\0"), Path::new("/c"));
        assert_eq!(dir(b"CODEX_HOME=c\0"), Path::new("/srv/c"));
        assert_eq!(dir(b"HOME=/tmp/h\0QWEN_HOME=/q\0"), Path::new("/q/x"));
    }
}
