//! tmux 3.4 and later moves each new pane into a scope of its own (`tmux-spawn-UUID.scope`), where systemd
//! makes such scopes, a moment after the pane's program started. Only that process is moved: a child
//! that it already had would escape the pane's limits. So the launcher waits before it starts one.

use shared::child::Until;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long to wait at most.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// The first pause between two checks; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// The longest pause between two checks.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// The first version of tmux that makes scopes.
const FIRST_VERSION: (u32, u32) = (3, 4);

/// Waits until this process is in its scope, if tmux is about to move it into one.
pub(crate) fn wait() {
    let facts = Facts {
        tmux: variable("TMUX"),
        program: variable("TERM_PROGRAM"),
        version: variable("TERM_PROGRAM_VERSION"),
        parent: nix::unistd::getppid().as_raw(),
        has_bus: has_bus(),
    };
    if facts.is_to_be_moved() && links_systemd(facts.parent) {
        let cgroup = || std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        wait_until(MAX_WAIT, || is_in_scope(&cgroup()));
    }
}

/// What shows whether a pane will be moved.
#[derive(Debug, Clone)]
struct Facts {
    /// `TMUX`: socket, pid of the server, session.
    tmux: String,
    program: String,
    version: String,
    parent: i32,
    /// Whether the user has a service manager that can be asked.
    has_bus: bool,
}

impl Facts {
    /// A pane's first process is a child of the server.
    fn is_to_be_moved(&self) -> bool {
        let server = self.tmux.rsplit(',').nth(1).and_then(|pid| pid.parse().ok());
        self.has_bus
            && server == Some(self.parent)
            && self.program == "tmux"
            && version(&self.version).is_some_and(|version| version >= FIRST_VERSION)
    }
}

/// The version that tmux gives: `3.5a`, `next-3.7`.
fn version(text: &str) -> Option<(u32, u32)> {
    let text = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let (major, rest) = text.split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn is_in_scope(cgroup: &str) -> bool {
    let last = |line: &str| line.trim_end().rsplit('/').next().map(str::to_owned);
    cgroup.lines().filter_map(last).any(|group| group.starts_with("tmux-spawn-"))
}

fn wait_until(most: Duration, done: impl Fn() -> bool) -> bool {
    let until = Until { end: Instant::now() + most, cancel: None };
    let mut pause = FIRST_PAUSE;
    while !done() {
        if until.pause(pause).is_err() {
            return false;
        }
        pause = LONGEST_PAUSE.min(pause * 2);
    }
    true
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// The bus on which tmux asks the user's service manager.
fn has_bus() -> bool {
    let named = std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|bus| !bus.is_empty());
    let run = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let run = run.unwrap_or_else(|| format!("/run/user/{}", nix::unistd::geteuid()).into());
    let managed = Path::new("/run/systemd/system").is_dir() && run.join("systemd").is_dir();
    managed && (named || run.join("bus").exists())
}

/// Whether a process uses systemd's library; one that cannot be read may.
fn links_systemd(pid: i32) -> bool {
    let maps = std::fs::read(format!("/proc/{pid}/maps"));
    let file = |line: &[u8]| {
        let name = line.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        name.starts_with(b"libsystemd") || name.starts_with(b"libelogind")
    };
    maps.map_or(true, |maps| maps.split(|&byte| byte == b'\n').any(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn facts() -> Facts {
        Facts {
            tmux: "/tmp/a,b/x,77,0".to_owned(),
            program: "tmux".to_owned(),
            version: "3.4".to_owned(),
            parent: 77,
            has_bus: true,
        }
    }

    #[test]
    fn only_the_first_process_of_a_pane_that_can_get_a_scope_waits() {
        assert!(facts().is_to_be_moved());
        for version in ["3.5a", "next-3.7", "4.0"] {
            assert!(Facts { version: version.to_owned(), ..facts() }.is_to_be_moved(), "{version}");
        }
        for version in ["3.3a", "2.9", "", "next"] {
            let facts = Facts { version: version.to_owned(), ..facts() };
            assert!(!facts.is_to_be_moved(), "{version}");
        }
        for other in [
            Facts { tmux: String::new(), ..facts() },
            Facts { parent: 78, ..facts() },
            Facts { program: "vscode".to_owned(), ..facts() },
            Facts { has_bus: false, ..facts() },
        ] {
            assert!(!other.is_to_be_moved(), "{other:?}");
        }
    }

    #[test]
    fn a_scope_of_tmux_is_told_from_other_groups() {
        let own = "0::/user.slice/user-1.slice/user@1.service/tmux-spawn-0d0a8f5e.scope\n";
        assert!(is_in_scope(own));
        let hybrid =
            format!("12:memory:/user.slice\n{}", own.replacen("0::", "1:name=systemd:", 1));
        assert!(is_in_scope(&hybrid));
        for other in
            ["", "0::/user.slice/user-1.slice/session-3.scope\n", "0::/tmux-spawn-x/y.service\n"]
        {
            assert!(!is_in_scope(other), "{other}");
        }
    }

    #[test]
    fn the_wait_ends_with_the_move_and_at_the_latest_when_the_time_is_over() {
        let checks = Cell::new(0);
        let moved = || checks.replace(checks.get() + 1) == 3;
        assert!(wait_until(Duration::from_mins(1), moved));
        assert_eq!(checks.get(), 4);
        assert!(!wait_until(Duration::from_millis(5), || false));
        assert!(wait_until(Duration::ZERO, || true), "a pane that was moved before pays nothing");
    }

    #[test]
    fn this_test_uses_no_library_of_systemd() {
        assert!(!links_systemd(i32::try_from(std::process::id()).unwrap()));
        assert!(links_systemd(-1), "a process that cannot be read");
    }
}
