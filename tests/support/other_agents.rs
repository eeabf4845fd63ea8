//! The other real agents, each with our hook, offline, against the mock API, with every question of a first start
//! answered beforehand.

use super::lacks::lacks;
use super::mock_api::{MockApi, Turn};
use super::{Run, Sandbox, run, wait_for};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Where `install-prerequisites.sh` puts an agent, and which `make` does so.
fn place(agent: &str) -> (PathBuf, &'static str) {
    let (place, make) =
        if agent == "opencode" { ("agents-opencode", "soak") } else { ("agents-others", "test") };
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    (target.join(place).join("node_modules/.bin"), make)
}

/// A sandbox in which one of the other agents runs.
pub(crate) struct OtherLab {
    // Dropped first: it writes into the sandbox's directory.
    pub(crate) api: MockApi,
    pub(crate) sandbox: Rc<Sandbox>,
    environment: Vec<(&'static str, String)>,
}

impl OtherLab {
    /// A lab with an agent that was started before, whose first questions are answered; or none, reported,
    /// without the agent.
    pub(crate) fn new(agent: &str) -> Option<Self> {
        let (agents, make) = place(agent);
        if !agents.join(agent).exists() {
            let test = std::thread::current().name().unwrap_or("agents").to_owned();
            lacks(&test, &format!("the real {agent} (make {make} installs it)"));
            return None;
        }
        let sandbox = Rc::new(Sandbox::new());
        let api = MockApi::start(&sandbox);
        let root = format!("http://127.0.0.1:{}", api.port);
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", agents.display());
        let npm = sandbox.root().join("npm").display().to_string();
        let environment = vec![
            ("PATH", path),
            ("OPENAI_API_KEY", "sk-test".to_owned()),
            ("OPENAI_BASE_URL", format!("{root}/v1")),
            ("OPENAI_MODEL", "mock-model".to_owned()),
            ("GEMINI_API_KEY", "test".to_owned()),
            ("GOOGLE_GEMINI_BASE_URL", root.clone()),
            ("COPILOT_PROVIDER_BASE_URL", format!("{root}/v1")),
            ("COPILOT_PROVIDER_TYPE", "openai".to_owned()),
            ("COPILOT_OFFLINE", "true".to_owned()),
            ("COPILOT_MODEL", "mock-model".to_owned()),
            ("COPILOT_ALLOW_ALL", "true".to_owned()),
            ("COPILOT_AUTO_UPDATE", "false".to_owned()),
            ("PI_OFFLINE", "1".to_owned()),
            ("OPENCODE_DISABLE_AUTOUPDATE", "true".to_owned()),
            ("OPENCODE_DISABLE_MODELS_FETCH", "true".to_owned()),
            // An agent that updates itself changes nothing of this host.
            ("npm_config_prefix", npm),
            ("npm_config_offline", "true".to_owned()),
        ];
        let lab = Self { api, sandbox, environment };
        lab.configure(&root);
        lab.persist(["hook", "--install", "--agent", agent]).ok();
        Some(lab)
    }

