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
    let known = |id: &String| rollouts(&base).into_iter().find(|file| is_of(file, id));
    let rollout = match &resumed {
        Some(id) => {
            let rollout = known(id);
            if rollout.is_none() {
                println!("No saved session found with ID {id}");
                return None;
            }
            rollout
        }
        None => None,
    };
    let id = resumed.unwrap_or_else(|| new_id(true));
    let mut codex = Codex { base, id, rollout, held: Vec::new() };
    if is_server {
        return Some(Box::new(codex));
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
    fn hold(&mut self) {
        if variable("STUB_TITLE").is_some() {
            println!("\x1b]2;{}...\x07", &self.id[..29]);
        }
        if variable("STUB_DAEMON").is_some() {
            return;
        }
        let locks = self.base.join("thread-writer-locks");
        std::fs::create_dir_all(&locks).unwrap();
        self.held.push(File::create(locks.join(format!("{}.lock", self.id))).unwrap());
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
        let file = self.rollout.get_or_insert_with(|| {
            let name = format!("%Y/%m/%d/rollout-%Y-%m-%dT%H-%M-%S-{}.jsonl", self.id);
            self.base.join("sessions").join(chrono::Local::now().format(&name).to_string())
        });
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
    }

    fn new_conversation(&mut self) {
        self.id = new_id(true);
        self.rollout = None;
        self.hold();
        println!("AGENT codex {}", self.id);
    }
}
