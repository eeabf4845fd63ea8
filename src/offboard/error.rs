//! The errors of offboarding, and the hints that go with them (pure).

use super::archive::compare::CompareError;
use crate::sys::FileError;
use crate::sys::process::exec::ExecError;
use crate::sys::process::tool::ToolError;
use crate::text::{io_reason, shown};
use std::io;
use std::path::PathBuf;

/// Why a stage did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// It is not allowed, or its facts could not be read. Nothing was changed.
    #[error(transparent)]
    Refused(#[from] OffboardError),
    /// Some of its steps failed. The same command does what is left of them.
    #[error(transparent)]
    Failed(#[from] StepFailures),
}

impl StageError {
    /// A command or an action that helps.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused(error) => error.hint(),
            Self::Failed(failures) => failures.failed.iter().find_map(|step| step.error.hint()),
        }
    }
}

/// The steps that failed, and what the others did.
#[derive(Debug, thiserror::Error)]
#[error("{}", sentence(self))]
pub struct StepFailures {
    /// At least one.
    pub failed: Vec<StepFailure>,
    /// What was done all the same, as lines of the receipt.
    pub done: Vec<String>,
    pub steps_done: usize,
}

/// A step that failed.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {error}")]
pub struct StepFailure {
    /// What it does.
    pub step: &'static str,
    #[source]
    pub error: OffboardError,
}

fn sentence(failures: &StepFailures) -> String {
    let failed = failures.failed.iter().map(|step| format!("failed to {step}"));
    let done = failures.done.iter().map(|line| format!("done: {line}"));
    failed.chain(done).collect::<Vec<_>>().join("; ")
}

/// An error of one step, or of the checks before the first one.
#[derive(Debug, thiserror::Error)]
pub enum OffboardError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error("{doing}: {}", io_reason(source))]
    Io { doing: String, source: io::Error },
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The archive does not hold what the home holds.
    #[error(transparent)]
    Compare(#[from] CompareError),
    #[error("at least {number} processes cannot be ended: {names}")]
    StillRunning { number: usize, names: String },
    #[error("{directory}: more than {limit} at jobs")]
    TooManyJobs { directory: &'static str, limit: usize },
    #[error("{}: not in a directory that jobs or service environments are moved from", shown(.0))]
    UnknownPlace(String),
    #[error("{0}: no free name is left beside the record")]
    NoFreeName(String),
    /// What the caller records about a uid that must not be reused.
    #[error("recording the uid: {0}")]
    RetireUid(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("{0} more")]
    MoreFailures(usize),
    /// Several of one step's parts failed.
    #[error("{}", joined(.0))]
    Several(Vec<Self>),
}

impl OffboardError {
    /// For `map_err`: an I/O error with what was being done.
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// Nothing, or the errors as one.
    pub(super) fn several(mut errors: Vec<Self>) -> Result<(), Self> {
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(Self::Several(errors)),
        }
    }

    /// A command or an action that helps.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Policy(error) => error.hint(),
            Self::Home(error) => error.hint(),
            Self::Archive(error) => error.hint(),
            Self::Several(errors) => errors.iter().find_map(Self::hint),
            _ => None,
        }
    }
}

fn joined(errors: &[OffboardError]) -> String {
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    errors.join("; ")
}

/// A stage that is not allowed now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("'{}' is not a user who can be cut", shown(.0))]
    NotAUser(String),
    #[error("{user} is a system account: uid {uid} is below {uid_min}")]
    SystemAccount { user: String, uid: u32, uid_min: u32 },
    #[error("uid {uid} of {user} belongs to {}, too", others.join(", "))]
    SharedUid { user: String, uid: u32, others: Vec<String> },
    #[error("this command runs in a session of {user}, which the cut would end")]
    OwnSession { user: String },
    #[error("{user} is an admin")]
    Admin { user: String },
    #[error("{user} is the last admin of the applied roster")]
    LastAdmin { user: String },
    #[error("{user} is not cut")]
    NotCut { user: String },
    #[error("{user} is not cut")]
    NothingToUndo { user: String },
    #[error("the cut of {user} is not finished")]
    CutUnfinished { user: String },
    #[error("the cut of {user} is being undone")]
    BeingUndone { user: String },
    #[error("{user} is being removed")]
    BeingRemoved { user: String },
    #[error("processes of {user} are running: {names}")]
    Running { user: String, names: String },
    #[error("the applied roster still has a row of {user}")]
    StillInRoster { user: String },
    #[error("{user} can be removed from {from} on, {days} days after the cut")]
    TooEarly { user: String, from: String, days: u32 },
    #[error("--confirm: expected NAME@DIGEST")]
    NotAConfirmation,
    #[error("--confirm names '{}', not {user}", shown(name))]
    OtherUserConfirmed { name: String, user: String },
    #[error("--confirm: expected at least {0} hexadecimal digits of the digest")]
    TooFewDigits(usize),
}

