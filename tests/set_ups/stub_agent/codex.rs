//! Codex, as far as others see it.

use super::{Agent, append, cwd, home, is_id, new_id, variable};
use std::fs::File;
use std::path::PathBuf;

/// First words with which it keeps no thread of its own.
const SERVERS: [&str; 4] = ["app-server", "mcp-server", "exec-server", "agents"];

struct Codex {
    base: PathBuf,
    id: String,
    rollout: Option<PathBuf>,
    /// Held open to the end, those of former threads, too.
    held: Vec<File>,
}

pub(crate) fn start(argv: &[String]) -> Option<Box<dyn Agent>> {
    let base = variable("CODEX_HOME").map_or_else(|| home().join(".codex"), PathBuf::from);
    let is_server = argv.get(1).is_some_and(|word| SERVERS.contains(&word.as_str()));
    let after = |name: &str| {
        let at = argv.iter().position(|word| word == name)?;
        argv[at..].iter().find(|word| is_id(word)).cloned()
    };
    let resumed = after("resume");
    let parent = after("fork");
    let known = |id: &String| rollouts(&base).into_iter().find(|file| is_of(file, id));
    let wanted = resumed.as_ref().or(parent.as_ref());
    let found = wanted.and_then(known);
    if let (Some(id), None) = (wanted, &found) {
        println!("No saved session found with ID {id}");
        return None;
    }
    let rollout = found.clone().filter(|_| parent.is_none());
    let id = resumed.unwrap_or_else(|| new_id(true));
    let mut codex = Codex { base, id, rollout, held: Vec::new() };
    if is_server {
        return Some(Box::new(codex));
    }
    if let Some((parent, history)) = parent.zip(found) {
        codex.copy(&parent, &history);
    }
    codex.hold();
    if variable("STUB_PROMPTED").is_some() {
        codex.prompt("hello");
    }
    Some(Box::new(codex))
}

fn is_of(file: &std::path::Path, id: &str) -> bool {
    file.to_string_lossy().ends_with(&format!("-{id}.jsonl"))
}

/// All rollouts, whatever their day.
fn rollouts(base: &std::path::Path) -> Vec<PathBuf> {
    let mut found = vec![base.join("sessions")];
    for _ in ["year", "month", "day", "rollout"] {
        let below = found.iter().filter_map(|dir| std::fs::read_dir(dir).ok()).flatten();
        found = below.map(|entry| entry.unwrap().path()).collect();
    }
    found
}

impl Codex {
    /// Begins the thread as a copy: the rollout is there at once, and refers to the other one.
    fn copy(&mut self, parent: &str, history: &std::path::Path) {
        let file = self.new_rollout();
        let payload = serde_json::json!({ "id": self.id, "cwd": cwd(), "forked_from_id": parent });
        let first = serde_json::json!({ "type": "session_meta", "payload": payload });
        append(&file, &first.to_string());
        let text = std::fs::read_to_string(history).unwrap();
        text.lines().skip(1).for_each(|line| append(&file, line));
        self.rollout = Some(file);
    }

    fn new_rollout(&self) -> PathBuf {
        let name = format!("%Y/%m/%d/rollout-%Y-%m-%dT%H-%M-%S-{}.jsonl", self.id);
        self.base.join("sessions").join(chrono::Local::now().format(&name).to_string())
    }

    fn hold(&mut self) {
        if variable("STUB_TITLE").is_some() {
            println!("\x1b]2;{}...\x07", &self.id[..29]);
        }
        let locks = self.base.join("thread-writer-locks");
        std::fs::create_dir_all(&locks).unwrap();
        let lock = File::create(locks.join(format!("{}.lock", self.id))).unwrap();
        if variable("STUB_DAEMON").is_some() {
            return;
        }
        self.held.push(lock);
        if let Some(rollout) = &self.rollout {
            self.held.push(File::options().append(true).open(rollout).unwrap());
        }
    }
}

impl Agent for Codex {
    fn conversation(&self) -> String {
        self.id.clone()
    }

    fn is_prompted(&self) -> bool {
        self.rollout.is_some()
    }

    fn record(&self) -> Option<PathBuf> {
        None
    }

    fn prompt(&mut self, text: &str) {
        let is_new = self.rollout.is_none();
        let new = self.new_rollout();
        let file = self.rollout.get_or_insert(new);
        if is_new {
            let payload = serde_json::json!({ "id": self.id, "cwd": cwd() });
            let first = serde_json::json!({ "type": "session_meta", "payload": payload });
            append(file, &first.to_string());
            if variable("STUB_DAEMON").is_none() {
                self.held.push(File::options().append(true).open(&*file).unwrap());
            }
        }
        let payload = serde_json::json!({ "type": "user_message", "message": text });
        append(file, &serde_json::json!({ "type": "event_msg", "payload": payload }).to_string());
        self.set_status("idle");
    }

    fn set_status(&mut self, status: &str) {
        let Some(file) = &self.rollout else { return };
        let kind = if status == "idle" { "task_complete" } else { "task_started" };
        let line = serde_json::json!({ "type": "event_msg", "payload": { "type": kind } });
        append(file, &line.to_string());
    }

    fn input_line(&self) -> [&'static str; 3] {
        ["", "\x1b[1m›\x1b[0m \x1b[2mAsk Codex to do anything\x1b[0m", "\n  model"]
    }

    fn new_conversation(&mut self) {
        self.id = new_id(true);
        self.rollout = None;
        self.hold();
        println!("AGENT codex {}", self.id);
    }
}
