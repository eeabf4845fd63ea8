//! What bounds a backup, and how many are kept: `[backup]` of t3.toml (pure).

use serde::{Deserialize, Serialize};

/// The bounds. Each has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How long one backup may take, with waiting for a locked database and all checks, in seconds.
    pub seconds: u64,
    /// Maximum number of attachments; further ones are left out.
    pub max_files: usize,
    /// Maximum size of one attachment, in bytes; larger ones are left out.
    pub max_file_bytes: u64,
    /// Maximum size of all attachments, in bytes; further ones are left out.
    pub max_bytes: u64,
    /// What stays free on the disk, in bytes.
    pub keep_free_bytes: u64,
    /// How old the last good backup may be before it is reported, in hours.
    pub max_age_hours: u64,
    /// How long an instance may take to answer after it was started on restored data, in seconds.
    pub answer_seconds: u64,
    /// How many daily backups are kept, and those that were asked for, which count as daily ones.
    pub keep_daily: usize,
    /// After how many days these are removed.
    pub keep_days: u64,
    /// How many changes of the version keep their backups.
    pub keep_changes: usize,
    /// How many backups from before restarts are kept.
    pub keep_restarts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            seconds: 900,
            max_files: 200_000,
            max_file_bytes: 2 << 30,
            max_bytes: 50 << 30,
            keep_free_bytes: 512 << 20,
            max_age_hours: 36,
            answer_seconds: 60,
            keep_daily: 14,
            keep_days: 30,
            keep_changes: 3,
            keep_restarts: 2,
        }
    }
}
