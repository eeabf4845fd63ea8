//! The outcome of each clone, and the line that reports it.

use shared::escape::shown;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The outcome of one clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub clone: PathBuf,
    /// What happened to the branch that is checked out.
    pub branch: Branch,
    /// Why its remotes could not be fetched, if so.
    pub failure: Option<FetchFailure>,
}

/// What happened to the branch that is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Branch {
    /// Nothing: it has all of its upstream, or no upstream.
    Same,
    /// It was fast-forwarded by so many commits.
    Forwarded(u64),
    /// git was still forwarding it at the deadline and continues: a killed update leaves half a tree.
    Unfinished,
    /// It was not changed, although it may be behind its upstream.
    LeftAlone(Reason),
}

/// Why a branch was left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Tracked files are changed, or changes are staged.
    LocalChanges,
    /// Untracked or ignored files lie where the update has files.
    InTheWay,
    /// Both sides have commits of their own.
    Diverged {
        branch: String,
        /// Commits that only the branch has.
        ahead: u64,
        /// Commits that only its upstream has.
        behind: u64,
    },
    /// `HEAD` names a commit, no branch.
    NoBranch,
    /// A merge, rebase, bisect or the like waits to be continued.
    UnderWay(&'static str),
    /// The upstream that is configured does not exist.
    NoSuchUpstream {
        /// Its short name, such as `origin/feature`.
        upstream: String,
    },
    /// The branch has no commit, and its upstream has.
    NoCommit {
        /// Its name.
        branch: String,
    },
    /// Less space is left than an update may take.
    DiskFull,
    /// Another git process holds a lock in it.
    Busy,
    /// A lock is in the way that is probably one of a git that died.
    OldLock(Lock),
    /// git could not write this file or directory; the account that it belongs to, if it is another one.
    NotWritable(PathBuf, Option<u32>),
    /// An update was broken off and cannot be undone: the step that failed, and why; `None` if files were
    /// changed since.
    HalfDone(Option<(PathBuf, String)>),
    /// git refused; its message.
    Git(String),
}

/// A lock file, and how long ago it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    pub file: PathBuf,
    pub age: Duration,
}

impl Lock {
    fn text(&self) -> String {
        let seconds = self.age.as_secs();
        let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
        let filled = units.into_iter().find(|(length, _)| seconds >= *length);
        let (length, unit) = filled.unwrap_or((1, "second"));
        let count = seconds / length;
        let plural = if count == 1 { "" } else { "s" };
        let name = self.file.file_name().unwrap_or(self.file.as_os_str());
        format!("{} is {count} {unit}{plural} old", shown(name))
    }

    fn hint(&self) -> String {
        format!("; hint: if no git runs there, rm -f {}", quoted(&self.file))
    }
}

/// A path as one word of a shell's command line.
fn quoted(path: &Path) -> String {
    let text = shown(path).to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@%,:=~".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Why a clone's remotes could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchFailure {
    /// The remote did not answer completely before the deadline.
    NoAnswer(Duration),
    /// Other clones took all the time.
    NotReached(Duration),
    /// Its directory does not answer, as on a mount whose server is gone.
    DeadDirectory,
    /// Another program was fetching it until the deadline.
    Busy,
    /// A lock is in the way that is probably one of a git that died.
    OldLock(Lock),
    /// The remote requires a password.
    Password,
    /// The remote accepts none of the ssh keys.
    Key,
    /// ssh does not know the host, or knows it by another key.
    HostKey,
    /// The remote is unreachable, or refuses connections.
    Unreachable,
    /// The remote answers, but has no such repository.
    NotFound,
    /// The clone belongs to another account, and git refuses those.
    NotOwn,
    /// No space for what the remote has.
    DiskFull,
    /// Its refspecs write into the clone's own branches.
    OwnBranches,
    /// git cannot be restricted to it.
    PathHasColon,
    /// No repository that git can read.
    Damaged,
    /// The user interrupted, and needs no message.
    Interrupted,
    /// The message of git or the system.
    Git(String),
}

impl Outcome {
    /// The line for the terminal; `None` if nothing happened. Names are escaped.
    pub fn line(&self) -> Option<String> {
        let branch = match &self.branch {
            Branch::Same => None,
            Branch::Forwarded(1) => Some("1 commit".to_owned()),
            Branch::Forwarded(commits) => Some(format!("{commits} commits")),
            Branch::Unfinished => Some("still being updated".to_owned()),
            Branch::LeftAlone(Reason::OldLock(lock)) => {
                Some(format!("{}, left alone{}", lock.text(), lock.hint()))
            }
            Branch::LeftAlone(reason) => Some(format!("{}, left alone", reason.text())),
        };
        let untouched = self.branch == Branch::Same;
        let failure = self.failure.as_ref().and_then(|failure| failure.text(untouched));
        let texts: Vec<String> = branch.into_iter().chain(failure).collect();
        let name = self.clone.file_name().unwrap_or(self.clone.as_os_str());
        (!texts.is_empty()).then(|| format!("{}: {}", shown(name), texts.join("; ")))
    }

