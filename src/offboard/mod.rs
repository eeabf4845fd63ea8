//! The stages of offboarding a user: the cut, which locks everything and can be undone; the archive
//! of the home; and the removal, which only follows a verified archive. Runs as root; nothing in a
//! live home is opened.

mod account;
mod aftermath;
pub mod archive;
pub mod cut;
pub mod error;
mod frozen;
mod jobs;
mod last_save;
pub mod leavers;
pub mod policy;
mod processes;
pub mod record;
pub mod remove;
mod settings;
mod sharers;
mod step_runner;
pub mod steps;
mod tables;
pub mod uncut;
mod units;

pub use error::StageError;
pub use settings::Settings;
pub use step_runner::{ProgressOnly, StageReport, StepLog};

use crate::roster::Row;
use crate::sys::fs;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// The lowest uid of a person on this host.
fn uid_min() -> u32 {
    let defs = fs::read(Path::new("/etc/login.defs"), 1 << 20).unwrap_or_default();
    crate::roster::uid_min(&String::from_utf8_lossy(&defs))
}

/// The user to cut, with what the roster had about the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutTarget {
    /// The OS user.
    pub user: String,
    /// The name in the cluster; empty when it is not known.
    pub k8s_user: String,
    /// The reason, for the record.
    pub reason: String,
    /// The commit or hash of the roster that decided it.
    pub roster: Option<String>,
    /// The row as it was; null when there was none.
    pub row: Value,
    /// Groups that provision put the user in.
    pub added_groups: BTreeSet<String>,
    /// Whether the cut itself takes the user out of the tables of instances; an apply plans that with all that follows
    /// from the roster.
    pub leaves_tables: bool,
}

impl CutTarget {
    /// A user with the row of the applied roster.
    pub fn new(user: &str, row: Option<&Row>, reason: String, roster: Option<String>) -> Self {
        Self {
            user: user.to_owned(),
            k8s_user: row.map(|row| row.k8s_user.clone()).unwrap_or_default(),
            reason,
            roster,
            row: serde_json::to_value(row).unwrap_or_default(),
            added_groups: BTreeSet::new(),
            leaves_tables: false,
        }
    }
}
