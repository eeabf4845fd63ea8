//! Claude Code, as far as others see it.

use super::{Agent, append, cwd, home, is_id, new_id, value, variable};
use std::path::{Path, PathBuf};

/// First words with which it keeps no conversation of its own.
const VIEWS: [&str; 4] = ["agents", "attach", "daemon", "mcp"];

struct Claude {
    base: PathBuf,
    /// When the process started, in milliseconds since the epoch.
    started: u64,
    id: String,
    /// None of a view of other conversations.
    transcript: Option<PathBuf>,
    status: String,
    /// When that changed, in milliseconds since the epoch.
    since: u64,
}

pub(crate) fn start(argv: &[String]) -> Option<Box<dyn Agent>> {
    let base = variable("CLAUDE_CONFIG_DIR").map_or_else(|| home().join(".claude"), PathBuf::from);
    if argv.get(1).is_some_and(|word| VIEWS.contains(&word.as_str())) {
        return Some(Box::new(Claude {
            base,
            started: now_ms(),
            id: "none".into(),
            transcript: None,
            status: "idle".into(),
            since: now_ms(),
        }));
    }
    let project = base.join("projects").join(slug(&cwd()));
    let asked = value(argv, &["--session-id"]);
    let resumed = value(argv, &["--resume", "-r"]);
    let parent = match &resumed {
        Some(wanted) => Some(find(wanted, &base, &project)?),
        None if argv.iter().any(|word| word == "--continue" || word == "-c") => newest(&project),
        None => None,
    };
    let own_name = |file: &Path| file.file_stem().unwrap().to_string_lossy().into_owned();
    let forks = argv.iter().any(|word| word == "--fork-session");
    let (id, transcript) = match parent {
        Some(file) if !forks => (own_name(&file), file),
        parent => {
            let id = asked.unwrap_or_else(|| new_id(false));
            let file = project.join(format!("{id}.jsonl"));
            if file.exists() && parent.is_none() {
                println!("Error: Session ID {id} is already in use.");
                return None;
            }
            (id, file)
        }
    };
    let (status, since) = ("idle".into(), now_ms());
    let mut claude =
        Claude { base, started: since, id, transcript: Some(transcript), status, since };
    if let Some(milliseconds) = variable("STUB_LATE") {
        std::thread::sleep(std::time::Duration::from_millis(milliseconds.parse().unwrap()));
    }
    claude.write_record();
    if variable("STUB_PROMPTED").is_some() {
        claude.prompt("hello");
    }
    Some(Box::new(claude))
}

/// The transcript of `--resume WANTED`: a path, or an id of this directory; of any since 2.1.231.
fn find(wanted: &str, base: &Path, project: &Path) -> Option<PathBuf> {
    let path = PathBuf::from(wanted);
    let file = format!("{wanted}.jsonl");
    let mut places = vec![if wanted.contains('/') { path } else { project.join(&file) }];
    if is_id(wanted) && version() >= [2, 1, 231] {
        let projects = std::fs::read_dir(base.join("projects")).into_iter().flatten();
        places.extend(projects.map(|dir| dir.unwrap().path().join(&file)));
    }
    let found = places.into_iter().find(|file| file.is_file());
    if found.is_none() {
        println!("No conversation found with session ID: {wanted}");
    }
    found
}

fn newest(project: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(project).ok()?.map(|file| file.unwrap().path());
    files.max_by_key(|file| file.metadata().unwrap().modified().unwrap())
}

fn version_text() -> String {
    variable("STUB_VERSION").unwrap_or_else(|| "2.1.332".into())
}

fn version() -> [u32; 3] {
    let mut numbers = version_text().split('.').map(|n| n.parse().unwrap()).collect::<Vec<u32>>();
    numbers.resize(3, 0);
    [numbers[0], numbers[1], numbers[2]]
}

impl Claude {
    fn write_record(&self) {
        if variable("STUB_NO_RECORD").is_some() {
            return;
        }
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let ticks = stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap().to_owned();
        let mut record = serde_json::json!({
            "pid": std::process::id(),
            "sessionId": self.id,
            "cwd": cwd(),
            "startedAt": self.started,
            "procStart": ticks,
            "version": version_text(),
            "kind": variable("STUB_KIND").unwrap_or_else(|| "interactive".into()),
            "entrypoint": variable("STUB_ENTRYPOINT").unwrap_or_else(|| "cli".into()),
            "status": self.status,
            "updatedAt": now_ms(),
            "statusUpdatedAt": self.since,
        });
        if let Some(place) = variable("STUB_TMUX") {
            record["tmux"] = place.into();
        }
        if variable("STUB_OLD_RECORD").is_some() {
            for name in [
                "procStart",
                "version",
                "kind",
                "entrypoint",
                "status",
                "updatedAt",
                "statusUpdatedAt",
            ] {
                record.as_object_mut().unwrap().remove(name);
            }
        }
        let file = self.record().unwrap();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, record.to_string()).unwrap();
    }
}

impl Agent for Claude {
    fn conversation(&self) -> String {
        self.id.clone()
    }

    fn is_prompted(&self) -> bool {
        self.transcript.as_ref().is_some_and(|file| file.exists())
    }

    fn record(&self) -> Option<PathBuf> {
        self.transcript.as_ref()?;
        Some(self.base.join("sessions").join(format!("{}.json", std::process::id())))
    }

    fn prompt(&mut self, text: &str) {
        let Some(transcript) = &self.transcript else { return };
        let line = serde_json::json!({
            "type": "user",
            "message": { "role": "user", "content": text },
            "cwd": cwd(),
            "sessionId": self.id,
        });
        append(transcript, &line.to_string());
        self.set_status("idle");
    }

    fn set_status(&mut self, status: &str) {
        (self.status, self.since) = (status.to_owned(), now_ms());
        self.write_record();
    }

    fn input_line(&self) -> [&'static str; 3] {
        ["────────────────\n", "❯\u{a0}", "────────────────\n  ? for shortcuts"]
    }

    fn new_conversation(&mut self) {
        let Some(transcript) = &self.transcript else { return };
        self.id = new_id(false);
        let file = transcript.with_file_name(format!("{}.jsonl", self.id));
        self.transcript = Some(file.clone());
        let line = serde_json::json!({ "type": "user", "message": { "role": "user",
            "content": "<command-name>/clear</command-name>" }, "cwd": cwd(), "sessionId": self.id });
        append(&file, &line.to_string());
        if variable("STUB_STALE_RECORD").is_none() {
            self.write_record();
        }
        println!("AGENT claude {}", self.id);
    }
}

fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

fn slug(path: &str) -> String {
    let plain = |unit: u16| {
        u8::try_from(unit).ok().filter(u8::is_ascii_alphanumeric).map_or('-', char::from)
    };
    path.encode_utf16().map(plain).collect()
}
