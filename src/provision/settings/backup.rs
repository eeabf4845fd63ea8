//! Site values of the homes' backup: the table `[provision.backup]` (pure).

use super::Invalid;
use super::values::Absolute;
use serde::Deserialize;

/// Default of `exclude`: what programs make again.
const EXCLUDE: [&str; 4] = [".cache", "node_modules", "__pycache__", ".npm"];
const PASSWORD_FILE: &str = "/etc/terminal-lobby/backup.password";

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where the backups are: local directories or restic's addresses. None without one.
    pub repositories: Vec<Repository>,
    /// The file with the password of the repositories.
    pub password_file: Absolute,
    /// The file with variables for restic, such as the credentials of a remote repository.
    pub environment_file: Option<Absolute>,
    /// Patterns of what is left out (restic-backup(1), `--exclude`).
    pub exclude: Vec<Pattern>,
    /// Larger files are left out (`--exclude-larger-than`).
    pub max_file_size: Size,
    pub keep_daily: u16,
    pub keep_weekly: u16,
    pub keep_monthly: u16,
    /// The share of the data that one verification reads, in percent.
    pub verify_percent: Percent,
    /// Maximum time for one home in one repository, in minutes.
    pub home_minutes: u16,
    /// A repository whose last good backup of a home is older is reported.
    pub max_age_hours: u16,
}

impl Default for Settings {
    fn default() -> Self {
        let pattern = |text: &str| Pattern(text.to_owned());
        Self {
            repositories: Vec::new(),
            password_file: Absolute::known(PASSWORD_FILE),
            environment_file: None,
            exclude: EXCLUDE.map(pattern).to_vec(),
            max_file_size: Size("8G".to_owned()),
            keep_daily: 7,
            keep_weekly: 5,
            keep_monthly: 12,
            verify_percent: Percent(5),
            home_minutes: 60,
            max_age_hours: 36,
        }
    }
}

/// The address of a repository.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Repository(String);

impl Repository {
    /// The address as restic gets it. It may hold a password.
    pub fn address(&self) -> &str {
        &self.0
    }

    /// The address without the login in it.
    pub fn name(&self) -> String {
        let Some((scheme, rest)) = self.0.split_once("://") else { return self.0.clone() };
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        format!("{scheme}://{host}{path}")
    }
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(&self.name())
    }
}

impl TryFrom<String> for Repository {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        const SCHEMES: [&str; 8] = ["sftp", "rest", "s3", "b2", "azure", "gs", "swift", "rclone"];
        let known = text
            .split_once(':')
            .is_some_and(|(scheme, rest)| SCHEMES.contains(&scheme) && !rest.is_empty());
        let plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
        if plain && (known || Absolute::try_from(text.clone()).is_ok()) {
            return Ok(Self(text));
        }
        // The text is not repeated: it may hold a password.
        Err(Invalid::rule(
            "expected an absolute path, or an address of restic's (sftp:, rest:, s3:, ...)",
        ))
    }
}

/// A pattern of names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(String);

impl Pattern {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Pattern {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let plain = !text.is_empty() && !text.chars().any(char::is_control);
        if plain { Ok(Self(text)) } else { Err(Invalid::value("a pattern", text)) }
    }
}

/// A number of bytes with one of restic's suffixes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Size(String);

impl Size {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Size {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let digits = text.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(&text);
        let fine = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
        if fine { Ok(Self(text)) } else { Err(Invalid::value("a size such as \"8G\"", text)) }
    }
}

/// 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub struct Percent(u8);

impl Percent {
    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Percent {
    type Error = Invalid;

    fn try_from(share: u8) -> Result<Self, Invalid> {
        let fine = (1..=100).contains(&share);
        if fine { Ok(Self(share)) } else { Err(Invalid::value("1 to 100", share.to_string())) }
    }
}

impl Settings {
    /// Checks what one key alone does not show.
    ///
    /// # Errors
    /// Nothing would be kept, or a repository is there twice.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.keep_daily == 0 && self.keep_weekly == 0 && self.keep_monthly == 0 {
            return Err(Invalid::key(
                "keep_daily",
                "with keep_weekly and keep_monthly 0 nothing is kept",
            ));
        }
        let mut names: Vec<String> = self.repositories.iter().map(Repository::name).collect();
        names.sort();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Invalid::key("repositories", "one is there twice"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_addresses_of_restics_and_show_no_login() {
        for (address, name) in [
            ("/srv/backup", "/srv/backup"),
            ("sftp:backup@host:/homes", "sftp:backup@host:/homes"),
            ("rest:https://u:hunter2@b.example/homes/", "rest:https://b.example/homes/"),
            ("s3:https://s3.example/bucket", "s3:https://s3.example/bucket"),
        ] {
            let repository = Repository::try_from(address.to_owned()).unwrap();
            assert_eq!((repository.address(), repository.name().as_str()), (address, name));
            assert!(!format!("{repository:?}").contains("hunter2"));
        }
        for other in ["", "backup", "-r", "../x", "/a/../b", "ftp:x", "sftp:", "/a\nb", "/a b"] {
            assert!(Repository::try_from(other.to_owned()).is_err(), "{other}");
        }
    }

    #[test]
    fn a_configuration_that_keeps_nothing_or_names_one_place_twice_is_refused() {
        let read = |text: &str| toml::from_str::<Settings>(text).map_err(|e| e.to_string());
        assert!(read("").unwrap().check().is_ok());
        assert!(read("repositories = ['/a', '/b']").unwrap().check().is_ok());
        assert!(read("repositories = ['/a', '/a']").unwrap().check().is_err());
        let none = "keep_daily = 0\nkeep_weekly = 0\nkeep_monthly = 0";
        assert!(read(none).unwrap().check().is_err());
        for other in ["max_file_size = '8 GB'", "verify_percent = 0", "keep = 3"] {
            assert!(read(other).is_err(), "{other}");
        }
    }
}
