//! What a hook leaves: marks on its pane, the record of a close, a snapshot.

use crate::support::stub_agent::id;
use crate::support::{Sandbox, wait_until};
use std::path::PathBuf;

/// A pane in which a program called `claude` calls hooks when it is told.
struct Hooked<'a> {
    sandbox: &'a Sandbox,
    pane: String,
    pid: i32,
    fifo: PathBuf,
}

impl<'a> Hooked<'a> {
    fn new(sandbox: &'a Sandbox, session: &str) -> Self {
        let (bin, fifo) = (sandbox.root().join("bin"), sandbox.root().join(session));
        std::fs::create_dir_all(&bin).unwrap();
        let script = bin.join("claude");
        std::fs::write(&script, "while :; do sh -c \"$(cat \"$1\")\"; done\n").unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let (script, path) = (script.to_str().unwrap(), fifo.to_str().unwrap());
        let new = ["new-session", "-d", "-P", "-F", "#{pane_id} #{pane_pid}", "-s", session];
        let run = sandbox.tmux(new.into_iter().chain(["--", "/bin/sh", script, path])).ok().out();
        let (pane, pid) = run.trim().split_once(' ').unwrap();
        Self { sandbox, pane: pane.to_owned(), pid: pid.parse().unwrap(), fifo }
    }

    /// Runs a shell command below the agent, to its end.
    fn tell(&self, command: &str) {
        let done = self.fifo.with_extension("done");
        let _ = std::fs::remove_file(&done);
        std::fs::write(&self.fifo, format!("{command}\ntouch {}", done.display())).unwrap();
        wait_until("the agent did it", || done.exists());
    }

    /// Has the agent call the hook.
    fn event(&self, id: &str, event: &str, more: &str) {
        let command = self.sandbox.persist_command(["hook", "--agent", "claude"]);
        let words: Vec<_> =
            std::iter::once(command.get_program()).chain(command.get_args()).collect();
        let words = words.join(std::ffi::OsStr::new(" ")).into_string().unwrap();
        let json = format!(r#"{{"session_id":"{id}","hook_event_name":"{event}"{more}}}"#);
        self.tell(&format!("echo '{json}' | {words} >/dev/null 2>&1 || :"));
    }

    fn stamp(&self, id: &str) -> String {
        format!("claude:{id}:{}:{}", self.pid, start_of(self.pid))
    }

    fn marks(&self) -> String {
        let format = "#{pane_id} #{@conversation} #{@agent_state} #{?@agent_closed,closed,open}";
        let panes = self.sandbox.panes(format);
        let found = panes.iter().find_map(|line| line.strip_prefix(&format!("{} ", self.pane)));
        found.unwrap_or_default().to_owned()
    }

    #[track_caller]
    fn wait_for_marks(&self, expected: &str) {
        wait_until(&format!("marks {expected}"), || self.marks() == expected);
    }
}

fn start_of(pid: i32) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.split(' ').nth(22 - 3).unwrap().to_owned()
}

/// The newest snapshot's row of a session.
fn row(sandbox: &Sandbox, session: &str) -> Option<String> {
    let link = sandbox.state().join(format!("{}.tsv", crate::support::sandbox::user()));
    let text = String::from_utf8(std::fs::read(link).ok()?).unwrap();
    text.lines().find(|line| line.starts_with(&format!("{session}\t"))).map(str::to_owned)
}

