//! A stub of Claude Code, for what does not need the real one: it keeps a live record like the
//! real program and answers nothing. `tests/agents/` runs the real ones.

use super::{Run, Sandbox, wait_for};
use std::path::PathBuf;

/// Conversation ids for tests.
pub(crate) fn id(n: u32) -> String {
    format!("0d0a8f5e-0000-4000-8000-{n:012}")
}

const STUB: &str = include_str!("../boot/stub-claude");

impl Sandbox {
    /// Puts the stub where the launcher finds agents.
    pub(crate) fn install_stub_agent(&self) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let bin = self.home().join(".local/bin");
        std::fs::create_dir_all(&bin).unwrap();
        let stub = bin.join("claude");
        std::fs::write(&stub, STUB).unwrap();
        std::fs::set_permissions(&stub, std::fs::Permissions::from_mode(0o755)).unwrap();
        stub
    }

    /// Runs the stub in a new pane, with a tmux command that makes one, and waits for its record.
    pub(crate) fn stub_in(&self, new_pane: &[&str], id: &str) -> Run {
        let stub = self.install_stub_agent();
        let mut args: Vec<&str> = new_pane.to_vec();
        args.extend(["--", "/bin/sh", stub.to_str().unwrap(), "--session-id", id]);
        let run = self.tmux(args).ok();
        self.wait_for_agent(id);
        run
    }

    /// Waits until a live stub runs a conversation.
    pub(crate) fn wait_for_agent(&self, id: &str) {
        wait_for(&format!("an agent on {id}"), || self.agents_on(id).first().copied());
    }

    /// The live stubs that run a conversation.
    pub(crate) fn agents_on(&self, id: &str) -> Vec<i32> {
        let Ok(records) = std::fs::read_dir(self.home().join(".claude/sessions")) else {
            return Vec::new();
        };
        let files = records.filter_map(Result::ok).filter(|file| {
            std::fs::read_to_string(file.path()).is_ok_and(|text| text.contains(id))
        });
        let pids = files.filter_map(|file| {
            file.file_name().to_str()?.strip_suffix(".json")?.parse::<i32>().ok()
        });
        pids.filter(|pid| {
            std::fs::read_to_string(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|c| c.contains("claude"))
        })
        .collect()
    }

    /// Gives a conversation of the `work` directory a transcript, as a first prompt does.
    pub(crate) fn prompt(&self, id: &str) -> PathBuf {
        let work = self.work().canonicalize().unwrap();
        let slug: String = work
            .to_str()
            .unwrap()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let project = self.home().join(".claude/projects").join(slug);
        std::fs::create_dir_all(&project).unwrap();
        let transcript = project.join(format!("{id}.jsonl"));
        std::fs::write(&transcript, "{\"type\":\"user\"}\n").unwrap();
        transcript
    }
}
