//! Copilot CLI, Gemini CLI, opencode, pi and Qwen Code, as far as others see them, and one of no known kind. Each
//! reads the hook that is installed for it and calls it.

use super::{Agent, append, cwd, home, is_id, new_id, value, variable};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// By these names it is one of them.
pub(crate) const NAMES: [&str; 6] = ["copilot", "gemini", "goose", "opencode", "pi", "qwen"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Copilot,
    Gemini,
    Opencode,
    Pi,
    Qwen,
    /// Described by the configuration alone.
    Other,
}

struct Other {
    kind: Kind,
    name: String,
    /// Absent before the first prompt of opencode.
    id: Option<String>,
    held: Option<File>,
}

pub(crate) fn start(name: &str, argv: &[String]) -> Option<Box<dyn Agent>> {
    let kind = match name {
        "copilot" => Kind::Copilot,
        "gemini" => Kind::Gemini,
        "opencode" => Kind::Opencode,
        "pi" => Kind::Pi,
        "qwen" => Kind::Qwen,
        _ => Kind::Other,
    };
    let asked = value(argv, &["--session-id"]);
    let resumed = value(argv, &["--resume", "-r", "--session", "-s"]);
    let mut agent = Other { kind, name: name.to_owned(), id: asked.clone(), held: None };
    if let Some(id) = &resumed {
        agent.id = Some(id.clone());
        if !agent.has_transcript() && kind != Kind::Other {
            println!("no conversation {id}");
            return None;
        }
    } else if asked.is_some() && agent.has_transcript() && kind != Kind::Copilot {
        println!("{asked:?} exists");
        return None;
    }
    let is_new = agent.id.is_none();
    if is_new && kind != Kind::Opencode {
        agent.id = Some(new_id(kind == Kind::Pi));
    }
    agent.begin();
    agent.call_hook("SessionStart");
    if variable("STUB_PROMPTED").is_some() {
        agent.prompt("hello");
    }
    Some(Box::new(agent))
}

impl Other {
    fn id(&self) -> String {
        self.id.clone().unwrap_or_else(|| "none".into())
    }

    fn slug() -> String {
        cwd().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
    }

    /// Where the conversation is, from its first prompt on; of Gemini from the start on.
    fn transcript(&self) -> PathBuf {
        let id = self.id();
        match self.kind {
            Kind::Copilot => home().join(format!(".copilot/session-state/{id}/events.jsonl")),
            Kind::Gemini => {
                Self::chats().join(format!("session-2026-11-28T21-58-{}.jsonl", &id[..8]))
            }
            Kind::Opencode => home().join(format!(".local/share/opencode/{id}")),
            Kind::Pi => {
                let project = cwd().trim_start_matches('/').replace('/', "-");
                home().join(format!(".pi/agent/sessions/--{project}--/2026_{id}.jsonl"))
            }
            Kind::Qwen => home().join(format!(".qwen/projects/{}/chats/{id}.jsonl", Self::slug())),
            Kind::Other => home().join(format!(".{}/{id}.json", self.name)),
        }
    }

    fn chats() -> PathBuf {
        home().join(".gemini/tmp").join(Self::slug()).join("chats")
    }

    fn has_transcript(&self) -> bool {
        self.id.is_some() && self.transcript().is_file()
    }

    fn is_prompted_in(file: &Path) -> bool {
        std::fs::read_to_string(file).is_ok_and(|text| text.contains("\"type\":\"user\""))
    }

    /// What is there from the start of a conversation on.
    fn begin(&mut self) {
        match self.kind {
            Kind::Copilot => {
                let dir = self.transcript().with_file_name("");
                std::fs::create_dir_all(&dir).unwrap();
                let hold = dir.join(format!("inuse.{}.hold", std::process::id()));
                self.held = Some(File::create(hold).unwrap());
            }
            Kind::Gemini => self.begin_gemini(),
            Kind::Other if variable("STUB_HOLDS").is_some() => {
                let lock = home().join(format!(".{}/{}.lock", self.name, self.id()));
                std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
                self.held = Some(File::create(lock).unwrap());
            }
            _ => {}
        }
    }

