//! What root asks of the process that is the user, and what it answers (pure).

use crate::t3::backup::BackupId;
use crate::t3::backup::protocol::Kind;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What is put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// All that the backup has.
    All,
    /// The database; everything else stays as it is.
    Database,
}

/// What root asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Makes `userdata.new-STAMP` from a backup, beside the present data.
    Prepare {
        /// The user's directory of backups.
        place: PathBuf,
        id: BackupId,
        what: What,
        stamp: String,
        /// The hash that the manifest must have; `None` if none is on record.
        sha256: Option<String>,
        /// How long it may take.
        seconds: u64,
        /// What stays free on the disk, in bytes.
        keep_free_bytes: u64,
    },
    /// Exchanges the data in `from`, a directory beside the present data, with these; what `from` has none of is taken
    /// over. The present data get the name `userdata.before-STAMP`. Safe to repeat.
    Swap { from: String, stamp: String },
    /// Lists the directories of data that were set aside.
    SetAside,
}

/// What the process answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    Done,
    /// The newest first.
    SetAside(Vec<String>),
    Failed {
        kind: Kind,
        message: String,
    },
}

/// What is prepared is called so, with the stamp.
pub const NEW: &str = "userdata.new-";
/// What was set aside is called so, with the stamp of what took its place.
pub const BEFORE: &str = "userdata.before-";

/// Whether a text is a stamp: letters, digits and hyphens.
pub fn is_stamp(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (8..=40).contains(&text.len()) && text.bytes().all(is_part)
}