#[test]
fn each_event_marks_the_pane_and_the_save_after_it_knows_the_conversation_by_the_stamp() {
    let sandbox = Sandbox::new();
    let agent = Hooked::new(&sandbox, "one");
    let (first, second) = (id(1), id(2));
    agent.event(&first, "SessionStart", r#","source":"startup""#);
    agent.wait_for_marks(&format!("{} idle open", agent.stamp(&first)));
    wait_until("a snapshot has it", || {
        row(&sandbox, "one").is_some_and(|row| row.contains(&first) && row.contains("\tstamp\t"))
    });
    agent.event(&first, "UserPromptSubmit", "");
    agent.wait_for_marks(&format!("{} busy open", agent.stamp(&first)));
    agent.event(&first, "Notification", r#","notification_type":"permission_prompt""#);
    agent.wait_for_marks(&format!("{} waiting open", agent.stamp(&first)));
    agent.event(&first, "Stop", "");
    agent.wait_for_marks(&format!("{} idle open", agent.stamp(&first)));
    // `/clear`: nothing ended, the stamp moves.
    agent.event(&first, "SessionEnd", r#","reason":"clear""#);
    agent.event(&second, "SessionStart", r#","source":"clear""#);
    agent.wait_for_marks(&format!("{} idle open", agent.stamp(&second)));
    wait_until("a snapshot has the new one", || {
        row(&sandbox, "one").is_some_and(|row| row.contains(&second))
    });
    let endings = sandbox.user_state().join("endings.tsv");
    assert!(!endings.exists(), "nothing was closed");
    // Signals end so, too: no proof of anything.
    agent.event(&second, "SessionEnd", r#","reason":"other""#);
    agent.wait_for_marks(&format!("{} ended open", agent.stamp(&second)));
    assert!(!endings.exists(), "nothing was closed");
    agent.event(&second, "SessionEnd", r#","reason":"prompt_input_exit""#);
    agent.wait_for_marks(&format!("{} ended closed", agent.stamp(&second)));
    wait_until("the close is on record", || {
        std::fs::read_to_string(&endings)
            .is_ok_and(|text| text.contains(&format!("\t{second}\tclaude\tclosed\t")))
    });
}

#[test]
fn a_stamp_of_another_process_or_another_time_is_not_believed() {
    let sandbox = Sandbox::new();
    let agent = Hooked::new(&sandbox, "one");
    let start: u64 = start_of(agent.pid).parse().unwrap();
    let believed = |stamp: &str| {
        sandbox.tmux(["set-option", "-p", "-t", &agent.pane, "@conversation", stamp]).ok();
        sandbox.persist(["save"]).ok();
        row(&sandbox, "one").unwrap().contains(&id(1))
    };
    assert!(believed(&agent.stamp(&id(1))));
    for stamp in [
        format!("claude:{}:{}:{}", id(1), agent.pid, start + 1),
        format!("claude:{}:{}:{start}", id(1), agent.pid + 1),
        format!("codex:{}:{}:{start}", id(1), agent.pid),
        format!("claude:{}", id(1)),
        "claude:\n\t#(touch x)':1:1".to_owned(),
    ] {
        assert!(!believed(&stamp), "{stamp}");
    }
}

#[test]
fn an_agent_that_an_agent_runs_and_one_that_only_asks_speak_for_no_pane() {
    let sandbox = Sandbox::new();
    let agent = Hooked::new(&sandbox, "one");
    let command = sandbox.persist_command(["hook"]);
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    let words = words.join(std::ffi::OsStr::new(" ")).into_string().unwrap();
    let json = |id: &str| format!(r#"{{"session_id":"{id}","hook_event_name":"SessionStart"}}"#);
    let inner = sandbox.root().join("inner").join("claude");
    std::fs::create_dir(inner.parent().unwrap()).unwrap();
    std::fs::write(&inner, format!("echo '{}' | {words}; :\n", json(&id(2)))).unwrap();
    agent.tell(&format!("sh {0}; sh {0} -p words; :", inner.display()));
    agent.event(&id(1), "SessionStart", "");
    agent.wait_for_marks(&format!("{} idle open", agent.stamp(&id(1))));
}

#[test]
fn events_that_overtake_each_other_leave_the_last_one() {
    let sandbox = Sandbox::new();
    let agent = Hooked::new(&sandbox, "one");
    let command = sandbox.persist_command(["hook"]);
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    let words = words.join(std::ffi::OsStr::new(" ")).into_string().unwrap();
    let json = |event: &str| format!(r#"{{"session_id":"{}","hook_event_name":"{event}"}}"#, id(1));
    let turn = |event: &str| format!("echo '{}' | {words}\n", json(event));
    let turns = (turn("UserPromptSubmit") + &turn("Stop")).repeat(20);
    agent.tell(&(turns + &turn("UserPromptSubmit")));
    agent.wait_for_marks(&format!("{} busy open", agent.stamp(&id(1))));
}

#[test]
fn an_agent_that_is_slow_to_write_waits_for_nothing_and_is_heard() {
    let sandbox = Sandbox::new();
    let agent = Hooked::new(&sandbox, "one");
    let command = sandbox.persist_command(["hook"]);
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    let words = words.join(std::ffi::OsStr::new(" ")).into_string().unwrap();
    let pipe = sandbox.root().join("slow");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // The shell opens the pipe for both ends, and writes when the hook is back.
    let json = format!(r#"{{"session_id":"{}","hook_event_name":"SessionStart"}}"#, id(1));
    let pipe = pipe.display();
    agent.tell(&format!("exec 9<>{pipe}; {words} <{pipe}; exec 8>{pipe} 9>&-; echo '{json}' >&8"));
    agent.wait_for_marks(&format!("{} idle open", agent.stamp(&id(1))));
}
