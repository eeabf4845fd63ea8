//! What a backup is called (pure): the time in UTC and the reason, `20261130T154500Z-daily`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Length of the time.
const STAMP: usize = "20261130T154500Z".len();
/// Maximum length of an id, in bytes.
const MAX: usize = 64;

/// Why a backup is made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Why {
    /// Each day, by the timer.
    Daily,
    /// A person asked for it.
    Manual,
    /// The instance is to run another version.
    BeforeChange { version: String },
    /// An instance that does not answer is to be restarted.
    BeforeRestart,
}

/// The name of a backup, which is also that of its directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BackupId(String);

/// A text is no name of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the name of a backup: 20261130T154500Z-daily")]
pub struct InvalidId;

impl BackupId {
    /// The name of a backup that begins at `stamp` (`20261130T154500Z`).
    ///
    /// # Errors
    /// If the version cannot be a part of a file name.
    pub fn new(stamp: &str, why: &Why) -> Result<Self, InvalidId> {
        let reason = match why {
            Why::Daily => "daily".to_owned(),
            Why::Manual => "manual".to_owned(),
            Why::BeforeRestart => "before-restart".to_owned(),
            Why::BeforeChange { version } => format!("before-{version}"),
        };
        format!("{stamp}-{reason}").parse()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Why it was made.
    pub fn why(&self) -> Why {
        match &self.0[STAMP + 1..] {
            "daily" => Why::Daily,
            "manual" => Why::Manual,
            "before-restart" => Why::BeforeRestart,
            other => {
                let version = other.strip_prefix("before-").unwrap_or_default().to_owned();
                Why::BeforeChange { version }
            }
        }
    }

    /// When it was begun, in seconds since the epoch; 0 if the time is none of the calendar.
    pub fn time(&self) -> u64 {
        let stamp = &self.0[..STAMP];
        let time = chrono::NaiveDateTime::parse_from_str(stamp, "%Y%m%dT%H%M%SZ");
        time.ok().and_then(|time| time.and_utc().timestamp().try_into().ok()).unwrap_or(0)
    }
}

impl FromStr for BackupId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (Some(stamp), Some(rest)) = (text.get(..STAMP), text.get(STAMP..)) else {
            return Err(InvalidId);
        };
        let is_stamp = stamp.bytes().enumerate().all(|(at, byte)| match at {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
        let reason = rest.strip_prefix('-').ok_or(InvalidId)?;
        let is_word = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte))
        };
        let known = matches!(reason, "daily" | "manual")
            || reason.strip_prefix("before-").is_some_and(is_word);
        if is_stamp && known && text.len() <= MAX {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId)
        }
    }
}

impl TryFrom<String> for BackupId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<BackupId> for String {
    fn from(id: BackupId) -> Self {
        id.0
    }
}

impl fmt::Display for BackupId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_when_and_why_and_nothing_else_is_one() {
        let change = Why::BeforeChange { version: "0.0.26".to_owned() };
        for (why, name) in [
            (Why::Daily, "20261130T154500Z-daily"),
            (Why::Manual, "20261130T154500Z-manual"),
            (Why::BeforeRestart, "20261130T154500Z-before-restart"),
            (change, "20261130T154500Z-before-0.0.26"),
        ] {
            let id = BackupId::new("20261130T154500Z", &why).unwrap();
            assert_eq!((id.as_str(), id.why(), id.time()), (name, why, 1_796_053_500));
        }
        for text in [
            "",
            "daily",
            "20261130T154500Z",
            "20261130T154500Z-",
            "20261130T154500Z-weekly",
            "20261130T154500Z-before-",
            "20261130T154500Z-before-../x",
            "20261130T154500Z-before-a b",
            ".20261130T15450Z-daily",
            "20261130T154500Zädaily",
        ] {
            assert!(text.parse::<BackupId>().is_err(), "{text}");
        }
        assert!(format!("20261130T154500Z-before-{}", "9".repeat(60)).parse::<BackupId>().is_err());
        assert_eq!("99999999T999999Z-daily".parse::<BackupId>().unwrap().time(), 0);
    }
}
