//! Fetching one clone's remotes, once for all launchers and worktrees.

use super::config::{self, Target};
use super::git::{error_line, git};
use super::layout::GitDirs;
use super::outcome::Trouble;
use super::{Job, refs};
use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use shared::child::{self, Stopped};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// How often to look whether another launcher is done: below what a person notices.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The right to work in a repository, against other launchers; given up on drop or death.
///
/// The lock is on the git directory itself: no file of ours in a clone, and git is not kept from
/// anything. Where a file system has no such locks (some network ones), there is none: git's own
/// then make the later one fail, harmlessly.
#[derive(Debug)]
pub(super) struct Turn {
    _lock: Option<OwnedFd>,
}

impl Turn {
    /// Waits for it.
    pub(super) fn wait(dirs: &GitDirs, job: &Job<'_>) -> Result<Self, Stopped> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(directory) = rustix::fs::open(&dirs.common, flags, Mode::empty()) else {
            return Ok(Self { _lock: None });
        };
        loop {
            match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { _lock: Some(directory) }),
                Err(rustix::io::Errno::WOULDBLOCK) => job.until.pause(LOOK_AGAIN)?,
                Err(_) => return Ok(Self { _lock: None }),
            }
        }
    }
}

/// Fetches all remotes, unless that was done a moment ago.
pub(super) fn fetch(clone: &Path, dirs: &GitDirs, job: &Job<'_>) -> Option<Trouble> {
    if refs::is_fresh(dirs, job.options.fresh_for) {
        return None;
    }
    // The list of directories that git will not look above is divided by colons.
    if clone.as_os_str().as_bytes().contains(&b':') {
        return Some(Trouble::PathHasColon);
    }
    match try_fetch(clone, dirs, job) {
        Ok(trouble) => trouble,
        Err(stopped) => Some(job.stopped(stopped, Trouble::NoAnswer)),
    }
}

fn try_fetch(clone: &Path, dirs: &GitDirs, job: &Job<'_>) -> Result<Option<Trouble>, Stopped> {
    let environment = &job.options.environment;
    let special = config::look(clone, dirs, &job.shared, environment, job.until)?;
    if special.target == Target::Branches {
        return Ok(Some(Trouble::OwnBranches));
    }
    let mut command = git(clone, environment);
    let seconds = job.options.deadline.as_secs();
    if let Some(ssh) = config::ssh_command(&special, environment, seconds) {
        command.env("GIT_SSH_COMMAND", ssh);
    }
    command.args(["fetch", "--all", "--quiet", "--no-progress", "--jobs=8"]);
    command.args(["--no-recurse-submodules", "--no-show-forced-updates", "--no-prune-tags"]);
    command.arg(if special.target == Target::Tracking { "--prune" } else { "--no-prune" });
    let output = child::run(command, job.until)?;
    Ok((!output.success).then(|| trouble(&String::from_utf8_lossy(&output.stderr))))
}

/// What the words of git, curl and ssh mean (`LC_ALL=C`); the first that fits.
const WORDS: [(&str, Trouble); 23] = [
    ("terminal prompts disabled", Trouble::Password),
    ("could not read Username", Trouble::Password),
    ("could not read Password", Trouble::Password),
    ("unable to get password", Trouble::Password),
    ("Authentication failed", Trouble::Password),
    ("Host key verification failed", Trouble::HostKey),
    ("Permission denied (", Trouble::Key),
    ("No space left on device", Trouble::DiskFull),
    ("Disk quota exceeded", Trouble::DiskFull),
    ("dubious ownership", Trouble::NotOwn),
    (".lock': File exists", Trouble::Busy),
    ("not a git repository", Trouble::Damaged),
    ("Could not resolve host", Trouble::Unreachable),
    ("Could not connect", Trouble::Unreachable),
    ("Couldn't connect", Trouble::Unreachable),
    ("Failed to connect", Trouble::Unreachable),
    ("unable to connect", Trouble::Unreachable),
    ("Connection refused", Trouble::Unreachable),
    ("Connection timed out", Trouble::Unreachable),
    ("is unreachable", Trouble::Unreachable),
    ("No route to host", Trouble::Unreachable),
    ("does not appear to be a git repository", Trouble::NotFound),
    ("not found", Trouble::NotFound),
];

fn trouble(words: &str) -> Trouble {
    let known = WORDS.iter().find(|(sign, _)| words.contains(sign));
    known.map_or_else(|| Trouble::Git(error_line(words)), |(_, trouble)| trouble.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_git_are_understood() {
        let http = "fatal: could not read Username for 'http://h': terminal prompts disabled\n";
        assert_eq!(trouble(http), Trouble::Password);
        let ssh = "git@h: Permission denied (publickey).\nfatal: Could not read from remote\n";
        assert_eq!(trouble(ssh), Trouble::Key);
        let own = "error: could not fetch x\nsomething else\n";
        assert_eq!(trouble(own), Trouble::Git("could not fetch x".into()));
        assert_eq!(trouble(""), Trouble::Git("failed without a word".into()));
    }
}
