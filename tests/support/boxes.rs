//! A host that boots: a box of `tests/boot/bootbox` with a real systemd, in which the Debian package
//! is installed. `run-tests.sh` makes the two boxes that every other one stands on.

use super::lacks::lacks;
use super::run::{Run, run, run_within};
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const BOOTBOX: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/boot/bootbox");
const BOXES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/boxes/boxes");
/// The package under test.
pub(crate) const PACKAGE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/target/deb/terminal-lobby.deb");
/// The terminal users of every box.
pub(crate) const USERS: [&str; 3] = ["alice", "bob", "carol"];

/// What a box stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// Debian with the terminal users and without the package.
    Bare,
    /// The same with the package installed.
    Host,
    /// The host on a disk of its own, which a power loss cuts off.
    Disk,
    /// The host with nginx and Caddy.
    Lobby,
    /// The host on another suite of Debian.
    Suite(&'static str),
}

/// A box of its own; destroyed on drop.
pub(crate) struct BootBox {
    name: String,
}

impl BootBox {
    /// Makes and boots a box for `test`, or says what the machine lacks.
    #[track_caller]
    pub(crate) fn booted(test: &str, on: On) -> Option<Self> {
        let made = Self::made(test, on)?;
        made.boot();
        Some(made)
    }

    /// Makes a box that is off.
    #[track_caller]
    pub(crate) fn made(test: &str, on: On) -> Option<Self> {
        // Set by run-tests.sh to what `bootbox check` says, or to `ready`.
        match std::env::var("TL_BOOT").as_deref() {
            Ok("ready") => {}
            Ok(why) => {
                lacks(test, why);
                return None;
            }
            Err(_) => {
                lacks(test, "a box to boot (make test-boot makes it)");
                return None;
            }
        }
        let name = format!("test-{}", std::process::id());
        let parent = match on {
            On::Bare => "bare".to_owned(),
            On::Host | On::Disk => "host".to_owned(),
            On::Lobby => "lobby".to_owned(),
            On::Suite(suite) => format!("host-{suite}"),
        };
        if !Path::new(BOXES).join(&parent).exists() {
            lacks(test, &format!("the box {parent} (its base system could not be made)"));
            return None;
        }
        let mut command = Command::new(BOOTBOX);
        command.args(["build", &name, "--from", &parent]);
        if on == On::Disk {
            command.args(["--image", "2G"]);
        }
        run(&mut command).ok();
        Some(Self { name })
    }

    /// Starts it and waits until systemd is up; gives what bootbox said of it.
    #[track_caller]
    pub(crate) fn boot(&self) -> String {
        Self::bootbox(["boot", &self.name]).ok().err()
    }

    /// Starts it, where it may go down before it is up: as late as the test has it go down.
    pub(crate) fn try_boot(&self) -> Run {
        run_within(Command::new(BOOTBOX).args(["boot", &self.name]), Duration::from_secs(150))
    }

    /// Shuts it down cleanly.
    #[track_caller]
    pub(crate) fn poweroff(&self) {
        Self::bootbox(["poweroff", &self.name]).ok();
    }

    /// Saves everybody, ends it without another word, and changes its files before the next boot.
    #[track_caller]
    pub(crate) fn crash_after(&self, script: &str) {
        self.sh("systemctl start tmux-persist-save.service");
        self.sh(&format!("{script}\nsync"));
        self.crash();
    }

    /// Shuts it down cleanly and boots it again.
    #[track_caller]
    pub(crate) fn reboot(&self) {
        Self::bootbox(["reboot", &self.name]).ok();
    }

    /// Ends everything in it at once; a box on a disk loses what was not written yet.
    #[track_caller]
    pub(crate) fn crash(&self) {
        Self::bootbox(["crash", &self.name]).ok();
    }

    /// Puts a file, or a directory's content, into it.
    #[track_caller]
    pub(crate) fn copy_in(&self, from: impl AsRef<Path>, to: &str) {
        let from = from.as_ref().to_str().unwrap();
        Self::bootbox(["copy-in", &self.name, from, to]).ok();
    }

    /// Runs a shell script as root; it must succeed. Gives what it printed.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> String {
        self.try_sh("root", script).ok().out()
    }

    /// Runs a shell script in a login session of a user's own; it must succeed.
    #[track_caller]
    pub(crate) fn sh_as(&self, user: &str, script: &str) -> String {
        self.try_sh(user, script).ok().out()
    }

    /// Runs a shell script as a user without a login session: what is there must not depend on
    /// one. It must succeed.
    #[track_caller]
    pub(crate) fn without_login(&self, user: &str, script: &str) -> String {
        let quoted = script.replace('\'', "'\\''");
        self.sh(&format!(
            "setpriv --reuid={user} --regid={user} --init-groups --reset-env sh -euc '{quoted}'"
        ))
    }

    /// Runs a shell script as a user, however it ends.
    #[track_caller]
    pub(crate) fn try_sh(&self, user: &str, script: &str) -> Run {
        Self::bootbox(["exec", &self.name, "--user", user, "--", "sh", "-euc", script])
    }

    /// A property of a unit.
    #[track_caller]
    pub(crate) fn property(&self, unit: &str, property: &str) -> String {
        self.sh(&format!("systemctl show -P {property} {unit}")).trim().to_owned()
    }

    /// What the journal has of this boot from one program.
    #[track_caller]
    pub(crate) fn journal(&self, more: &str) -> String {
        self.sh(&format!("journalctl --sync; journalctl -b --no-pager -o cat {more}"))
    }

    /// What a tmux format gives for every pane of a user.
    #[track_caller]
    pub(crate) fn panes(&self, user: &str, format: &str) -> Vec<String> {
        let script = format!("tmux -u list-panes -a -F '{format}' 2>/dev/null || true");
        self.without_login(user, &script).lines().map(str::to_owned).collect()
    }

    /// The pid of a user's tmux server, as the box counts.
    #[track_caller]
    pub(crate) fn server(&self, user: &str) -> Option<u32> {
        self.panes(user, "#{pid}").first()?.parse().ok()
    }

    fn bootbox<I: IntoIterator<Item: AsRef<OsStr>>>(args: I) -> Run {
        run(Command::new(BOOTBOX).args(args))
    }
}

impl Drop for BootBox {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = Self::bootbox(["log", &self.name]).out();
            let journal = self.try_sh("root", "journalctl -b --no-pager -n 60 -o short-monotonic");
            eprintln!("console:\n{log}\njournal:\n{}", journal.out());
        }
        Self::bootbox(["destroy", &self.name]);
    }
}
