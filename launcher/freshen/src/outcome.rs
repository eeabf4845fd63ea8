//! The outcome of each clone, and the line that reports it.

use shared::escape::shown;
use std::path::PathBuf;
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
    /// git refused; its message.
    Git(String),
}

/// Why a clone's remotes could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchFailure {
    /// The remote did not answer completely before the deadline.
    NoAnswer(Duration),
    /// Other clones took all the time.
    NotReached(Duration),
    /// Another program was fetching it until the deadline.
    Busy,
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
    /// The user interrupted, and need not be told.
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
            Branch::LeftAlone(reason) => Some(format!("{}, left alone", reason.text())),
        };
        let untouched = self.branch == Branch::Same;
        let failure = self.failure.as_ref().and_then(|failure| failure.text(untouched));
        let texts: Vec<String> = branch.into_iter().chain(failure).collect();
        let name = self.clone.file_name().unwrap_or(self.clone.as_os_str());
        (!texts.is_empty()).then(|| format!("{}: {}", shown(name), texts.join("; ")))
    }

    pub(super) fn new(clone: PathBuf) -> Self {
        Self { clone, branch: Branch::Same, failure: None }
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
            Self::Git(words) => format!("git: {}", shown(words)),
        }
    }
}

impl FetchFailure {
    /// Whether it also rules out forwarding to what was fetched before, or from another remote.
    pub(super) fn is_final(&self) -> bool {
        let out_of_time = matches!(
            self,
            Self::NoAnswer(_) | Self::NotReached(_) | Self::Busy | Self::Interrupted
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
            Self::Busy => "another fetch is under way".to_owned(),
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
