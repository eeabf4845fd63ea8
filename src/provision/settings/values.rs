//! Kinds of site values, checked as they are read (pure).

use super::Invalid;
use serde::Deserialize;

/// An absolute path without `..` and control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Absolute(String);

impl Absolute {
    /// A path that is known to be one.
    pub(super) fn known(path: &'static str) -> Self {
        Self(path.to_owned())
    }

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

/// Seconds, up to an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct Seconds(pub(crate) u32);

impl TryFrom<u32> for Seconds {
    type Error = Invalid;

    fn try_from(seconds: u32) -> Result<Self, Invalid> {
        if (1..=3600).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(Invalid::value("1 to 3600", seconds.to_string()))
        }
    }
}

/// An address of an HTTP server, without a login.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(String);

impl Address {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Address {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let authority =
            rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
        let plain = text.chars().all(|c| c.is_ascii_graphic());
        if plain && !authority.is_empty() && !authority.contains('@') {
            return Ok(Self(text));
        }
        // The text is not repeated: it may hold a password.
        Err(Invalid::rule("expected https://HOST/..., without a login"))
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
