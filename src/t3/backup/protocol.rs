//! What root asks of the process that is the user, and what it answers (pure): one JSON value each way. An answer is
//! hostile input.

use super::id::BackupId;
use super::limits::Limits;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Maximum number of backups that an answer lists.
pub const MAX_LISTED: usize = 500;
/// Maximum number of notes in an answer.
const MAX_NOTES: usize = 50;
/// Maximum length of a text in an answer where root repeats it, in characters.
const MAX_TEXT: usize = 500;

/// What root asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Makes a backup, and removes those that are no longer needed.
    Make {
        /// The user's directory of backups.
        place: PathBuf,
        id: BackupId,
        limits: Limits,
        /// The one of the running change.
        protected: Option<BackupId>,
        /// Seconds since the epoch.
        now: u64,
    },
    /// Lists the complete ones.
    List { place: PathBuf },
}

/// What the process answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    Made(Made),
    Listed(Vec<Listed>),
    Failed { kind: Kind, message: String },
}

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// What it takes beside what it shares with the previous one, in bytes.
    pub bytes: u64,
    /// The hash of its manifest, in hexadecimal digits.
    pub sha256: String,
    /// What was left out, and why.
    pub notes: Vec<String>,
    /// The ones that were removed.
    pub removed: Vec<BackupId>,
}

/// A complete backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    pub id: BackupId,
    /// The size of the database, in bytes.
    pub database_bytes: u64,
    /// The number and the size of all attachments, in bytes.
    pub attachments: usize,
    pub attachment_bytes: u64,
    pub migration_level: Option<i64>,
    pub environment: Option<String>,
    /// The hash of the manifest.
    pub sha256: String,
}

/// Why there is no backup, as far as it matters to what is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// There is no database: the instance never ran.
    NoData,
    /// The database is damaged.
    Corrupt,
    /// It was locked, or too large, for all the time that there was.
    Deadline,
    /// The disk is full, or would be.
    Full,
    /// There is no such backup.
    NoBackup,
    Other,
}

impl Answer {
    /// The answer, no longer than root repeats it.
    #[must_use]
    pub fn clipped(self) -> Self {
        match self {
            Self::Made(Made { bytes, sha256, notes, removed }) => Self::Made(Made {
                bytes,
                sha256: clip(&sha256, 64),
                notes: notes.iter().take(MAX_NOTES).map(|note| clip(note, MAX_TEXT)).collect(),
                removed: removed.into_iter().take(MAX_LISTED).collect(),
            }),
            Self::Listed(list) => {
                let clipped = |one: Listed| Listed {
                    sha256: clip(&one.sha256, 64),
                    environment: one.environment.map(|name| clip(&name, 100)),
                    ..one
                };
                Self::Listed(list.into_iter().take(MAX_LISTED).map(clipped).collect())
            }
            Self::Failed { kind, message } => {
                Self::Failed { kind, message: clip(&message, MAX_TEXT) }
            }
        }
    }
}

fn clip(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}
