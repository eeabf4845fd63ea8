//! What a run did, for people and for programs.

use super::version::Version;
use serde::Serialize;
use std::collections::BTreeMap;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything that could be changed runs the version.
    Done,
    /// The site wants no version.
    NothingWanted,
    /// A freeze is on.
    Frozen,
    /// The version must not follow the present one.
    Refused,
    /// Which version is wanted could not be found out.
    Unknown,
    /// Something failed: nothing was changed, or what was changed was undone, or an instance was skipped.
    Failed,
}

/// What a run did. Texts are not escaped.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub outcome: Outcome,
    /// A sentence on how it ended.
    pub message: String,
    pub dry_run: bool,
    /// The version that is wanted.
    pub target: Option<Version>,
    /// What new instances run.
    pub current: Option<Version>,
    /// The instances that were changed.
    pub changed: Vec<String>,
    /// Those that are left for later, with the reason.
    pub deferred: BTreeMap<String, String>,
    /// Those that could not be changed, with the reason.
    pub failed: BTreeMap<String, String>,
    /// Those that do not run.
    pub not_running: Vec<String>,
    /// For how long not every instance has run the wanted version, in seconds.
    pub behind_seconds: Option<u64>,
    /// Whether that is longer than the site allows.
    pub stuck: bool,
}

impl Report {
    /// One of a run that has done nothing yet.
    pub(super) fn new(dry_run: bool) -> Self {
        Self {
            outcome: Outcome::Done,
            message: String::new(),
            dry_run,
            target: None,
            current: None,
            changed: Vec::new(),
            deferred: BTreeMap::new(),
            failed: BTreeMap::new(),
            not_running: Vec::new(),
            behind_seconds: None,
            stuck: false,
        }
    }
}
