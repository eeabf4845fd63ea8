//! One user's world in a temporary directory: HOME, state, tmux sockets. Nothing of the machine's.

use super::run::{Run, run};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A hermetic world: an own HOME, an own state directory, an own place for tmux sockets.
/// Dropping it ends every tmux server that was started in it.
pub(crate) struct Sandbox {
    root: TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("tl-").tempdir_in("/tmp").unwrap();
        for dir in ["home", "state", "tmux", "work"] {
            std::fs::create_dir(root.path().join(dir)).unwrap();
        }
        let sandbox = Self { root };
        // Tests count snapshots: they say themselves when one is taken.
        sandbox.configure("save_on_change = false\n");
        sandbox
    }

    /// Writes the configuration that [`Sandbox::persist`] names where no other one is named.
    pub(crate) fn configure(&self, toml: &str) {
        std::fs::write(self.config(), toml).unwrap();
    }

    /// What [`Sandbox::persist`] names as `--config`.
    pub(crate) fn config(&self) -> PathBuf {
        self.root().join("config.toml")
    }

    /// The whole world; removed at the end.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// What `--state-dir` names.
    pub(crate) fn state(&self) -> PathBuf {
        self.root().join("state")
    }

    /// A directory to work in.
    pub(crate) fn work(&self) -> PathBuf {
        self.root().join("work")
    }

    /// The state directory of the one user.
    pub(crate) fn user_state(&self) -> PathBuf {
        self.state().join(user())
    }

    /// The newest snapshot's bytes, by the documented link.
    pub(crate) fn latest(&self) -> Vec<u8> {
        std::fs::read(self.state().join(format!("{}.tsv", user()))).unwrap()
    }

    /// The newest snapshot as far as a restore can bring it back: tmux gives every pane another id
    /// and every server another identity.
    pub(crate) fn latest_without_ids(&self) -> terminal_lobby::snapshot::Snapshot {
        let mut snapshot = terminal_lobby::snapshot::decode(&self.latest()).unwrap();
        assert!(!std::mem::take(&mut snapshot.server).is_empty());
        for row in &mut snapshot.rows {
            row.pane_id = None;
        }
        snapshot
    }

    /// The ids of all snapshots in the store, oldest first.
    pub(crate) fn snapshots(&self) -> Vec<String> {
        let Ok(dir) = std::fs::read_dir(self.user_state().join("snapshots")) else {
            return Vec::new();
        };
        let mut names: Vec<String> =
            dir.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// `program` with this world's environment and nothing else of the caller's.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.home())
            .env("USER", user())
            .env("LOGNAME", user())
            .env("SHELL", "/bin/sh")
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LC_ALL", "C") // lesson 5: as in a unit that sets no locale
            .env("TMUX_TMPDIR", self.root().join("tmux"))
            .env("XDG_STATE_HOME", self.root().join("xdg-state"))
            .current_dir(self.root());
        command
    }

    /// Runs `persist ARGS --state-dir ... --user-map <none>`.
    #[track_caller]
    pub(crate) fn persist<I: IntoIterator<Item: AsRef<OsStr>>>(&self, args: I) -> Run {
        run(&mut self.persist_command(args))
    }

    /// The command that [`Sandbox::persist`] runs.
    pub(crate) fn persist_command<I: IntoIterator<Item: AsRef<OsStr>>>(&self, args: I) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_persist"));
        let args: Vec<_> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        command.args(&args).arg("--state-dir").arg(self.state());
        if !args.iter().any(|arg| arg == "--config") {
            command.arg("--config").arg(self.config());
        }
        command.arg("--user-map").arg(self.root().join("no-user-map"));
        command
    }

    /// Runs `tmux -u -f /dev/null ARGS` on this world's default socket.
    #[track_caller]
    pub(crate) fn tmux<I: IntoIterator<Item: AsRef<OsStr>>>(&self, args: I) -> Run {
        run(self.command("tmux").args(["-u", "-f", "/dev/null"]).args(args))
    }

    /// One tmux format of every pane of the server, a line each.
    #[track_caller]
    pub(crate) fn panes(&self, format: &str) -> Vec<String> {
        let run = self.tmux(["list-panes", "-a", "-F", format]).ok();
        run.out().lines().map(str::to_owned).collect()
    }

    /// Waits until nothing runs in a pane but its first process, at its prompt again.
    pub(crate) fn wait_for_prompt(&self, pane: &str) {
        let pid: i32 = self
            .tmux(["display-message", "-p", "-t", pane, "#{pane_pid}"])
            .ok()
            .out()
            .trim()
            .parse()
            .unwrap();
        let foreground = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
            fields[2] == fields[5] // its group is the terminal's
        };
        let alone = || children(pid).into_iter().all(ended);
        super::wait_until("the shell is at its prompt", || alone() && foreground());
    }

    /// Kills the tmux server and every process in its panes with SIGKILL, as a crash does, and
    /// waits until all are gone: one that still exits would count as alive.
    pub(crate) fn crash(&self) {
        let mut pids: Vec<i32> = self.server_pid().into_iter().flat_map(tree).collect();
        pids.reverse(); // the server last, from which the others would hear of it
        for pid in &pids {
            kill(*pid);
        }
        super::wait_until("everything is gone", || pids.iter().all(|pid| ended(*pid)));
    }

    /// The pid of this world's tmux server.
    pub(crate) fn server_pid(&self) -> Option<i32> {
        server_at(&self.sockets().join("default"))
    }

    /// The directory of the sockets.
    fn sockets(&self) -> PathBuf {
        self.root().join("tmux").join(format!("tmux-{}", nix::unistd::geteuid()))
    }
}

