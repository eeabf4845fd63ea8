//! A sandbox in which the real agents run: offline, against the mock API, with every dialog of a
//! first start answered beforehand.

use super::lacks::lacks;
use super::mock_api::{MockApi, Turn};
use super::sandbox::{Sandbox, tree};
use super::{Run, run, wait_for, wait_until};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Where `install-prerequisites.sh` puts the agents: `test` the pinned ones, `soak` also older ones,
/// which `TL_AGENTS` chooses.
pub(crate) fn agents() -> PathBuf {
    let place = std::env::var("TL_AGENTS").unwrap_or_else(|_| "agents".to_owned());
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join(place).join("node_modules/.bin")
}

const KEY: &str = "sk-ant-test-0123456789abcdefghijklmnopqrstuvwxyz";

/// Directories in the home for `CLAUDE_CONFIG_DIR` and `CODEX_HOME` of another account.
pub(crate) const OTHER_ACCOUNT: [&str; 2] = [".claude-work", ".codex-work"];

/// A [`Sandbox`] with agents.
pub(crate) struct AgentLab {
    // Dropped in this order: the API writes into the sandbox's directory.
    api: MockApi,
    pub(crate) sandbox: Rc<Sandbox>,
}

/// An agent that runs and can be typed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agent {
    /// The tmux pane, as `%3`.
    pub(crate) pane: String,
    /// The process that has the conversation: with Codex the native child.
    pub(crate) pid: i32,
    pub(crate) conversation: String,
}

/// `~/.claude/settings.json` for tests.
pub(crate) const CLAUDE_SETTINGS: &str = r#"{"theme":"dark","spinnerTipsEnabled":false}"#;

/// `~/.claude.json` with every question of a first start answered.
pub(crate) fn claude_answers() -> serde_json::Value {
    serde_json::json!({
        "numStartups": 5, "installMethod": "npm", "autoUpdates": false, "theme": "dark",
        "hasCompletedOnboarding": true, "lastOnboardingVersion": "99.0.0",
        "lastReleaseNotesSeen": "99.0.0", "shiftEnterKeyBindingInstalled": true,
        "hasSeenTasksHint": true, "tipsHistory": {},
        // A key is known by its last 20 characters.
        "customApiKeyResponses": {"approved": [&KEY[KEY.len() - 20..]], "rejected": []},
        "projects": {}
    })
}

/// What that file says of a directory in which Claude may work.
pub(crate) fn claude_trust() -> serde_json::Value {
    serde_json::json!({
        "hasTrustDialogAccepted": true, "hasCompletedProjectOnboarding": true,
        "projectOnboardingSeenCount": 4
    })
}

/// What Claude's environment holds in tests, besides where the API is.
pub(crate) const CLAUDE_ENVIRONMENT: [(&str, &str); 7] = [
    ("ANTHROPIC_API_KEY", KEY),
    ("DISABLE_AUTOUPDATER", "1"),
    ("DISABLE_TELEMETRY", "1"),
    ("DISABLE_ERROR_REPORTING", "1"),
    ("DISABLE_BUG_COMMAND", "1"),
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("CLAUDE_CODE_DISABLE_FEEDBACK_SURVEY", "1"),
];

impl AgentLab {
    /// A new lab that trusts the sandbox's `work()`; or none, reported, without the agents.
    pub(crate) fn new() -> Option<Self> {
        if !agents().join("claude").exists() || !agents().join("codex").exists() {
            let test = std::thread::current().name().unwrap_or("agents").to_owned();
            lacks(&test, "the real agents in target/agents (make test installs them)");
            return None;
        }
        let sandbox = Rc::new(Sandbox::new());
        let api = MockApi::start(&sandbox);
        let lab = Self { api, sandbox };
        lab.answer_dialogs();
        lab.trust(&lab.sandbox.work());
        Some(lab)
    }

