//! The report of `doctor`: each check and its result (pure).

use super::problem::Problem;
use super::standing::StatusReport;
use serde::{Deserialize, Serialize};

/// What was found with one user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoctorReport {
    /// The checks.
    pub checks: Vec<Check>,
    /// How saving goes; the caller judges it, who may know more.
    pub standing: StatusReport,
    /// Why it failed.
    pub error: Option<Problem>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What was looked at, in a word or two.
    pub name: String,
    /// What came of it.
    pub state: CheckState,
    /// What is the case, in one sentence.
    pub what: String,
    /// The command that mends it.
    pub mend: Option<String>,
}

/// What came of looking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// As it should be.
    Ok,
    /// It works, but less well than it could.
    Warn,
    /// Something does not work.
    #[default]
    Fault,
    /// Not looked at, or off by choice; why is said.
    Skipped,
}

impl CheckState {
    /// The word that is printed.
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
    /// Something that is as it should be.
    pub fn ok(name: &str, what: impl Into<String>) -> Self {
        Self { name: name.into(), state: CheckState::Ok, what: what.into(), mend: None }
    }

    /// Something that could be better, and what mends it.
    pub fn warn(name: &str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { state: CheckState::Warn, mend: Some(mend.into()), ..Self::ok(name, what) }
    }

    /// Something that does not work, and what mends it.
    pub fn fault(name: &str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { state: CheckState::Fault, mend: Some(mend.into()), ..Self::ok(name, what) }
    }

    /// Something that was not looked at, and why.
    pub fn skipped(name: &str, why: impl Into<String>) -> Self {
        Self { state: CheckState::Skipped, ..Self::ok(name, why) }
    }
}
