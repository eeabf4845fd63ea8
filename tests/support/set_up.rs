//! A person's set-up: a home with stubs of the agents first on the login shell's PATH, the user's own
//! tmux configuration, bash.

use super::{Run, Sandbox, run, wait_for, wait_until};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use terminal_lobby::snapshot::{Row, Snapshot};

/// A sandbox with agents, whose tmux reads `~/.tmux.conf`.
pub(crate) struct SetUp {
    pub(crate) sandbox: Sandbox,
    /// Of every process, beside the sandbox's own.
    environment: BTreeMap<String, String>,
}

/// One start of a stub, as it noted it.
#[derive(Debug, Deserialize)]
pub(crate) struct Started {
    pub(crate) pid: i32,
    pub(crate) cwd: String,
    pub(crate) argv: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
}

/// A conversation that a stub was on, as it noted it.
#[derive(Debug, Deserialize)]
pub(crate) struct OnConversation {
    pub(crate) pid: i32,
    pub(crate) conversation: String,
    /// Whether it had a transcript.
    pub(crate) prompted: bool,
}

impl Started {
    /// Its arguments as one line, without the program.
    pub(crate) fn arguments(&self) -> String {
        self.argv[1..].join(" ")
    }
}

impl SetUp {
    /// Agents are prompted once as they start.
    pub(crate) fn new() -> Self {
        let sandbox = Sandbox::new();
        let bin = sandbox.root().join("bin");
        std::fs::create_dir(&bin).unwrap();
        for name in ["claude", "codex"] {
            install_stub(&bin.join(name));
        }
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", bin.to_str().unwrap());
        let profile = format!("export PATH={path} STUB_PROMPTED=1\n");
        std::fs::write(sandbox.home().join(".bash_profile"), profile).unwrap();
        let environment = [("PATH", &*path), ("SHELL", "/bin/bash"), ("STUB_PROMPTED", "1")];
        let environment = environment.map(|(name, value)| (name.into(), value.into())).into();
        Self { sandbox, environment }
    }

    /// Puts stubs of further agents beside those of Claude Code and Codex. pi is a node that calls itself `pi`
    /// and hides its arguments.
    pub(crate) fn install(&self, names: &[&str]) {
        for name in names {
            let file = self.bin().join(name);
            if *name != "pi" {
                install_stub(&file);
                continue;
            }
            let node = self.sandbox.root().join("node");
            install_stub(&node);
            let node = node.to_str().unwrap();
            let script = format!("#!/bin/bash\nSTUB_ARGUMENTS=\"$*\" exec -a pi {node}\n");
            std::fs::write(&file, script).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    /// Sets a variable for everything that is run from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.into(), value.into());
    }

    /// Where the stubs are.
    pub(crate) fn bin(&self) -> PathBuf {
        self.sandbox.root().join("bin")
    }

    /// Writes `~/.tmux.conf`.
    pub(crate) fn tmux_conf(&self, text: &str) {
        std::fs::write(self.sandbox.home().join(".tmux.conf"), text).unwrap();
    }

    /// A new directory below the working directory.
    pub(crate) fn directory(&self, name: &str) -> String {
        let directory = self.sandbox.work().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        directory.to_str().unwrap().to_owned()
    }

    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.sandbox.command(program);
        command.envs(&self.environment).current_dir(self.sandbox.work());
        command
    }

    /// Runs `tmux -u WORDS`, the words separated by single spaces.
    #[track_caller]
    pub(crate) fn t(&self, words: &str) -> Run {
        self.tmux(words.split(' '))
    }

    /// Runs `tmux -u ARGS`, which reads the user's configuration.
    #[track_caller]
    pub(crate) fn tmux<I: IntoIterator<Item: AsRef<OsStr>>>(&self, args: I) -> Run {
        run(self.command("tmux").arg("-u").args(args)).ok()
    }

    /// Types a line into a pane; what a configuration's commands show over the pane is left first.
    pub(crate) fn type_line(&self, pane: &str, line: &str) {
        let shell_line = line.strip_suffix(';').map(|line| format!("{line}\\;"));
        let line = shell_line.as_deref().unwrap_or(line);
        let keys = ["send-keys", "-t", pane, "-l", line, ";", "send-keys", "-t", pane, "Enter"];
        self.tmux(["copy-mode", "-q", "-t", pane, ";"].iter().chain(&keys));
    }

    /// Runs `persist COMMAND...` for this user.
    #[track_caller]
    pub(crate) fn persist(&self, words: &str) -> Run {
        run(&mut self.persist_command(words))
    }

