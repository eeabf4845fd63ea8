//! Versions of the program, and which change from one to another is allowed (pure).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Maximum length of a version, in bytes.
const MAX_VERSION: usize = 64;
/// What the pre-release of a nightly build begins with: `0.0.34-nightly.20260822.3`.
const NIGHTLY: &str = "nightly";

/// A version, in order: a nightly build is older than its release, and builds are ordered by number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(semver::Version);

/// Why a text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{}' is no version", text.escape_debug())]
pub struct InvalidVersion {
    text: String,
}

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let invalid = || InvalidVersion { text: text.chars().take(MAX_VERSION).collect() };
        if text.len() > MAX_VERSION {
            return Err(invalid());
        }
        let version = semver::Version::parse(text).map_err(|_| invalid())?;
        // The name of a directory, and an argument of a package manager, for which these would be equal.
        if version.build.is_empty() { Ok(Self(version)) } else { Err(invalid()) }
    }
}

impl TryFrom<String> for Version {
    type Error = InvalidVersion;

    fn try_from(text: String) -> Result<Self, InvalidVersion> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(to)
    }
}

impl Version {
    /// The version in what the program prints for `--version`: `t3 v0.0.26`.
    ///
    /// # Errors
    /// If the first line does not end with one.
    pub fn reported(output: &[u8]) -> Result<Self, InvalidVersion> {
        let text = String::from_utf8_lossy(output);
        let word = text.trim().lines().next().unwrap_or_default().split_whitespace().next_back();
        let word = word.unwrap_or_default();
        word.strip_prefix('v').unwrap_or(word).parse()
    }

    /// Whether it is a nightly build.
    pub fn is_nightly(&self) -> bool {
        self.0.pre.split('.').next() == Some(NIGHTLY)
    }
}

/// Where a target comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// The site names the version.
    Pinned {
        /// Whether it may be older than the present one.
        allow_downgrade: bool,
    },
    /// It is what a tag of the package names at present.
    Tagged(&'a str),
}

/// The change from the present version to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There was no version.
    First,
    None,
    Upgrade,
    /// Allowed by the site; what the databases allow is not known yet.
    Downgrade,
}

/// Why a target is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "{target} is older than {present}, and a downgrade does not undo migrations of databases"
    )]
    Older { present: Version, target: Version },
    #[error("the tag '{tag}' names {target}, which is not a nightly build")]
    NotNightly { tag: String, target: Version },
    #[error("the tag '{tag}' names {target}, which is a nightly build")]
    Nightly { tag: String, target: Version },
}

/// Decides whether a target may follow the present version.
///
/// # Errors
/// If it is older, unless the site pins it and allows that; or if it is not of the kind that the tag is for.
pub fn guard(
    present: Option<&Version>,
    target: &Version,
    wanted: Wanted<'_>,
) -> Result<Change, Refusal> {
    if let Wanted::Tagged(tag) = wanted {
        let refused = |tag: &str| (tag.to_owned(), target.clone());
        if tag == NIGHTLY && !target.is_nightly() {
            let (tag, target) = refused(tag);
            return Err(Refusal::NotNightly { tag, target });
        }
        if tag != NIGHTLY && target.is_nightly() {
            let (tag, target) = refused(tag);
            return Err(Refusal::Nightly { tag, target });
        }
    }
    let Some(present) = present else { return Ok(Change::First) };
    if target == present {
        return Ok(Change::None);
    }
    if target > present {
        return Ok(Change::Upgrade);
    }
    if wanted == (Wanted::Pinned { allow_downgrade: true }) {
        return Ok(Change::Downgrade);
    }
    Err(Refusal::Older { present: present.clone(), target: target.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn nightly_builds_are_ordered_by_number_and_before_their_release() {
        let mut versions =
            ["0.0.34", "0.0.34-nightly.20260822.10", "0.0.34-nightly.20260822.9"].map(v).to_vec();
        versions.extend(["0.0.9", "0.0.33"].map(v));
        versions.sort();
        let sorted: Vec<_> = versions.iter().map(ToString::to_string).collect();
        let expected = ["0.0.9", "0.0.33", "0.0.34-nightly.20260822.9"];
        assert_eq!(sorted[..3], expected);
        assert_eq!(sorted[3..], ["0.0.34-nightly.20260822.10", "0.0.34"]);
    }

    #[test]
    fn what_could_leave_the_directory_of_versions_or_be_an_option_is_no_version() {
        let long = format!("0.0.1-{}", "a".repeat(80));
        for text in ["", "..", "../0.0.1", "0.0", "0.0.1+x", "-1.0.0", "0.0.1\n", "latest", &long] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_version_is_read_from_what_the_program_prints() {
        assert_eq!(Version::reported(b"t3 v0.0.26\n").unwrap(), v("0.0.26"));
        assert_eq!(Version::reported(b"0.0.34-nightly.1\nmore").unwrap(), v("0.0.34-nightly.1"));
        assert!(Version::reported(b"t3: error").is_err());
        assert!(Version::reported(b"\xff").is_err());
    }

    #[test]
    fn only_a_newer_version_follows_unless_the_site_pins_an_older_one_and_allows_that() {
        let (old, new) = (v("0.0.24"), v("0.0.26"));
        let strict = Wanted::Pinned { allow_downgrade: false };
        let lax = Wanted::Pinned { allow_downgrade: true };
        assert_eq!(guard(None, &new, strict), Ok(Change::First));
        assert_eq!(guard(Some(&new), &new, strict), Ok(Change::None));
        assert_eq!(guard(Some(&old), &new, Wanted::Tagged("latest")), Ok(Change::Upgrade));
        assert_eq!(guard(Some(&new), &old, lax), Ok(Change::Downgrade));
        for wanted in [strict, Wanted::Tagged("latest")] {
            assert!(matches!(guard(Some(&new), &old, wanted), Err(Refusal::Older { .. })));
        }
    }

    #[test]
    fn a_tag_that_names_a_build_of_another_kind_is_refused() {
        let (release, nightly) = (v("0.0.34"), v("0.0.35-nightly.20260901.1"));
        let refused = guard(None, &release, Wanted::Tagged("nightly"));
        assert!(matches!(refused, Err(Refusal::NotNightly { .. })));
        let refused = guard(None, &nightly, Wanted::Tagged("latest"));
        assert!(matches!(refused, Err(Refusal::Nightly { .. })));
        let allowed = guard(Some(&release), &nightly, Wanted::Tagged("nightly"));
        assert_eq!(allowed, Ok(Change::Upgrade));
    }
}
