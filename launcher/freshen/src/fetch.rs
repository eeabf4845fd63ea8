//! Fetching one clone's remotes, once for all launchers and worktrees.

use super::config::{self, Target};
use super::git::{error_line, git};
use super::layout::GitDirs;
use super::outcome::FetchFailure;
use super::{Job, blocked, refs};
use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use shared::child::{self, Stopped};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How often to check whether another launcher is done: too short to be noticed.
const POLL_LOCK: Duration = Duration::from_millis(10);

/// The right to update a repository, which other launchers wait for; released on drop or exit.
///
/// The lock is on the git directory itself: no file of ours in a clone, and git is not kept from
/// anything. Where a file system has no such locks (some network ones), there is none: git's own
/// then make the later one fail, harmlessly.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    _lock: Option<Arc<OwnedFd>>,
}

impl Turn {
    pub(super) fn wait(dirs: &GitDirs, job: &Job) -> Result<Self, Stopped> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(directory) = rustix::fs::open(&dirs.common, flags, Mode::empty()) else {
            return Ok(Self { _lock: None });
        };
        loop {
            match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { _lock: Some(Arc::new(directory)) }),
                Err(rustix::io::Errno::WOULDBLOCK) => job.until().pause(POLL_LOCK)?,
                Err(_) => return Ok(Self { _lock: None }),
            }
        }
    }
}

/// Fetches all remotes, unless they were fetched recently.
pub(super) fn fetch(clone: &Path, dirs: &GitDirs, job: &Job) -> Option<FetchFailure> {
    if refs::is_fresh(dirs, job.options.fresh_for) {
        return None;
    }
    // The list of directories that git will not look above is divided by colons.
    if clone.as_os_str().as_bytes().contains(&b':') {
        return Some(FetchFailure::PathHasColon);
    }
    match try_fetch(clone, dirs, job) {
        Ok(failure) => failure,
        Err(stopped) => Some(job.stopped(stopped, FetchFailure::NoAnswer)),
    }
}

fn try_fetch(clone: &Path, dirs: &GitDirs, job: &Job) -> Result<Option<FetchFailure>, Stopped> {
    let environment = &job.options.environment;
    let settings = config::read_settings(clone, dirs, job)?;
    if settings.target == Target::Branches {
        return Ok(Some(FetchFailure::OwnBranches));
    }
    let mut command = git(clone, environment);
    settings.switch_hooks_off(&mut command, environment);
    let seconds = job.options.deadline.as_secs();
    if let Some(ssh) = config::ssh_command(&settings, environment, seconds) {
        command.env("GIT_SSH_COMMAND", ssh);
    }
    command.args(["fetch", "--all", "--quiet", "--no-progress", "--jobs=8"]);
    command.args(["--no-recurse-submodules", "--no-show-forced-updates", "--no-prune-tags"]);
    command.arg(if settings.target == Target::Tracking { "--prune" } else { "--no-prune" });
    let output = child::run(command, job.until())?;
    Ok((!output.success).then(|| failure(&String::from_utf8_lossy(&output.stderr))))
}

/// The meaning of messages of git, curl and ssh (`LC_ALL=C`); the first that fits counts.
const MESSAGES: [(&str, FetchFailure); 23] = [
    ("terminal prompts disabled", FetchFailure::Password),
    ("could not read Username", FetchFailure::Password),
    ("could not read Password", FetchFailure::Password),
    ("unable to get password", FetchFailure::Password),
    ("Authentication failed", FetchFailure::Password),
    ("Host key verification failed", FetchFailure::HostKey),
    ("Permission denied (", FetchFailure::Key),
    ("No space left on device", FetchFailure::DiskFull),
    ("Disk quota exceeded", FetchFailure::DiskFull),
    ("dubious ownership", FetchFailure::NotOwn),
    (".lock': File exists", FetchFailure::Busy),
    ("not a git repository", FetchFailure::Damaged),
    ("Could not resolve host", FetchFailure::Unreachable),
    ("Could not connect", FetchFailure::Unreachable),
    ("Couldn't connect", FetchFailure::Unreachable),
    ("Failed to connect", FetchFailure::Unreachable),
    ("unable to connect", FetchFailure::Unreachable),
    ("Connection refused", FetchFailure::Unreachable),
    ("Connection timed out", FetchFailure::Unreachable),
    ("is unreachable", FetchFailure::Unreachable),
    ("No route to host", FetchFailure::Unreachable),
    ("does not appear to be a git repository", FetchFailure::NotFound),
    ("not found", FetchFailure::NotFound),
];

fn failure(message: &str) -> FetchFailure {
    if let Some(lock) = blocked::old_lock(message) {
        return FetchFailure::OldLock(lock);
    }
    let known = MESSAGES.iter().find(|(sign, _)| message.contains(sign));
    known.map_or_else(|| FetchFailure::Git(error_line(message)), |(_, failure)| failure.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_git_are_understood() {
        let http = "fatal: could not read Username for 'http://h': terminal prompts disabled\n";
        assert_eq!(failure(http), FetchFailure::Password);
        let ssh = "git@h: Permission denied (publickey).\nfatal: Could not read from remote\n";
        assert_eq!(failure(ssh), FetchFailure::Key);
        let own = "error: could not fetch x\nsomething else\n";
        assert_eq!(failure(own), FetchFailure::Git("could not fetch x".into()));
        assert_eq!(failure(""), FetchFailure::Git("failed without a message".into()));
    }
}
