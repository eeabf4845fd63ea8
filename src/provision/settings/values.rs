//! Site values that are checked as they are read.

use serde::Deserialize;

/// An absolute path without `..`, or odd characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Absolute(String);

impl Absolute {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Absolute {
    type Error = String;

    fn try_from(path: String) -> Result<Self, String> {
        let fine = path.strip_prefix('/').is_some_and(is_plain);
        let wrong = || format!("expected an absolute path, found '{}'", path.escape_debug());
        if fine { Ok(Self(path)) } else { Err(wrong()) }
    }
}

/// A path below a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Relative(String);

impl Relative {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Relative {
    type Error = String;

    fn try_from(path: String) -> Result<Self, String> {
        let wrong =
            || format!("expected a path below a directory, found '{}'", path.escape_debug());
        if is_plain(&path) { Ok(Self(path)) } else { Err(wrong()) }
    }
}

fn is_plain(path: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part != "." && part != "..";
    path.split('/').all(part) && !path.chars().any(char::is_control)
}

/// A name that no program takes for an option.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(pub(crate) String);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let fine = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        if !name.is_empty() && !name.starts_with('-') && name.chars().all(fine) {
            Ok(Self(name))
        } else {
            Err(format!("expected a plain name, found '{}'", name.escape_debug()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_names_are_plain() {
        for (path, fine) in [
            ("/a/b.c", true),
            ("a", false),
            ("/", false),
            ("/a/../b", false),
            ("/a//b", false),
            ("/a\nb", false),
            ("", false),
        ] {
            assert_eq!(Absolute::try_from(path.to_owned()).is_ok(), fine, "{path}");
        }
        for (path, fine) in [(".tmux.conf", true), (".a/b", true), ("/a", false), ("a/..", false)] {
            assert_eq!(Relative::try_from(path.to_owned()).is_ok(), fine, "{path}");
        }
        for (name, fine) in [("play-wright_1", true), ("-s", false), ("a b", false), ("", false)] {
            assert_eq!(Name::try_from(name.to_owned()).is_ok(), fine, "{name}");
        }
    }
}