    fn configure(&self, root: &str) {
        let write = |file: &str, text: String| {
            let file = self.sandbox.home().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        let export = |(name, value): &(&str, String)| format!("export {name}='{value}'\n");
        write(".profile", self.environment.iter().map(export).collect());
        let model = serde_json::json!({
            "id": "mock-model", "name": "mock", "reasoning": false, "input": ["text"],
            "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0},
            "contextWindow": 128_000, "maxTokens": 4096
        });
        let mock = serde_json::json!({
            "baseUrl": format!("{root}/v1"), "api": "openai-completions", "apiKey": "x",
            "models": [model]
        });
        let models = serde_json::json!({ "providers": { "mock": mock } });
        write(".pi/agent/models.json", models.to_string());
        let defaults = r#"{"defaultProvider":"mock","defaultModel":"mock-model"}"#;
        write(".pi/agent/settings.json", defaults.to_owned());
        let settings = |auth: &str| {
            let security = serde_json::json!({"auth": {"selectedType": auth}, "folderTrust": {"enabled": false}});
            let general = serde_json::json!({"enableAutoUpdate": false});
            serde_json::json!({ "security": security, "general": general }).to_string()
        };
        let opencode = serde_json::json!({
            "autoupdate": false, "model": "mock/mock-model", "small_model": "mock/mock-model",
            "provider": { "mock": {
                "npm": "@ai-sdk/openai-compatible", "name": "mock",
                "options": { "baseURL": format!("{root}/v1"), "apiKey": "x" },
                "models": { "mock-model": { "name": "mock" } }
            } }
        });
        write(".config/opencode/opencode.json", opencode.to_string());
        write(".gemini/settings.json", settings("gemini-api-key"));
        write(".qwen/settings.json", settings("openai"));
    }

    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.sandbox.command(program);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn persist<I: IntoIterator<Item: AsRef<OsStr>>>(&self, args: I) -> Run {
        let mut command = self.sandbox.persist_command(args);
        run(command.envs(self.environment.iter().map(|(name, value)| (name, value))))
    }

    pub(crate) fn tmux<I: IntoIterator<Item: AsRef<OsStr>>>(&self, args: I) -> Run {
        run(self.command("tmux").args(["-u", "-f", "/dev/null"]).args(args)).ok()
    }

    /// Starts an agent with its options in a new session.
    pub(crate) fn start(&self, session: &str, agent: &[&str]) {
        let work = self.sandbox.work();
        let size = ["-x", "120", "-y", "40"];
        let words = ["new-session", "-d", "-s", session, "-c", work.to_str().unwrap()];
        self.tmux(words.iter().chain(&size).chain(&["--"]).chain(agent));
    }

    pub(crate) fn screen(&self, pane: &str) -> String {
        self.tmux(["capture-pane", "-p", "-t", pane]).out()
    }

    /// Waits until `reached`, longer than for all else: on a busy machine real agents take their time.
    pub(crate) fn wait_until(&self, what: &str, pane: &str, mut reached: impl FnMut() -> bool) {
        let begin = Instant::now();
        while !reached() {
            let is_late = begin.elapsed() > Duration::from_secs(90);
            assert!(!is_late, "{pane}: {what} did not happen:\n{}", self.screen(pane));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Types a text. An agent shows its input line before it listens: what it has not shown after a while is typed
    /// again, after what there is of it was deleted, so that it is never there twice. Copilot CLI takes a process that
    /// was killed and was not waited for yet for one that uses the conversation, and asks.
    pub(crate) fn type_text(&self, pane: &str, text: &str) {
        let mut typed = None::<Instant>;
        self.wait_until(&format!("{text:?} is typed"), pane, || {
            let screen = self.screen(pane);
            if screen.contains("1. Resume anyway") {
                self.tmux(["send-keys", "-t", pane, "Enter"]);
                return false;
            }
            if typed.is_none_or(|at| at.elapsed() > Duration::from_secs(5)) {
                if typed.is_some() {
                    self.tmux(["send-keys", "-t", pane, "C-u"]);
                }
                self.tmux(["send-keys", "-t", pane, "-l", "--", text]);
                typed = Some(Instant::now());
            }
            screen.contains(text)
        });
    }

    /// Types a line, once that is shown presses Enter, and again if nothing came of it.
    pub(crate) fn enter(&self, pane: &str, text: &str, came: impl Fn() -> bool) {
        self.type_text(pane, text);
        let mut pressed = None::<Instant>;
        self.wait_until(&format!("{text:?} has its effect"), pane, || {
            if pressed.is_none_or(|at| at.elapsed() > Duration::from_secs(4)) {
                self.tmux(["send-keys", "-t", pane, "Enter"]);
                pressed = Some(Instant::now());
            }
            came()
        });
    }

    /// Prompts an agent and waits for its answer; gives what the API saw.
    pub(crate) fn prompt(&self, pane: &str, text: &str) -> Turn {
        let before = self.api.log().len();
        let turn = || {
            let log = self.api.log().split_off(before);
            log.into_iter().find(|turn| turn.user_texts.last().is_some_and(|last| last == text))
        };
        self.enter(pane, text, || turn().is_some());
        let turn = wait_for("the turn", turn);
        let reply = turn.reply.as_str().unwrap().lines().next().unwrap().to_owned();
        self.wait_until("its answer is shown", pane, || self.screen(pane).contains(&reply));
        turn
    }

    /// What marks a pane's conversation.
    pub(crate) fn stamp(&self, pane: &str) -> String {
        self.tmux(["display-message", "-p", "-t", pane, "#{@conversation}"]).out().trim().to_owned()
    }

    /// Waits until the hook has said that an agent's turn has ended. On a busy machine an agent may lose patience with
    /// its hook; then another turn ends.
    pub(crate) fn wait_until_idle(&self, session: &str) {
        let format = ["display-message", "-p", "-t", session, "#{@agent_state}"];
        let is_idle = || self.tmux(format).out().trim() == "idle";
        let end = Instant::now() + Duration::from_secs(15);
        while !is_idle() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(50));
        }
        if !is_idle() {
            self.prompt(session, "again");
        }
        self.wait_until("the end of its turn", session, is_idle);
    }

    /// Suspends the agent of a session, which is refused while there is text in its input line.
    pub(crate) fn suspend(&self, session: &str) {
        let suspend = || {
            let report = self.persist(["suspend", "--json", session]).json();
            let agent = report["agents"][0].clone();
            [&agent["result"], &agent["reason"]].map(|text| text.as_str().unwrap().to_owned())
        };
        self.wait_until_idle(session);
        self.type_text(session, "unsent");
        self.wait_until("its refusal", session, || suspend()[1].contains("was not sent"));
        self.tmux(["send-keys", "-t", session, "C-u"]);
        self.wait_until("its deletion", session, || !self.screen(session).contains("unsent"));
        self.wait_until("its suspension", session, || {
            let [result, reason] = suspend();
            assert!(reason.contains("input line") || result == "suspended", "{result}: {reason}");
            result == "suspended"
        });
        self.wait_until("its wait", session, || self.screen(session).contains("Enter resumes it"));
    }

    pub(crate) fn conversation(&self, session: &str) -> String {
        let snapshot = terminal_lobby::snapshot::decode(&self.sandbox.latest()).unwrap();
        let row = snapshot.rows.iter().find(|row| row.session == session.as_bytes()).unwrap();
        String::from_utf8(row.conversation.clone().unwrap_or_default()).unwrap()
    }
}
