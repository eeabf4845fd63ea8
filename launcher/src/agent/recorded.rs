//! The environment that the agent of a restored pane had, as `persist restore` gave it to the pane.

use super::environment::Variables;
use shared::pane_variables::{self, AGENT, ASKING};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Variables of this process that are for it alone.
pub const OWN: [&str; 2] = [AGENT, ASKING];

/// What this pane's environment says of its agent's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The agent's variables, without `PATH`.
    pub variables: Variables,
    /// The `PATH` that it had.
    pub path: Option<OsString>,
    /// Names of variables that it did not have.
    pub absent: Vec<OsString>,
}

impl Recorded {
    /// Reads this process's environment.
    pub fn read() -> Self {
        std::env::var_os(AGENT).map_or_else(Self::default, |value| Self::from(value.as_bytes()))
    }

    fn from(value: &[u8]) -> Self {
        let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let decoded = pane_variables::decode(value);
        let all = pane_variables::split(&decoded);
        let (paths, variables): (Vec<_>, Vec<_>) = all
            .filter(|(name, _)| !name.is_empty())
            .map(|(name, value)| (text(name), text(value)))
            .partition(|(name, _)| name == "PATH");
        let absent = pane_variables::absent(&decoded).map(text).collect();
        Self { variables, path: paths.into_iter().next().map(|(_, path)| path), absent }
    }
}

/// This process's environment, without what is for it alone.
pub fn own_environment() -> Variables {
    let is_own = |name: &OsStr| OWN.iter().any(|own| name == *own);
    std::env::vars_os().filter(|(name, _)| !is_own(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_apart_from_the_other_variables() {
        let value = pane_variables::encode(b"A=1\0PATH=/x:/y\0B=\0=x\0C\0");
        let recorded = Recorded::from(value.as_bytes());
        let expected = [("A", "1"), ("B", "")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(recorded.variables, expected);
        assert_eq!(recorded.path, Some("/x:/y".into()));
        assert_eq!(recorded.absent, ["C"]);
        assert_eq!(Recorded::from(b""), Recorded::default());
    }
}
