//! The report of `doctor`: each check and its result (pure).

use super::problem::Problem;
use super::status::StatusReport;
use serde::{Deserialize, Serialize};

/// The report of `doctor` for one user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoctorReport {
    pub checks: Vec<Check>,
    /// The caller checks it, and may add what root recorded.
    pub standing: StatusReport,
    pub error: Option<Problem>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What was checked, in a word or two.
    pub name: String,
    pub state: CheckState,
    /// What was found, in one sentence.
    pub what: String,
    /// The command that fixes it. Called `mend` in JSON.
    #[serde(rename = "mend")]
    pub fix: Option<String>,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    Ok,
    /// It works, but not as well as it could.
    Warn,
    /// Something does not work.
    #[default]
    Fault,
    /// Not checked, or switched off in the configuration.
    Skipped,
}

impl CheckState {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fault => "fault",
            Self::Skipped => "skipped",
        }
    }
}

impl Check {
    pub fn ok(name: &str, what: impl Into<String>) -> Self {
        Self { name: name.into(), state: CheckState::Ok, what: what.into(), fix: None }
    }

    /// Something that could be better, and the command that fixes it.
    pub fn warn(name: &str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: CheckState::Warn, fix: Some(fix.into()), ..Self::ok(name, what) }
    }

    /// Something that does not work, and the command that fixes it.
    pub fn fault(name: &str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: CheckState::Fault, fix: Some(fix.into()), ..Self::ok(name, what) }
    }

    /// Something that was not checked, and why.
    pub fn skipped(name: &str, why: impl Into<String>) -> Self {
        Self { state: CheckState::Skipped, ..Self::ok(name, why) }
    }
}