    /// `program` in the environment that the agents need.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.sandbox.command(program);
        self.equip(&mut command);
        command
    }

    /// Runs `persist ARGS` as a user would in whose environment the agents run.
    #[track_caller]
    pub(crate) fn persist<I: IntoIterator<Item: AsRef<OsStr>>>(&self, args: I) -> Run {
        let mut command = self.sandbox.persist_command(args);
        self.equip(&mut command);
        run(&mut command)
    }

    /// Runs tmux in the agents' environment: what starts in a pane gets the PATH of the client.
    #[track_caller]
    pub(crate) fn tmux<I: IntoIterator<Item: AsRef<OsStr>>>(&self, args: I) -> Run {
        run(self.command("tmux").args(["-u", "-f", "/dev/null"]).args(args))
    }

    fn equip(&self, command: &mut Command) {
        command
            .env("PATH", path())
            .env("ANTHROPIC_BASE_URL", format!("http://127.0.0.1:{}", self.api.port))
            .env("OPENAI_API_KEY", "sk-test-openai")
            .envs(CLAUDE_ENVIRONMENT);
    }

    fn answer_dialogs(&self) {
        let home = self.sandbox.home();
        std::fs::create_dir(home.join(".claude")).unwrap();
        std::fs::create_dir(home.join(".codex")).unwrap();
        std::fs::write(home.join(".claude.json"), claude_answers().to_string()).unwrap();
        std::fs::write(home.join(".claude/settings.json"), CLAUDE_SETTINGS).unwrap();
        let port = self.api.port;
        let codex = format!(
            "model = \"mock-model\"\nmodel_provider = \"mock\"\ncheck_for_update_on_startup = false\n\
             approval_policy = \"never\"\nsandbox_mode = \"danger-full-access\"\n\
             [analytics]\nenabled = false\n\
             [model_providers.mock]\nname = \"mock\"\nbase_url = \"http://127.0.0.1:{port}/v1\"\n\
             wire_api = \"responses\"\nenv_key = \"OPENAI_API_KEY\"\n\
             request_max_retries = 0\nstream_max_retries = 0\n"
        );
        std::fs::write(home.join(".codex/config.toml"), codex).unwrap();
    }

    /// Answers both agents' question whether they may work in `dir`. Before any agent starts: a
    /// running Claude rewrites its file. Once for each directory: Codex takes no table twice.
    pub(crate) fn trust(&self, dir: &Path) {
        let dir = dir.to_str().unwrap();
        let path = self.sandbox.home().join(".claude.json");
        let mut json: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        json["projects"][dir] = claude_trust();
        std::fs::write(&path, json.to_string()).unwrap();
        let path = self.sandbox.home().join(".codex/config.toml");
        let toml = std::fs::read_to_string(&path).unwrap();
        let table = format!("[projects.{}]\ntrust_level = \"trusted\"\n", toml_string(dir));
        std::fs::write(&path, toml + &table).unwrap();
    }

    /// Gives the agents' other account ([`OTHER_ACCOUNT`]) the settings of the usual one.
    pub(crate) fn copy_account(&self) {
        let home = self.sandbox.home();
        let [claude, codex] = OTHER_ACCOUNT.map(|dir| home.join(dir));
        for (from, to) in [
            (".claude.json", claude.join(".claude.json")),
            (".claude/settings.json", claude.join("settings.json")),
            (".codex/config.toml", codex.join("config.toml")),
        ] {
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(home.join(from), to).unwrap();
        }
    }

    /// Starts `program` with a tmux command (`["new-session", "-s", "a"]`); gives the pane's id.
    #[track_caller]
    pub(crate) fn start(&self, tmux: &[&str], cwd: &Path, program: &[&str]) -> String {
        let mut args = vec![tmux[0], "-d", "-P", "-F", "#{pane_id}"];
        if tmux[0] == "new-session" {
            args.extend(["-x", "120", "-y", "40"]);
        }
        args.extend(&tmux[1..]);
        args.extend(["-c", cwd.to_str().unwrap(), "--"]);
        args.extend(program);
        self.tmux(args).ok().out().trim().to_owned()
    }

    /// Starts `claude ARGS` in a new session and waits until it can be typed to.
    #[track_caller]
    pub(crate) fn start_claude(&self, session: &str, cwd: &Path, args: &[&str]) -> Agent {
        let program = [&["claude"], args].concat();
        self.claude_in(&self.start(&["new-session", "-s", session], cwd, &program))
    }

    /// Starts `codex --no-daemon ARGS` in a new session and waits until it can be typed to.
    #[track_caller]
    pub(crate) fn start_codex(&self, session: &str, cwd: &Path, args: &[&str]) -> Agent {
        let program = [&["codex", "--no-daemon"], args].concat();
        self.codex_in(&self.start(&["new-session", "-s", session], cwd, &program))
    }

    /// Waits until the Claude somewhere below a pane can be typed to.
    #[track_caller]
    pub(crate) fn claude_in(&self, pane: &str) -> Agent {
        self.wait_for_agent("Claude", "❯", pane, |pid| {
            let record = self.live_record(pid)?;
            (record["status"] == "idle").then(|| record["sessionId"].as_str().unwrap().to_owned())
        })
    }

    /// Waits until the Codex somewhere below a pane can be typed to.
    #[track_caller]
    pub(crate) fn codex_in(&self, pane: &str) -> Agent {
        self.wait_for_agent("Codex", "›", pane, |pid| {
            let locks = [".codex", OTHER_ACCOUNT[1]]
                .map(|dir| self.sandbox.home().join(dir).join("thread-writer-locks"));
            // Beside the conversation's lock Codex takes `.coordination.lock` for moments.
            open_files(pid).into_iter().find_map(|path| {
                let file = locks.iter().find_map(|locks| path.strip_prefix(locks).ok())?;
                let id = file.to_str()?.strip_suffix(".lock")?;
                (!id.starts_with('.')).then(|| id.to_owned())
            })
        })
    }

    #[track_caller]
    fn wait_for_agent(
        &self,
        name: &str,
        input_mark: &str,
        pane: &str,
        conversation: impl Fn(i32) -> Option<String>,
    ) -> Agent {
        let what = format!("{name} in {pane} can be typed to");
        let end = std::time::Instant::now() + std::time::Duration::from_secs(25);
        wait_for(&what, || {
            // What the pane shows instead tells why far better than a limit that passed.
            assert!(
                std::time::Instant::now() < end,
                "not so: {what}; it shows\n{}",
                self.screen(pane)
            );
            let root = self.pane(pane, "#{pane_pid}").parse().ok()?;
            let found = tree(root).into_iter().find_map(|pid| Some((pid, conversation(pid)?)));
            let (pid, conversation) = found?;
            let agent = Agent { pane: pane.to_owned(), pid, conversation };
            self.screen(pane).contains(input_mark).then_some(agent)
        })
    }

    /// Claude's own record about a process that runs it.
    pub(crate) fn live_record(&self, pid: i32) -> Option<serde_json::Value> {
        [".claude", OTHER_ACCOUNT[0]].iter().find_map(|dir| {
            let path = self.sandbox.home().join(format!("{dir}/sessions/{pid}.json"));
            // Not written atomically: a torn one is one that is not there yet.
            serde_json::from_slice(&std::fs::read(path).ok()?).ok()
        })
    }

    /// Types one line and waits until it stands there.
    #[track_caller]
    pub(crate) fn enter(&self, pane: &str, text: &str) {
        self.tmux(["send-keys", "-t", pane, "-l", "--", text]).ok();
        wait_until(&format!("{text:?} is typed in {pane}"), || self.screen(pane).contains(text));
        self.tmux(["send-keys", "-t", pane, "Enter"]).ok();
    }

    /// Prompts an agent and waits until its answer is on disk; gives what the API saw.
    #[track_caller]
    pub(crate) fn prompt(&self, agent: &Agent, text: &str) -> Turn {
        let before = self.log().len();
        let updated = |record: &serde_json::Value| record["updatedAt"].clone();
        let idle_since = self.live_record(agent.pid).as_ref().map(updated);
        self.enter(&agent.pane, text);
        let mut pressed = Instant::now();
        let turn = wait_for(&format!("the API gets {text:?} from {agent:?}"), || {
            // Codex takes Enter for part of a paste if it follows what was typed too closely.
            if pressed.elapsed() > Duration::from_secs(4) {
                self.tmux(["send-keys", "-t", &agent.pane, "Enter"]).ok();
                pressed = Instant::now();
            }
            let log = self.log().split_off(before);
            log.into_iter().find(|turn| turn.user_texts.last().is_some_and(|last| last == text))
        });
        let reply = turn.reply.as_str().unwrap().to_owned();
        let conversation = turn.session.clone().unwrap();
        wait_until(&format!("{reply:?} is in the transcript of {conversation}"), || {
            let path = self.transcript(&conversation);
            path.is_some_and(|p| std::fs::read_to_string(p).unwrap().contains(&reply))
        });
        // One that is killed before its turn has ended is told to continue when it is resumed.
        // Its record may be torn, and may not say yet that the turn has begun.
        let Some(idle_since) = idle_since else { return turn };
        wait_until("its turn has ended", || {
            let record = self.live_record(agent.pid);
            record.is_some_and(|now| now["status"] != "busy" && updated(&now) != idle_since)
        });
        turn
    }

    /// Every turn that the API was asked for.
    pub(crate) fn log(&self) -> Vec<Turn> {
        self.api.log()
    }

    /// The file that holds a conversation, of either agent.
    pub(crate) fn transcript(&self, conversation: &str) -> Option<PathBuf> {
        let name = format!("{conversation}.jsonl");
        let [claude, codex] = OTHER_ACCOUNT;
        let dirs = [
            (".claude", "projects"),
            (".codex", "sessions"),
            (claude, "projects"),
            (codex, "sessions"),
        ];
        dirs.iter().map(|(account, dir)| format!("{account}/{dir}")).find_map(|dir| {
            files(&self.sandbox.home().join(dir)).into_iter().find(|path| {
                path.file_name().unwrap().to_str().is_some_and(|file| file.ends_with(&name))
            })
        })
    }

    /// What a pane shows.
    #[track_caller]
    pub(crate) fn screen(&self, pane: &str) -> String {
        self.tmux(["capture-pane", "-p", "-t", pane]).out()
    }

    /// A format's value for one pane.
    #[track_caller]
    pub(crate) fn pane(&self, pane: &str, format: &str) -> String {
        self.tmux(["display-message", "-p", "-t", pane, format]).out().trim_end().to_owned()
    }
}

/// The agents, node where it is not in a usual place, and the usual places.
fn path() -> String {
    let usual = "/usr/local/bin:/usr/bin:/bin";
    let agents = agents().display().to_string();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let node = std::env::split_paths(&paths).find(|dir| dir.join("node").exists());
    match node.as_deref().and_then(Path::to_str) {
        Some(dir) if !usual.split(':').any(|each| each == dir) => format!("{agents}:{usual}:{dir}"),
        _ => format!("{agents}:{usual}"),
    }
}

/// A TOML basic string; what JSON escapes, TOML escapes alike.
fn toml_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The paths that a process holds open.
pub(crate) fn open_files(pid: i32) -> Vec<PathBuf> {
    let Ok(fds) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
    fds.filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok()).collect()
}

/// All files below a directory; none if it is missing.
fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}
