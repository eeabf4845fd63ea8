//! The login shell that stays in a pane after its agent.
#![allow(clippy::disallowed_methods, reason = "this process becomes the shell")]

use super::mounts::answers;
use super::signals;
use crate::agent::recorded;
use crate::terminal::say::say;
use shared::escape::{io_reason, shown};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// A variable that shows a loop: the process that became a shell, when, in seconds since the epoch, and how
/// often in a row one that this program started did.
const BECAME_SHELL: &str = "START_CLAUDE_BECAME_SHELL";
/// A shell that starts this program within so many seconds does it by itself.
const AT_ONCE: u64 = 2;
/// How often in a row a shell may start this program and get a shell from it, each within [`SOON`] seconds.
const MOST: u64 = 5;
const SOON: u64 = 60;

/// Executes the user's shell, with a leading dash in its name as login(1) does; `/bin/sh` if there is
/// no other. It gets the pane's environment, without the variables that only the agent had.
pub fn become_login_shell() -> ExitCode {
    signals::release();
    let account = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    let shell = account.map(|account| account.shell).filter(|shell| !shell.as_os_str().is_empty());
    let shells = std::env::var_os("SHELL").map(PathBuf::from).into_iter().chain(shell);
    let shells = shells.filter(|shell| answers(shell) && !is_this_program(shell));
    let before = Loop::read().filter(|before| before.is_within(SOON) && before.goes_on());
    let times = before.map_or(0, |before| before.times + 1);
    if times >= MOST {
        become_plain_shell();
    }
    let mark = format!("{} {} {times}", std::process::id(), now());
    for shell in shells.chain([PathBuf::from("/bin/sh")]) {
        let mut name = OsString::from("-");
        name.push(shell.file_name().unwrap_or(OsStr::new("sh")));
        let mut command = Command::new(&shell);
        for name in recorded::OWN {
            command.env_remove(name);
        }
        let error = command.arg0(name).env(BECAME_SHELL, &mark).exec();
        say(&format!("{}: {}", shown(&shell), io_reason(&error)));
    }
    ExitCode::FAILURE
}

/// Executes `/bin/sh` if the shell that this program has just become started it again: the shell, or what it
/// reads at its start, would do so for ever. Returns if there is no such loop.
pub fn break_loop() {
    if Loop::read().is_some_and(|before| before.is_within(AT_ONCE) && before.goes_on()) {
        become_plain_shell();
    }
}

/// Executes a shell that reads no file: one of them may be what starts this program.
fn become_plain_shell() {
    say("the login shell starts start-claude again: /bin/sh instead");
    signals::release();
    let error = Command::new("/bin/sh").env_remove("ENV").env_remove(BECAME_SHELL).exec();
    say(&format!("/bin/sh: {}", io_reason(&error)));
}

/// An earlier process of this program that became a shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Loop {
    pid: i32,
    when: u64,
    times: u64,
}

impl Loop {
    fn read() -> Option<Self> {
        Self::parse(std::env::var(BECAME_SHELL).ok()?.as_str())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split(' ');
        Some(Self {
            pid: fields.next()?.parse().ok()?,
            when: fields.next()?.parse().ok()?,
            times: fields.next()?.parse().ok()?,
        })
    }

    fn is_within(&self, seconds: u64) -> bool {
        now().saturating_sub(self.when) <= seconds
    }

    /// Whether that shell started this process, or became it.
    fn goes_on(&self) -> bool {
        let mut pid = std::process::id().try_into().unwrap_or(0);
        for _ in 0..16 {
            match pid {
                pid if pid == self.pid => return true,
                ..=1 => return false,
                other => pid = parent(other).unwrap_or(0),
            }
        }
        false
    }
}

fn parent(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Whether a shell is this program, by whatever name.
fn is_this_program(shell: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &Path| path.metadata().ok().map(|meta| (meta.dev(), meta.ino()));
    id(shell).is_some_and(|shell| Some(shell) == id(Path::new("/proc/self/exe")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_that_this_process_comes_from_is_found_among_its_ancestors() {
        let parent = nix::unistd::getppid().as_raw();
        let of = |pid| Loop { pid, when: now(), times: 0 };
        assert!(of(i32::try_from(std::process::id()).unwrap()).goes_on());
        assert!(of(parent).goes_on() && of(parent).is_within(2));
        assert!(!of(i32::MAX).goes_on());
        assert!(!Loop { when: now() - 60, ..of(parent) }.is_within(2));
    }

    #[test]
    fn a_mark_that_another_program_wrote_is_no_loop() {
        assert_eq!(Loop::parse("7 8 9"), Some(Loop { pid: 7, when: 8, times: 9 }));
        for text in ["", "7", "7 8", "x 8 9", "7 8 -1"] {
            assert_eq!(Loop::parse(text), None, "{text}");
        }
    }

    #[test]
    fn another_name_of_this_program_is_no_shell() {
        let own = std::env::current_exe().unwrap();
        let dir = tempfile::tempdir().unwrap();
        crate::test_files::link(&own, &dir.path().join("shell"));
        assert!(is_this_program(&own) && is_this_program(&dir.path().join("shell")));
        assert!(!is_this_program(Path::new("/bin/sh")));
        assert!(!is_this_program(Path::new("/nonexistent")));
    }
}
