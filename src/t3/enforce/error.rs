//! Why a run of the enforcer stops, or an instance is not changed.

use super::state::StateError;
use super::version::{InvalidVersion, Refusal, Version};
use crate::sys::accounts::AccountError;
use crate::sys::fs::FileError;
use crate::sys::process::exec::ExecError;
use crate::sys::process::tool::ToolError;
use crate::t3::backup::BackupError;
use crate::t3::instance::InstanceError;
use crate::t3::served::ServedError;
use crate::t3::user_process::AskError;
use crate::text::io_reason;

/// Why something was not done. Texts of commands and of users' processes are in it, not escaped.
#[derive(Debug, thiserror::Error)]
pub enum EnforceError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Served(#[from] ServedError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Instance(#[from] InstanceError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Version(#[from] InvalidVersion),
    #[error("{doing}: {}", io_reason(source))]
    Io { doing: &'static str, source: std::io::Error },
    /// A command of the site failed.
    #[error("{command} {how}: {message}")]
    Command { command: String, how: String, message: String },
    #[error("both 'version' and 'track' are set: one of them names the version")]
    TwoTargets,
    #[error("no installed version fits the tag '{0}', and no command resolves it")]
    NothingFits(String),
    #[error("version {0} is not installed, and no command installs it")]
    NotLaid(Version),
    #[error("{0} exists without its install-complete mark: remove it, or complete it by hand")]
    Unmarked(String),
    #[error("the installed tree: {path}: {why}")]
    Tree { path: String, why: &'static str },
    #[error("the program says that it is {reported}, not {wanted}")]
    OtherVersion { reported: String, wanted: Version },
    /// A check of a trial or of an instance failed.
    #[error("{step}: {why}")]
    Check { step: &'static str, why: String },
    #[error(
        "{0} ends all sessions of browsers: set 'allow_ended_sessions = true' if that is acceptable"
    )]
    EndsSessions(Version),
    #[error("the account '{0}' must be neither root nor a user with an instance")]
    TrialAccount(String),
}

impl EnforceError {
    /// A check that failed.
    #[expect(clippy::needless_pass_by_value, reason = "callers pass errors as they have them")]
    pub(super) fn check(step: &'static str, why: impl ToString) -> Self {
        Self::Check { step, why: why.to_string() }
    }
}