/// The tmux server that listens at a socket. It is not asked: its hooks may wait for ever.
fn server_at(socket: &Path) -> Option<i32> {
    let connection = std::os::unix::net::UnixStream::connect(socket).ok()?;
    let server = rustix::net::sockopt::socket_peercred(connection).ok()?;
    let pid = server.pid.as_raw_nonzero().get();
    // A test itself may listen there.
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    name.starts_with("tmux").then_some(pid)
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let Ok(sockets) = std::fs::read_dir(self.sockets()) else { return };
        let sockets = sockets.filter_map(Result::ok);
        let servers = sockets.filter_map(|socket| server_at(&socket.path()));
        let killed: Vec<i32> = servers.flat_map(tree).collect();
        for pid in &killed {
            kill(*pid);
        }
        // What still dies would write into the directory while it is being removed. No panic here:
        // a failed test is being unwound already.
        let end = Instant::now() + Duration::from_secs(5);
        while !killed.iter().all(|pid| ended(*pid)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// The name of the account the tests run as.
pub(crate) fn user() -> String {
    nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name
}

/// Kills a process and all its descendants.
pub(crate) fn kill_tree(pid: i32) {
    for child in children(pid) {
        kill_tree(child);
    }
    kill(pid);
}

/// Sends SIGKILL; a process that is gone already is no error. 0 is the caller's own group, 1 the system's first
/// process, and what is below are groups.
pub(crate) fn kill(pid: i32) {
    assert!(pid > 1, "no process of a test has the pid {pid}");
    let pid = nix::unistd::Pid::from_raw(pid);
    let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
}

/// Whether a process runs no more. A killed orphan stays in the process table until its parent asks
/// for its status, which the first process of a container may never do.
pub(crate) fn ended(pid: i32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}

/// A process and all its descendants.
pub(crate) fn tree(pid: i32) -> Vec<i32> {
    std::iter::once(pid).chain(children(pid).into_iter().flat_map(tree)).collect()
}

/// The direct children of a process.
pub(crate) fn children(pid: i32) -> Vec<i32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    tasks
        .filter_map(Result::ok)
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|list| {
            list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<i32>>()
        })
        .collect()
}
