//! A person's set-up with a watch.

use crate::support::set_up::SetUp;
use crate::support::{wait_for, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ops::Deref;
use std::process::{Child, Stdio};

/// A set-up in which a watch runs. Dropping it ends the watch.
pub(super) struct Watching {
    set_up: SetUp,
    watch: Option<Child>,
    /// The process of a watch that is no child.
    in_a_pane: Option<i32>,
}

impl Deref for Watching {
    type Target = SetUp;

    fn deref(&self) -> &SetUp {
        &self.set_up
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.in_a_pane.take().iter().for_each(|pid| kill9(*pid));
        self.end_watch();
    }
}

impl Watching {
    /// A set-up; `table` is what its configuration has in `[watch]`.
    pub(super) fn new(table: &str) -> Self {
        let set_up = SetUp::new();
        set_up.sandbox.configure(&format!("save_on_change = false\n[watch]\n{table}\n"));
        let user = Self { set_up, watch: None, in_a_pane: None };
        user.memory(8_000_000);
        user
    }

    /// What the watch takes for the root of `proc` and `sys`.
    pub(super) fn root(&self) -> std::path::PathBuf {
        self.sandbox.root().join("root")
    }

    /// What the kernel says of memory from now on.
    pub(super) fn memory(&self, available_kib: u64) {
        let meminfo = format!("MemTotal: 16000000 kB\nMemAvailable: {available_kib} kB\n");
        std::fs::create_dir_all(self.root().join("proc")).unwrap();
        std::fs::write(self.root().join("proc/meminfo"), meminfo).unwrap();
    }

    /// The command line of an agent below the launcher.
    pub(super) fn launched(&self) -> String {
        let launcher = std::path::PathBuf::from(env!("CARGO_BIN_EXE_persist"));
        let launcher = launcher.with_file_name("start-claude").to_str().unwrap().to_owned();
        let (state, config) = (self.sandbox.state(), self.sandbox.config());
        let (state, config) = (state.display(), config.display());
        format!("{launcher} --no-freshen --state-dir {state} --config {config}")
    }

    /// Starts the watch.
    pub(super) fn watch(&mut self) {
        self.watch_with("watch");
    }

    /// Starts the watch by this command; waits until it has listed what is there.
    pub(super) fn watch_with(&mut self, words: &str) {
        let log = std::fs::File::create(self.log()).unwrap();
        let mut command = self.set_up.sandbox.persist_command(words.split(' '));
        command.arg("--root").arg(self.root());
        command.arg("-v").envs([("PATH", self.path()), ("SHELL", "/bin/bash".into())]);
        command.env("STUB_PROMPTED", "1").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.watch = Some(command.spawn().unwrap());
        wait_until("the watch lists", || self.said().contains("waiting"));
    }

    /// Starts the watch in the shell of a pane, in the background.
    pub(super) fn watch_in_a_pane(&mut self, pane: &str) {
        let mut command = self.set_up.sandbox.persist_command(["watch"]);
        command.arg("--root").arg(self.root());
        let words = command.get_args().map(|word| word.to_str().unwrap());
        let line: Vec<&str> =
            std::iter::once(command.get_program().to_str().unwrap()).chain(words).collect();
        self.sandbox.wait_for_prompt(pane);
        self.type_line(pane, &format!("{} &", line.join(" ")));
        let pid = wait_for("the process of the watch", || {
            let lock = std::fs::metadata(self.sandbox.user_state().join("watch.lock")).ok()?;
            let inode = format!(":{} ", std::os::unix::fs::MetadataExt::ino(&lock));
            let locks = std::fs::read_to_string("/proc/locks").ok()?;
            let line = locks.lines().find(|line| line.contains(&inode))?;
            line.split_ascii_whitespace().nth(4)?.parse().ok()
        });
        self.in_a_pane = Some(pid);
    }

    fn path(&self) -> String {
        format!("{}:/usr/local/bin:/usr/bin:/bin", self.bin().to_str().unwrap())
    }

    fn log(&self) -> std::path::PathBuf {
        self.sandbox.root().join("watch.log")
    }

    /// What the watch has printed.
    pub(super) fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// Waits until the watch waits for so many agents.
    #[track_caller]
    pub(super) fn wait_for_watched(&self, count: usize) {
        wait_until(&format!("{count} agents are watched"), || {
            self.watched().lines().filter(|line| line.starts_with("agent\t")).count() == count
        });
    }

    fn watched(&self) -> String {
        std::fs::read_to_string(self.sandbox.user_state().join("watched.tsv")).unwrap_or_default()
    }

    /// Waits until all deaths are settled that were noted, but for those of agents that were started again and of
    /// which it is to be seen whether they stay.
    #[track_caller]
    pub(super) fn wait_until_settled(&self) {
        wait_until("all deaths are settled", || {
            let text = std::fs::read_to_string(self.sandbox.user_state().join("deaths.tsv"));
            let is_back =
                |line: &str| line.split('\t').nth(12).is_some_and(|flags| flags.contains('r'));
            text.is_ok_and(|text| text.lines().all(|line| line.starts_with('#') || is_back(line)))
        });
    }

    /// Waits until a death waits to come back, with these flags in its record.
    #[track_caller]
    pub(super) fn wait_for_pending(&self, flags: &str) {
        wait_until("a death waits", || {
            let text = std::fs::read_to_string(self.sandbox.user_state().join("deaths.tsv"));
            let text = text.unwrap_or_default();
            let mut deaths = text.lines().filter(|line| !line.starts_with('#'));
            deaths.any(|line| {
                let fields: Vec<&str> = line.split('\t').collect();
                let has = |set: &&str| flags.chars().all(|flag| set.contains(flag));
                fields.get(12).is_some_and(|set| has(set) && !set.contains('r'))
                    && fields.get(14).is_some_and(|cause| *cause != "-")
            })
        });
    }

    /// Waits until the end of a process was looked into, and it is no longer watched.
    #[track_caller]
    pub(super) fn wait_until_looked_into(&self, agent: i32) {
        wait_until("its end is looked into", || {
            let is_watched = |line: &str| line.starts_with(&format!("agent\t{agent}\t"));
            !self.watched().lines().any(is_watched)
        });
        self.wait_until_settled();
    }

    /// Waits until an agent is watched, and it is another process.
    #[track_caller]
    pub(super) fn wait_for_another_watched(&self, agent: i32) {
        wait_until("another agent is watched", || {
            let watched = self.watched();
            let mut agents = watched.lines().filter(|line| line.starts_with("agent\t"));
            agents.next().is_some_and(|line| !line.starts_with(&format!("agent\t{agent}\t")))
        });
    }

    /// Kind and cause of all events, oldest first.
    pub(super) fn events(&self) -> Vec<String> {
        let json = self.persist("events --json").ok().json();
        let word = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
        let mut events: Vec<_> = json["events"].as_array().unwrap().clone();
        events.sort_by_key(|event| event["number"].as_u64());
        events
            .iter()
            .map(|event| format!("{} {}", word(&event["kind"]), word(&event["cause"])))
            .collect()
    }

    /// The process of the tmux server.
    pub(super) fn server(&self) -> i32 {
        self.tmux(["display-message", "-p", "#{pid}"]).out().trim().parse().unwrap()
    }

    /// A person attaches to a session for a moment.
    pub(super) fn look_at(&self, session: &str) {
        // Attention is recorded by the second, and must be later than the last comeback.
        std::thread::sleep(std::time::Duration::from_millis(1100));
        let mut command = self.command("tmux");
        command.args(["-u", "-C", "attach-session", "-t", session]).stdin(Stdio::null());
        crate::support::run(&mut command);
    }

    pub(super) fn watch_pid(&self) -> i32 {
        i32::try_from(self.watch.as_ref().unwrap().id()).unwrap()
    }

    /// Kills the watch, as anything may.
    pub(super) fn end_watch(&mut self) {
        if let Some(mut watch) = self.watch.take() {
            watch.kill().unwrap();
            watch.wait().unwrap();
        }
    }

    /// Waits for the end of the watch; gives its exit code.
    #[track_caller]
    pub(super) fn wait_for_end(&mut self) -> Option<i32> {
        let watch = self.watch.as_mut().unwrap();
        let status = wait_for("the end of the watch", || watch.try_wait().unwrap());
        self.watch = None;
        status.code()
    }

    /// The process of the last agent that was started.
    pub(super) fn last_agent(&self) -> i32 {
        self.started().last().unwrap().pid
    }

    /// Starts an agent in a shell of a new session; waits until so many are watched. Gives the conversation.
    #[track_caller]
    pub(super) fn agent_in_a_shell(&self, session: &str, watched: usize) -> String {
        let before = self.started().len();
        self.t(&format!("new-session -d -s {session} -x 100 -y 30"));
        self.sandbox.wait_for_prompt(session);
        self.type_line(session, "claude");
        self.wait_for_starts(before + 1);
        let conversation = self.conversation_shown(session);
        self.save();
        if watched > 0 {
            self.wait_for_watched(watched);
        }
        conversation
    }
}

/// Sends a signal to a process.
pub(super) fn signal(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).unwrap();
}

pub(super) fn kill9(pid: i32) {
    signal(pid, Signal::SIGKILL);
}
