//! Site values of secrets that root staged for users: `[[provision.secrets]]` and `[provision.git]` (pure).

use super::Invalid;
use super::values::Absolute;
use crate::text::shown;
use serde::Deserialize;

/// Variables that decide what runs, or that this program gives in another way.
const REFUSED: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "IFS",
    "ENV",
    "BASH_ENV",
    "TERM",
    "LANG",
    "PWD",
    "TMUX",
    "T3_PORT",
    "CLAUDE_CODE_OAUTH_TOKEN",
];
/// The same, by how they begin.
const REFUSED_PREFIXES: [&str; 6] = ["LD_", "GIT_", "XDG_", "PYTHON", "NODE_", "PLAYWRIGHT_"];

/// A variable for the environment of users' agents.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SecretTable")]
pub struct StagedSecret {
    pub variable: String,
    pub source: SecretFile,
}

/// Where a secret is staged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretFile {
    /// One for all users.
    Shared(Absolute),
    /// A directory with a file for each user who gets one.
    Each(Absolute),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretTable {
    variable: String,
    file: Option<Absolute>,
    directory: Option<Absolute>,
}

impl TryFrom<SecretTable> for StagedSecret {
    type Error = Invalid;

    fn try_from(table: SecretTable) -> Result<Self, Invalid> {
        let SecretTable { variable, file, directory } = table;
        let letter = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let is_name = variable.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
            && variable.len() <= 100
            && variable.chars().all(letter);
        if !is_name {
            return Err(Invalid::value("a variable of capital letters, digits and _", variable));
        }
        let is_refused = REFUSED.contains(&variable.as_str())
            || REFUSED_PREFIXES.iter().any(|prefix| variable.starts_with(prefix));
        if is_refused {
            let name = shown(&variable);
            return Err(Invalid::rule(format!("variable '{name}' is no secret: it is not set")));
        }
        let source = match (file, directory) {
            (Some(file), None) => SecretFile::Shared(file),
            (None, Some(directory)) => SecretFile::Each(directory),
            _ => return Err(Invalid::rule("expected either file or directory")),
        };
        Ok(Self { variable, source })
    }
}

/// The table `[provision.git]`: users' login at a forge, with the name and address of their commits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Git {
    pub forge: Forge,
    /// The directory with a file for each user.
    pub directory: Absolute,
}

/// `https://HOST[:PORT]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Forge(String);

impl Forge {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn host(&self) -> &str {
        self.0.trim_start_matches("https://")
    }
}

impl TryFrom<String> for Forge {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let text = text.strip_suffix('/').unwrap_or(&text).to_owned();
        let host = text.strip_prefix("https://").unwrap_or_default();
        let (name, port) = host.split_once(':').unwrap_or((host, "443"));
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
        let is_host =
            name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(letter);
        if is_host && port.parse::<u16>().is_ok() {
            return Ok(Self(text));
        }
        // The text is not repeated: it may hold a password.
        Err(Invalid::rule("forge: expected https://HOST, in lower case, without login and path"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_variables_that_decide_nothing_else_are_secrets() {
        for (text, why) in [
            ("variable = 'npm'\nfile = '/a'", "expected a variable of capital letters"),
            ("variable = 'A=B'\nfile = '/a'", "expected a variable of capital letters"),
            ("variable = 'LD_PRELOAD'\nfile = '/a'", "variable 'LD_PRELOAD' is no secret"),
            ("variable = 'PATH'\nfile = '/a'", "variable 'PATH' is no secret"),
            ("variable = 'A'", "expected either file or directory"),
            ("variable = 'A'\nfile = '/a'\ndirectory = '/b'", "expected either file or directory"),
            ("variable = 'A'\nfile = 'a'", "expected an absolute path"),
        ] {
            let error = toml::from_str::<StagedSecret>(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        let secret = "variable = 'NPM_TOKEN'\ndirectory = '/etc/tokens'";
        assert!(toml::from_str::<StagedSecret>(secret).is_ok());
    }

    #[test]
    fn a_forge_is_a_host_alone() {
        for fine in ["https://git.example", "https://git.example:8443/"] {
            assert!(Forge::try_from(fine.to_owned()).is_ok(), "{fine}");
        }
        for other in [
            "git.example",
            "http://git.example",
            "https://u:p@h",
            "https://h/a",
            "https://",
            "https://H",
        ] {
            let error = Forge::try_from(other.to_owned()).unwrap_err().to_string();
            assert!(!error.contains("u:p"), "{error}");
        }
    }
}