impl PolicyError {
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Admin { user } => format!("provision offboard cut {user} --admin"),
            Self::SharedUid { others, .. } => {
                let other = others.first().map_or("NAME", String::as_str);
                format!("give one of them another uid first: usermod --uid NUMBER {other}")
            }
            Self::NotCut { user } | Self::CutUnfinished { user } | Self::Running { user, .. } => {
                format!("provision offboard cut {user}")
            }
            Self::BeingUndone { user } => format!("provision offboard uncut {user}"),
            Self::BeingRemoved { user } => {
                format!("provision offboard remove {user} --archive FILE --confirm {user}@DIGEST")
            }
            Self::StillInRoster { user } => {
                format!("remove the row of {user} from the roster, then run 'provision apply'")
            }
            _ => return None,
        })
    }
}

/// An account that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    #[error("{database} has no user {user}")]
    Missing { database: &'static str, user: String },
    #[error("{database}: the line of {user} is invalid")]
    InvalidLine { database: &'static str, user: String },
    #[error("{user} now has uid {uid}, and had {recorded} when the cut began")]
    OtherUid { user: String, uid: u32, recorded: u32 },
    #[error(
        "{user} is still a member of group {group}: remove the name from each line of the group in /etc/group"
    )]
    StillMember { user: String, group: String },
    #[error("usermod succeeded, but the login of {user} is not locked")]
    NotLocked { user: String },
    #[error("userdel succeeded, but the account {user} still exists")]
    NotRemoved { user: String },
}

/// A home that cannot be frozen or put back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HomeError {
    #[error("home {}: not below another directory", shown(.0))]
    NoParent(PathBuf),
    #[error("home {} does not exist", shown(.0))]
    Missing(PathBuf),
    #[error("home {} is not a directory", shown(.0))]
    NotADirectory(PathBuf),
    #[error("home {} belongs to uid {uid}, not to {expected}", shown(path))]
    ForeignOwner { path: PathBuf, uid: u32, expected: u32 },
    #[error("home {} is shared: the home of {other} is {}", shown(home), shown(theirs))]
    Shared { home: PathBuf, other: String, theirs: PathBuf },
    #[error("home {} is a file system of its own, which is not archived", shown(.0))]
    OwnFileSystem(PathBuf),
    #[error("{} is mounted inside the home", shown(.0))]
    Mounted(PathBuf),
    #[error("the path of the home is not UTF-8")]
    NotUtf8,
    #[error("{} must belong to root and be closed to all others", shown(.0))]
    OpenToOthers(PathBuf),
    #[error("{} already exists: an older frozen home", shown(.0))]
    AlreadyFrozen(PathBuf),
    #[error("{}: frozen homes are never kept there", shown(.0))]
    UnknownPlace(PathBuf),
    #[error("{} is not the directory that was frozen", shown(.0))]
    Replaced(PathBuf),
    #[error("home {} already exists; the frozen home stays at {}", shown(home), shown(frozen))]
    Blocked { home: PathBuf, frozen: String },
    #[error("the frozen home {} does not exist", shown(.0))]
    FrozenMissing(String),
    #[error("the home of {user} is not frozen")]
    NotFrozen { user: String },
}

impl HomeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Mounted(path) => Some(format!("umount {}", shown(path))),
            Self::Shared { other, .. } => {
                Some(format!("give {other} another home first: usermod --home DIRECTORY {other}"))
            }
            _ => None,
        }
    }
}

/// A record of a cut that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{file}: {source}")]
    Invalid { file: String, source: serde_json::Error },
    #[error("{file}: version {version}, not {expected}")]
    Version { file: String, version: u32, expected: u32 },
    #[error("{file}: a record of {}", shown(user))]
    OtherUser { file: String, user: String },
    #[error("more than {0} records of cuts")]
    TooMany(usize),
    #[error("{0}: no free name is left to retire the record")]
    NoFreeName(String),
}

/// An archive that cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("{option}: {source}")]
    Unusable { option: &'static str, source: FileError },
    #[error("--to {} is inside the home", shown(.0))]
    InsideHome(PathBuf),
    #[error("--to {}: the path is not UTF-8", shown(.0))]
    NotUtf8(PathBuf),
    #[error("{}: {free} MiB are free, and up to {needed} MiB are needed", shown(to))]
    NoSpace { to: PathBuf, free: u64, needed: u64 },
    #[error("no home of {user} is archived")]
    NotArchived { user: String },
    #[error("--archive {}: not the name of an archive", shown(.0))]
    NotAnArchive(PathBuf),
    #[error("--archive {}: its digest is not the one that --confirm names", shown(.0))]
    OtherDigest(PathBuf),
    #[error("--archive {}: not an archive of this home", shown(.0))]
    OtherHome(PathBuf),
    #[error("the archive does not hold what the frozen home holds: {0}")]
    Differs(#[source] Box<OffboardError>),
}

impl ArchiveError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotArchived { user } => {
                Some(format!("provision offboard archive {user} --to DIRECTORY"))
            }
            _ => None,
        }
    }
}
