//! A process that passes for Claude Code: named `claude`, with a live record of its own.

use crate::support::host::{BIN, Host};

/// Waits on its terminal, whatever its arguments.
const SCRIPT: &str = "while :; do read -r _ || exec sleep 100000; done\n";

/// Starts a session that runs `claude ... --session-id UUID` in the user's home; its pid.
pub(super) fn start(host: &Host, user: &str, session: &str, arguments: &[&str]) -> i32 {
    host.install("claude", "/bin/dash".as_ref());
    host.install_bytes("wait.sh", SCRIPT.as_bytes());
    let home = format!("/home/{user}");
    let program = [format!("{BIN}/claude"), format!("{BIN}/wait.sh")];
    let args = ["new-session", "-d", "-P", "-F", "#{pane_pid}", "-s", session, "-c", &home, "--"];
    let args = [&args[..], &[&program[0], &program[1]], arguments].concat();
    host.tmux(user, args).ok().out().trim().parse().unwrap()
}

/// The live record that Claude Code writes for this process and conversation.
pub(super) fn record(host: &Host, user: &str, pid: i32, conversation: &str) -> String {
    let stat = host.sh(&format!("cat /proc/{pid}/stat"));
    let begin = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap();
    serde_json::json!({
        "pid": pid, "sessionId": conversation, "cwd": format!("/home/{user}"), "procStart": begin,
        "startedAt": 1, "updatedAt": 1, "version": "2.1.197", "kind": "interactive",
        "entrypoint": "cli", "name": "x", "status": "idle",
    })
    .to_string()
}

/// Writes the live record in the place where Claude Code keeps it.
pub(super) fn write_record(host: &Host, user: &str, pid: i32, conversation: &str) {
    let record = record(host, user, pid, conversation);
    let file = format!(".claude/sessions/{pid}.json");
    let script = format!("cd; mkdir -p .claude/sessions; printf %s '{record}' >{file}");
    host.sh_as(user, &script);
}

/// The conversation that the newest snapshot holds for a user's session.
#[track_caller]
pub(super) fn conversation(host: &Host, user: &str, session: &str) -> Option<String> {
    let show = host.persist(["show", "--user", user, "--json"]).ok().json();
    let rows = show["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["session"] == session);
    let row = row.unwrap_or_else(|| panic!("no {session} in {show}"));
    row["conversation"].as_str().map(str::to_owned)
}
