//! Kinds of site values, checked as they are read (pure).

use super::Invalid;
use serde::Deserialize;

/// An absolute path without `..` and control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Absolute(String);

impl Absolute {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Absolute {
    type Error = Invalid;

    fn try_from(path: String) -> Result<Self, Invalid> {
        let fine = path.strip_prefix('/').is_some_and(is_plain);
        if fine { Ok(Self(path)) } else { Err(Invalid::value("an absolute path", path)) }
    }
}

/// A relative path without `..` and control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Relative(String);

impl Relative {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Relative {
    type Error = Invalid;

    fn try_from(path: String) -> Result<Self, Invalid> {
        if is_plain(&path) { Ok(Self(path)) } else { Err(Invalid::value("a relative path", path)) }
    }
}

fn is_plain(path: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part != "." && part != "..";
    path.split('/').all(part) && !path.chars().any(char::is_control)
}

/// A name of letters, digits, `_` and `-` that no program takes for an option.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(pub(crate) String);

impl TryFrom<String> for Name {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        let fine = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        if !name.is_empty() && !name.starts_with('-') && name.chars().all(fine) {
            Ok(Self(name))
        } else {
            Err(Invalid::value("a name of letters, digits, _ and -", name))
        }
    }
}

/// Whether a text is an https address.
pub fn is_https(text: &str) -> bool {
    let rest = text.strip_prefix("https://");
    rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_graphic()))
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
