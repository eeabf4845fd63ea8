//! What an agent and its hooks left, changed by a test.

use crate::support::set_up::SetUp;
use crate::support::wait_for;
use serde_json::Value;
use std::path::PathBuf;

/// The process of the agent in a pane that it is the first process of.
pub(super) fn stub_pid(set_up: &SetUp, pane: &str) -> i32 {
    let pid = set_up.tmux(["display-message", "-p", "-t", pane, "#{pane_pid}"]).out();
    pid.trim().parse().unwrap()
}

/// The live record that names a conversation.
pub(super) fn record_of(set_up: &SetUp, id: &str) -> Option<PathBuf> {
    let records = std::fs::read_dir(set_up.sandbox.home().join(".claude/sessions")).ok()?;
    let mut files = records.filter_map(|file| Some(file.ok()?.path()));
    files.find(|file| std::fs::read_to_string(file).is_ok_and(|text| text.contains(id)))
}

/// Changes the live record of a pane's agent.
pub(super) fn edit_record(set_up: &SetUp, pane: &str, change: impl FnOnce(&mut Value)) {
    let pid = stub_pid(set_up, pane);
    let file = set_up.sandbox.home().join(format!(".claude/sessions/{pid}.json"));
    let mut record = wait_for("a live record", || {
        serde_json::from_str(&std::fs::read_to_string(&file).ok()?).ok()
    });
    change(&mut record);
    std::fs::write(file, record.to_string()).unwrap();
}

/// Marks a pane as a hook of its agent does now.
pub(super) fn lay_stamp(set_up: &SetUp, pane: &str, id: &str) {
    let pid = stub_pid(set_up, pane);
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let ticks = stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap().to_owned();
    let at = terminal_lobby::sys::clock::since_boot();
    let stamp = format!("claude:{id}:{pid}:{ticks}");
    set_up.tmux(["set-option", "-p", "-t", pane, "@conversation", &stamp]);
    set_up.tmux(["set-option", "-p", "-t", pane, "@agent_event", &format!("{at:020}")]);
}

/// The transcript of a conversation of Claude Code in its default place.
pub(super) fn transcript(set_up: &SetUp, id: &str) -> PathBuf {
    let projects = std::fs::read_dir(set_up.sandbox.home().join(".claude/projects")).unwrap();
    let files = projects.map(|dir| dir.unwrap().path().join(format!("{id}.jsonl")));
    files.into_iter().find(|file| file.exists()).unwrap()
}
