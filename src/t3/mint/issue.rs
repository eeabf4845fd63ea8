//! One credential: who may have it, whether the instance is the user's and of the program's version, and then the
//! program itself.

use super::program::{self, Credential, ProgramError};
use super::protocol::{Answer, Reason};
use crate::sys::accounts;
use crate::sys::fs::FileError;
use crate::sys::locks::{self, Lock};
use crate::t3::instance::{Instance, InstanceError};
use crate::t3::lock::state_dir;
use crate::t3::paths::{self, Paths};
use crate::t3::served::{self, ServedError};
use std::time::{Duration, Instant};

/// The directory of the locks, one for each user, in that of the state.
const LOCKS: &str = "minting";
/// How long an instance may take to say its version.
const ANSWERS: Duration = Duration::from_secs(5);

/// Why there is no credential.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    #[error("not in the table of instances")]
    UnknownUser,
    #[error("{0}")]
    Table(#[from] ServedError),
    #[error(transparent)]
    Account(#[from] accounts::AccountError),
    #[error("another credential is being made: {0}")]
    Busy(FileError),
    #[error(transparent)]
    File(FileError),
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// A newer program would migrate the database below the live server.
    #[error(
        "the instance runs {live}, and the program is {program}: no credential is made by another version"
    )]
    OtherVersion { live: String, program: String },
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("no credential in time")]
    Late,
}

impl IssueError {
    /// What a client does about it.
    pub fn reason(&self) -> Reason {
        match self {
            Self::UnknownUser | Self::Account(_) | Self::Program(ProgramError::Root) => {
                Reason::UnknownUser
            }
            Self::Busy(_) | Self::Program(ProgramError::Held) => Reason::Busy,
            Self::Instance(_) => Reason::NotRunning,
            Self::OtherVersion { .. } => Reason::OtherVersion,
            Self::Table(_) | Self::File(_) | Self::Program(_) | Self::Late => Reason::Failed,
        }
    }
}

/// As the protocol says it.
pub fn answer(made: Result<Credential, IssueError>) -> Answer {
    match made {
        Ok(credential) => Answer::Credential(credential.text().to_owned()),
        Err(error) => Answer::Refused { reason: error.reason(), message: error.to_string() },
    }
}

/// Makes a credential for the instance of a user, within a time; one at a time for each user, whichever process asks.
/// The caller must be root.
///
/// # Errors
/// If the user has no instance, it does not run, its port is another account's, or the program has another version.
pub fn issue(user: &str, within: Duration, paths: &Paths) -> Result<Credential, IssueError> {
    let end = Instant::now() + within;
    let port = *served::ports(paths)?.get(user).ok_or(IssueError::UnknownUser)?;
    let account = accounts::by_name(user)?;
    if account.uid.is_root() {
        return Err(ProgramError::Root.into());
    }
    let _lock = lock(user, left(end)?, paths)?;
    let instance = Instance::on(port, ANSWERS.min(left(end)?));
    instance.check_owner(account.uid)?;
    let live = instance.version()?;
    let program = program::locate(paths, user)?;
    let version = match program.version {
        Some(version) => version,
        None => program::version_as(&account, &program.file, left(end)?)?,
    };
    if version.to_string() != live {
        return Err(IssueError::OtherVersion { live, program: version.to_string() });
    }
    let base = paths::base(&account.home);
    Ok(program::mint_as(&account, &program.file, &base, left(end)?)?)
}

fn lock(user: &str, wait: Duration, paths: &Paths) -> Result<Lock, IssueError> {
    let dir = state_dir(paths).and_then(|dir| dir.ensure_dir(LOCKS)).map_err(IssueError::File)?;
    // The name is in the table, so it is a user's.
    locks::exclusive(&dir, user, wait).map_err(|error| {
        if error.is_timeout() { IssueError::Busy(error) } else { IssueError::File(error) }
    })
}

fn left(end: Instant) -> Result<Duration, IssueError> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(IssueError::Late) } else { Ok(left) }
}