    /// The command that [`SetUp::persist`] runs.
    pub(crate) fn persist_command(&self, words: &str) -> Command {
        let mut command = self.sandbox.persist_command(words.split(' '));
        command.envs(&self.environment).current_dir(self.sandbox.work());
        command
    }

    #[track_caller]
    pub(crate) fn save(&self) -> Snapshot {
        self.persist("save").ok();
        self.snapshot()
    }

    /// Kills the server and all in it, as a crash does.
    pub(crate) fn crash(&self) {
        self.sandbox.crash();
    }

    #[track_caller]
    pub(crate) fn restore(&self) -> Run {
        self.persist("restore").ok()
    }

    /// The newest snapshot.
    pub(crate) fn snapshot(&self) -> Snapshot {
        terminal_lobby::snapshot::decode(&self.sandbox.latest()).unwrap()
    }

    /// The row of a pane, by `session:window.pane`.
    #[track_caller]
    pub(crate) fn row(&self, place: &str) -> Row {
        let rows = self.snapshot().rows;
        let labels: Vec<String> = rows.iter().map(Row::label).collect();
        let row = rows.into_iter().find(|row| row.label() == place);
        row.unwrap_or_else(|| panic!("no row {place} among {labels:?}"))
    }

    /// The conversation of a pane in the newest snapshot.
    #[track_caller]
    pub(crate) fn conversation(&self, place: &str) -> Option<String> {
        self.row(place).conversation.map(|id| String::from_utf8(id).unwrap())
    }

    /// All starts of agents, oldest first.
    pub(crate) fn started(&self) -> Vec<Started> {
        self.noted()
    }

    /// All conversations that agents were on, oldest first; one again after each line they took.
    pub(crate) fn conversations(&self) -> Vec<OnConversation> {
        self.noted()
    }

    fn noted<T: serde::de::DeserializeOwned>(&self) -> Vec<T> {
        let log = std::fs::read_to_string(self.sandbox.home().join("agent.log"));
        let log = log.unwrap_or_default();
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits until agents were started `count` times in all; gives them.
    #[track_caller]
    pub(crate) fn wait_for_starts(&self, count: usize) -> Vec<Started> {
        wait_for(&format!("start {count} of an agent"), || {
            Some(self.started()).filter(|started| started.len() >= count)
        })
    }

    /// Waits until a pane shows a text; gives all that it shows.
    #[track_caller]
    pub(crate) fn wait_for_text(&self, pane: &str, text: &str) -> String {
        wait_for(&format!("{text} in {pane}"), || {
            let shown = self.t(&format!("capture-pane -p -J -t {pane}")).out();
            shown.contains(text).then_some(shown)
        })
    }

    /// Starts an agent in a new pane, the words of a tmux command that makes one and then the command
    /// line; waits until it runs, and gives its conversation.
    #[track_caller]
    pub(crate) fn agent_in(&self, new_pane: &str, command: &str) -> String {
        let before = self.started().len();
        let words = new_pane.split(' ').chain(["-P", "-F", "#{pane_id}", command]);
        let pane = self.tmux(words).out().trim().to_owned();
        self.wait_for_starts(before + 1);
        self.conversation_shown(&pane)
    }

    /// The conversation that a stub says it is on.
    #[track_caller]
    pub(crate) fn conversation_shown(&self, pane: &str) -> String {
        let shown = self.wait_for_text(pane, "AGENT ");
        let line = shown.lines().rfind(|line| line.starts_with("AGENT ")).unwrap();
        line.split(' ').nth(2).unwrap().to_owned()
    }

    /// One tmux format of every pane, a line each.
    pub(crate) fn panes(&self, format: &str) -> Vec<String> {
        let run = self.tmux(["list-panes", "-a", "-F", format]);
        run.out().lines().map(str::to_owned).collect()
    }

    /// Waits until all panes are as said.
    #[track_caller]
    pub(crate) fn wait_for_panes(&self, format: &str, expected: &[String]) {
        wait_until(&format!("panes {expected:?}"), || self.panes(format) == expected);
    }
}

/// Puts the stub at `path`; by its name it is Claude Code or Codex.
pub(crate) fn install_stub(path: &Path) {
    let own = std::env::current_exe().unwrap();
    let target = own.parent().and_then(Path::parent).unwrap();
    let stub = target.join("examples/stub-agent");
    std::fs::hard_link(&stub, path).or_else(|_| std::fs::copy(&stub, path).map(drop)).unwrap();
}