    /// The start of one deletes the files of others that have no prompt yet.
    fn begin_gemini(&self) {
        let chats = Self::chats();
        std::fs::create_dir_all(&chats).unwrap();
        for file in std::fs::read_dir(&chats).unwrap() {
            let file = file.unwrap().path();
            if !Self::is_prompted_in(&file) {
                std::fs::remove_file(file).unwrap();
            }
        }
        let file = home().join(".gemini/projects.json");
        let known = std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let mut projects: Value = known.unwrap_or_else(|| json!({ "projects": {} }));
        projects["projects"][cwd()] = Self::slug().into();
        std::fs::write(&file, projects.to_string()).unwrap();
        if !self.has_transcript() {
            let first = json!({ "sessionId": self.id(), "kind": "main" });
            append(&self.transcript(), &first.to_string());
        }
    }

    /// Runs what is installed for it, in its own form.
    fn call_hook(&self, event: &str) {
        if self.id.is_none() {
            return;
        }
        let Some(mut command) = self.hook(event) else { return };
        let id = self.id();
        let input = match (self.kind, event) {
            (Kind::Copilot, "SessionStart") => json!({ "sessionId": id, "source": "new" }),
            (Kind::Copilot, _) => json!({ "sessionId": id, "prompt": "hello" }),
            _ => json!({ "session_id": id, "hook_event_name": event }),
        };
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
        child.wait().unwrap();
    }

    fn hook(&self, event: &str) -> Option<Command> {
        let read = |file: &str| std::fs::read_to_string(home().join(file)).ok();
        let shell = |line: String| {
            let mut command = Command::new("sh");
            command.args(["-c", &line]);
            Some(command)
        };
        let settings = |file: &str| {
            let settings: Value = serde_json::from_str(&read(file)?).ok()?;
            Some(settings["hooks"][event][0]["hooks"][0]["command"].as_str()?.to_owned())
        };
        let words = |text: String| {
            let line = text.lines().find(|line| line.starts_with("const command"))?.to_owned();
            let words: Vec<String> =
                serde_json::from_str(line.split_once(" = ")?.1.trim_end_matches(';')).ok()?;
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]);
            Some(command)
        };
        match self.kind {
            Kind::Gemini => shell(settings(".gemini/settings.json")?),
            Kind::Qwen => shell(settings(".qwen/settings.json")?),
            Kind::Copilot => {
                let file: Value =
                    serde_json::from_str(&read(".copilot/hooks/terminal-lobby.json")?).ok()?;
                let name =
                    if event == "SessionStart" { "sessionStart" } else { "userPromptSubmitted" };
                shell(file["hooks"][name][0]["bash"].as_str()?.to_owned())
            }
            Kind::Pi => words(read(".pi/agent/extensions/terminal-lobby.ts")?),
            Kind::Opencode => words(read(".config/opencode/plugin/terminal-lobby.js")?),
            Kind::Other => shell(variable("STUB_HOOK")?),
        }
    }
}

impl Agent for Other {
    fn conversation(&self) -> String {
        self.id()
    }

    fn is_prompted(&self) -> bool {
        Self::is_prompted_in(&self.transcript())
    }

    fn record(&self) -> Option<PathBuf> {
        None
    }

    fn prompt(&mut self, text: &str) {
        if self.id.is_none() {
            let random = new_id(false).replace('-', "");
            self.id = Some(format!("ses_{}", &random[..26]));
            println!("AGENT {} {}", self.name, self.id());
            self.call_hook("SessionStart");
        }
        let line = json!({ "type": "user", "content": [{ "text": text }], "cwd": cwd() });
        append(&self.transcript(), &line.to_string());
        self.call_hook(if self.kind == Kind::Gemini { "BeforeAgent" } else { "UserPromptSubmit" });
    }

    fn new_conversation(&mut self) {
        self.id = (self.kind != Kind::Opencode).then(|| new_id(self.kind == Kind::Pi));
        self.held = None;
        self.begin();
        self.call_hook("SessionStart");
        println!("AGENT {} {}", self.name, self.id());
        debug_assert!(self.id.as_ref().is_none_or(|id| is_id(id)));
    }
}
