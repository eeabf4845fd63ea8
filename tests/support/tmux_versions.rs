//! Other versions of tmux than the machine's own, as `tmux-versions.sh` unpacks them.

use super::lacks::lacks;
use super::sandbox::{Sandbox, ended, kill_tree};
use super::{Run, run};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The tmux of another Debian suite; without it reports what `test` lacks.
pub(crate) fn tmux_of(test: &str, suite: &str) -> Option<PathBuf> {
    let program = format!("{}/target/tmux/{suite}/bin/tmux", env!("CARGO_MANIFEST_DIR"));
    let program = PathBuf::from(program);
    if program.exists() {
        return Some(program);
    }
    lacks(test, &format!("the tmux of Debian {suite} (make test unpacks it)"));
    None
}

/// The version of the tmux on PATH: (3, 3) of 3.3a. Tests whose expectation changed with a version
/// ask for it.
pub(crate) fn version() -> (u32, u32) {
    let said = run(Command::new("tmux").arg("-V")).ok().out();
    let number = said.trim().rsplit(' ').next().unwrap().trim_start_matches("next-");
    let (major, minor) = number.split_once('.').unwrap();
    let minor: String = minor.chars().take_while(char::is_ascii_digit).collect();
    (major.parse().unwrap(), minor.parse().unwrap())
}

/// A sandbox whose server is of one version while another one is installed, as after an upgrade.
pub(crate) struct Upgraded {
    pub(crate) sandbox: Sandbox,
    server: i32,
}

impl Upgraded {
    /// Starts a server with the program `started`, with these commands, and puts `installed` in
    /// its place.
    pub(crate) fn new(started: &Path, installed: &Path, commands: &[&[&str]]) -> Self {
        let sandbox = Sandbox::new();
        let bin = sandbox.root().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::fs::copy(started, bin.join("tmux")).unwrap();
        let mut upgraded = Self { sandbox, server: 0 };
        for command in commands {
            upgraded.tmux_command(&bin.join("tmux"), command).ok();
        }
        let pid = upgraded.tmux_command(&bin.join("tmux"), &["display-message", "-p", "#{pid}"]);
        upgraded.server = pid.ok().out().trim().parse().unwrap();
        // As a package manager does it: the file of the server is gone, the server is not.
        std::fs::copy(installed, bin.join("tmux.new")).unwrap();
        std::fs::rename(bin.join("tmux.new"), bin.join("tmux")).unwrap();
        upgraded
    }

    /// Ends the server, as a crash does, and waits until it is gone.
    pub(crate) fn crash(&mut self) {
        kill_tree(self.server);
        super::wait_until("the server is gone", || ended(self.server));
        self.server = 0;
    }

    /// Runs persist restore, for which there is no server yet; the installed tmux becomes one.
    #[track_caller]
    pub(crate) fn restore_all(&mut self) -> Run {
        let run = self.persist(["restore", "--json"]);
        let bin = self.sandbox.root().join("bin/tmux");
        let pid = self.tmux_command(&bin, &["display-message", "-p", "#{pid}"]);
        self.server = pid.ok().out().trim().parse().unwrap();
        run
    }

    /// Runs a tmux command with the server's own program.
    #[track_caller]
    pub(crate) fn tmux(&self, args: &[&str]) -> Run {
        self.tmux_command(Path::new(&format!("/proc/{}/exe", self.server)), args)
    }

    #[track_caller]
    fn tmux_command(&self, program: &Path, args: &[&str]) -> Run {
        run(self.sandbox.command(program).args(["-u", "-f", "/dev/null"]).args(args))
    }

    /// Runs persist, for which the installed tmux is the one on PATH.
    #[track_caller]
    pub(crate) fn persist<I: IntoIterator<Item: AsRef<OsStr>>>(&self, args: I) -> Run {
        let bin = self.sandbox.root().join("bin");
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display());
        run(self.sandbox.persist_command(args).env("PATH", path))
    }
}

/// The sandbox ends servers with the machine's tmux, which may not fit this one.
impl Drop for Upgraded {
    fn drop(&mut self) {
        if self.server > 0 {
            kill_tree(self.server);
        }
    }
}