    /// The outcome of a clone whose directory does not answer.
    pub(super) fn dead(clone: PathBuf) -> Self {
        Self { clone, branch: Branch::Same, failure: Some(FetchFailure::DeadDirectory) }
    }
}

impl Reason {
    fn text(&self) -> String {
        match self {
            Self::LocalChanges => "local changes".to_owned(),
            Self::InTheWay => "untracked files are in the way".to_owned(),
            Self::Diverged { branch, ahead, behind } => {
                format!("branch {} has diverged ({ahead} ahead, {behind} behind)", shown(branch))
            }
            Self::NoBranch => "on no branch".to_owned(),
            Self::UnderWay(what) => format!("{what} under way"),
            Self::NoSuchUpstream { upstream } => {
                format!("upstream {} does not exist", shown(upstream))
            }
            Self::NoCommit { branch } => format!("branch {} has no commit yet", shown(branch)),
            Self::DiskFull => "disk is nearly full".to_owned(),
            Self::Busy => "another git is at work in it".to_owned(),
            Self::OldLock(lock) => lock.text(),
            Self::NotWritable(path, owner) => {
                let owner =
                    owner.map_or_else(String::new, |uid| format!(" (it belongs to uid {uid})"));
                format!("git cannot write {}{owner}", shown(path))
            }
            Self::HalfDone(None) => {
                "an update was broken off half-way, and files were changed since".to_owned()
            }
            Self::HalfDone(Some((path, error))) => {
                format!("an update was broken off and cannot be undone: {}: {error}", shown(path))
            }
            Self::Git(words) => format!("git: {}", shown(words)),
        }
    }
}

impl FetchFailure {
    /// Whether it also rules out forwarding to what was fetched before, or from another remote.
    pub(super) fn is_final(&self) -> bool {
        let out_of_time = matches!(
            self,
            Self::NoAnswer(_)
                | Self::NotReached(_)
                | Self::DeadDirectory
                | Self::Busy
                | Self::Interrupted
        );
        let not_for_us =
            matches!(self, Self::NotOwn | Self::OwnBranches | Self::PathHasColon | Self::Damaged);
        out_of_time || not_for_us
    }

    fn text(&self, untouched: bool) -> Option<String> {
        let text = match self {
            Self::Interrupted => return None,
            Self::NoAnswer(deadline) => {
                format!("remote did not answer in {} s", deadline.as_secs_f32())
            }
            Self::NotReached(deadline) => {
                format!("no time left for it in {} s", deadline.as_secs_f32())
            }
            Self::DeadDirectory => "its directory does not answer".to_owned(),
            Self::Busy => "another fetch is under way".to_owned(),
            Self::OldLock(lock) => lock.text() + &lock.hint(),
            Self::Password if untouched => "asks for a password, left alone".to_owned(),
            Self::Password => "a remote asks for a password".to_owned(),
            Self::Key => "remote takes none of the ssh keys".to_owned(),
            Self::HostKey => "ssh does not trust the remote's host key".to_owned(),
            Self::Unreachable => "remote cannot be reached".to_owned(),
            Self::NotFound => "remote has no such repository".to_owned(),
            Self::NotOwn => "belongs to another account, left alone".to_owned(),
            Self::DiskFull => "disk is full".to_owned(),
            Self::OwnBranches => "fetches into its own branches, left alone".to_owned(),
            Self::PathHasColon => "a colon in its path, left alone".to_owned(),
            Self::Damaged => "git cannot read it".to_owned(),
            Self::Git(words) => format!("git: {}", shown(words)),
        };
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, branch: Branch, failure: Option<FetchFailure>) -> Option<String> {
        Outcome { clone: PathBuf::from("/c").join(name), branch, failure }.line()
    }

    #[test]
    fn one_line_reports_an_outcome_and_none_that_nothing_happened() {
        let seconds = Duration::from_secs(10);
        assert_eq!(line("a", Branch::Same, None), None);
        assert_eq!(line("a", Branch::Same, Some(FetchFailure::Interrupted)), None);
        assert_eq!(line("a", Branch::Forwarded(3), None).unwrap(), "a: 3 commits");
        assert_eq!(
            line("a", Branch::Forwarded(1), Some(FetchFailure::NoAnswer(seconds))).unwrap(),
            "a: 1 commit; remote did not answer in 10 s"
        );
        assert_eq!(
            line("a", Branch::LeftAlone(Reason::UnderWay("bisect")), None).unwrap(),
            "a: bisect under way, left alone"
        );
    }

    #[test]
    fn what_others_named_cannot_steer_the_terminal() {
        let line = line("x\u{202e}y\u{9b}\x1b[2J\n", Branch::Forwarded(1), None).unwrap();
        assert_eq!(line, r"x\xe2\x80\xaey\xc2\x9b\x1b[2J\n: 1 commit");
    }
}
