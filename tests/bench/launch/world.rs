//! A user's home with a stub of the agent, a tmux server, and the release programs, with `persist`
//! beside the launcher and without.

use nix::unistd::User;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The conversation of all runs.
pub(crate) const ID: &str = "01234567-89ab-4cde-8f01-23456789abcd";

/// `tell` prints how it was called.
const CONFIG: &str = "\
freshen_deadline_seconds = 2
fresh_for_seconds = 0
[agents.tell]
command = ['echo']
new = ['{id}']
name = ['{name}']
";

/// An agent that says that it runs, and stays until its input ends.
const STAYS: &[u8] = b"#!/bin/sh\necho running\nread -r line\n";

pub(crate) struct World {
    root: TempDir,
    /// Root does not freshen clones: then everything here is done by another account.
    user: User,
    /// `TMUX` and `TMUX_PANE` of the server's only pane.
    pane: [String; 2],
}

impl World {
    pub(crate) fn new() -> Self {
        let user = nix::unistd::geteuid();
        let user = if user.is_root() { User::from_name("nobody") } else { User::from_uid(user) };
        let root = tempfile::Builder::new().prefix("tl-").tempdir_in("/tmp").unwrap();
        allow(root.path());
        let mut world = Self { root, user: user.unwrap().unwrap(), pane: Default::default() };
        world.install();
        let ends = std::fs::read("/bin/true").unwrap();
        for (home, agent) in [(world.home(), &ends[..]), (world.home_of_stayer(), STAYS)] {
            world.furnish(&home, agent);
        }
        world.start_tmux();
        world
    }

    /// A home with everything in it that the launcher reads.
    fn furnish(&self, home: &Path, agent: &[u8]) {
        std::fs::create_dir(home).unwrap();
        chown(home, Some(self.user.uid.as_raw()), Some(self.user.gid.as_raw())).unwrap();
        for directory in [".local/bin", ".config/terminal-lobby", "code", "tmux"] {
            self.finish(self.command("mkdir").arg("-p").arg(home.join(directory)));
        }
        let claude = home.join(".local/bin/claude");
        std::fs::write(&claude, agent).unwrap();
        allow(&claude);
        std::fs::write(home.join(".config/terminal-lobby/launcher.toml"), CONFIG).unwrap();
        std::fs::write(home.join(".claude.json"), shared_file()).unwrap();
    }

    fn install(&self) {
        let persist = Path::new(env!("CARGO_BIN_EXE_persist"));
        let launcher = persist.with_file_name("start-claude");
        assert!(launcher.exists(), "first: cargo build --release --workspace");
        for (directory, programs) in [("alone", &[&*launcher][..]), ("both", &[&launcher, persist])]
        {
            let directory = self.root.path().join(directory);
            std::fs::create_dir(&directory).unwrap();
            allow(&directory);
            for program in programs {
                let copy = directory.join(program.file_name().unwrap());
                std::fs::copy(program, &copy).unwrap();
                allow(&copy);
            }
        }
    }

    fn start_tmux(&mut self) {
        let server = ["-u", "-f", "/dev/null", "new-session", "-d", "-s", "bench", "--"];
        self.finish(self.command("tmux").args(server).args(["sleep", "100000"]));
        let format = "#{socket_path},#{pid},0 #{pane_id}";
        let output = self.finish(self.command("tmux").args(["display-message", "-p", format]));
        let text = String::from_utf8(output.stdout).unwrap();
        let (server, pane) = text.trim().split_once(' ').unwrap();
        self.pane = [server.to_owned(), pane.to_owned()];
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// Another home, whose agent stays until its input ends.
    pub(crate) fn home_of_stayer(&self) -> PathBuf {
        self.root.path().join("stayer")
    }

    /// The stub of the agent: it ends at once.
    pub(crate) fn agent(&self) -> PathBuf {
        self.home().join(".local/bin/claude")
    }

    /// The launcher, without `persist` beside it.
    pub(crate) fn alone(&self) -> PathBuf {
        self.root.path().join("alone/start-claude")
    }

    /// The launcher, with `persist` beside it.
    pub(crate) fn beside_persist(&self) -> PathBuf {
        self.root.path().join("both/start-claude")
    }

    pub(crate) fn persist(&self) -> PathBuf {
        self.root.path().join("both/persist")
    }

    /// A program in this world, run by its user.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null()).current_dir(self.home());
        command.env("HOME", self.home()).env("USER", &self.user.name);
        command.env("XDG_STATE_HOME", self.home().join("state"));
        command.env("SHELL", "/bin/sh").env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.env("LC_ALL", "C").env("TMUX_TMPDIR", self.home().join("tmux"));
        if nix::unistd::geteuid().is_root() {
            command.uid(self.user.uid.as_raw()).gid(self.user.gid.as_raw());
        }
        command
    }

    /// The same in the tmux server's pane.
    pub(crate) fn in_pane(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.command(program);
        command.env("TMUX", &self.pane[0]).env("TMUX_PANE", &self.pane[1]);
        command
    }

    /// Runs a command to its end.
    #[track_caller]
    #[allow(clippy::unused_self, reason = "reads as the others")]
    pub(crate) fn finish(&self, command: &mut Command) -> Output {
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {}: {said}", output.status);
        output
    }

    /// Starts a command that leads to the agent which stays; how long until that runs, and what was printed on
    /// standard error in all. An agent that ends within a second would cost a shell.
    #[allow(clippy::unused_self, reason = "reads as the others")]
    pub(crate) fn until_agent_runs(
        &self,
        command: &mut Command,
        home: &Path,
    ) -> (Duration, String) {
        command
            .env("HOME", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let begin = Instant::now();
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let took = begin.elapsed();
        assert_eq!(line, "running\n", "{command:?}");
        drop(child.stdin.take());
        let output = child.wait_with_output().unwrap();
        (took, String::from_utf8(output.stderr).unwrap())
    }

    /// Lets the agent of the first home stay, too.
    pub(crate) fn let_agent_stay(&self) {
        std::fs::write(self.agent(), STAYS).unwrap();
    }

    /// The machine in one line.
    pub(crate) fn machine(&self) -> String {
        let ask = |program: &str, argument: &str| {
            let output = self.finish(self.command(program).arg(argument));
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        };
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let (kernel, tmux) = (ask("uname", "-r"), ask("tmux", "-V"));
        format!("{cores} cores, Linux {kernel}, {tmux}, {}", ask("git", "--version"))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.command("tmux").arg("kill-server").output();
    }
}

/// Lets every account read and enter.
fn allow(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The agent's own file as it is after some months: 150 projects, 240 KB.
fn shared_file() -> String {
    let project = |n| {
        let history = "{\"display\":\"a prompt of some length, as people write them\"},".repeat(20);
        format!(
            "\"/home/ann/code/project{n}\":{{\"allowedTools\":[],\"mcpServers\":{{}},\
            \"hasTrustDialogAccepted\":true,\"lastCost\":1.25,\"history\":[{}]}}",
            history.trim_end_matches(',')
        )
    };
    let projects: Vec<String> = (0..150).map(project).collect();
    format!("{{\"hasCompletedOnboarding\":true,\"projects\":{{{}}}}}", projects.join(","))
}
