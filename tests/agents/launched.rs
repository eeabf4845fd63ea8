//! The real agents through `start-claude`: how they begin, what is known of them, how they end.

use super::{Place, pane_at};
use crate::support::sandbox::kill;
use crate::support::{AgentLab, run, wait_until};
use serde_json::Value;
use std::path::Path;

fn start_claude() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_persist")).with_file_name("start-claude");
    program.to_str().unwrap().to_owned()
}

/// `persist ARGS` on the state that the launcher's own calls go to.
fn persist(lab: &AgentLab, args: &[&str]) -> Value {
    run(lab.command(env!("CARGO_BIN_EXE_persist")).args(args).arg("--json")).ok().json()
}

fn argv(pid: i32) -> Vec<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    text.trim_end_matches('\0').split('\0').map(str::to_owned).collect()
}

#[test]
fn id_and_name_arrive_a_kill_leaves_a_shell_an_exit_closes_and_restore_goes_through_the_launcher() {
    let Some(lab) = AgentLab::new() else { return };
    let work = lab.sandbox.work();
    let code = work.to_str().unwrap().to_owned();
    let program = [&start_claude(), "--code-dir", &code];
    let launch = |session| {
        let pane = lab.start(&["new-session", "-s", session], Path::new("/"), &program);
        lab.claude_in(&pane)
    };
    let (dies, closes) = (launch("dies"), launch("closes"));
    for (agent, session) in [(&dies, "dies"), (&closes, "closes")] {
        let record = lab.live_record(agent.pid).unwrap();
        assert_eq!(
            (&record["name"], &record["cwd"]),
            (&session.into(), &Value::from(work.canonicalize().unwrap().to_str().unwrap()))
        );
        assert_eq!(argv(agent.pid)[1..], ["--session-id", &agent.conversation, "--name", session]);
        lab.prompt(agent, &format!("this is {session}"));
    }
    let described = persist(&lab, &["conversation", &dies.conversation]);
    assert_eq!(
        (&described["agent"], &described["title"]),
        (&"claude".into(), &"this is dies".into())
    );
    assert_eq!(described["cwd"], work.canonicalize().unwrap().to_str().unwrap());
    persist(&lab, &["save"]);

    kill(dies.pid);
    let resume = format!("resume it with: start-claude --resume {}", dies.conversation);
    wait_until("the pane says how to resume", || {
        lab.screen(&dies.pane).replace('\n', "").contains(&resume)
    });
    lab.enter(&dies.pane, "echo shell-$((40 + 2))");
    wait_until("a shell answers", || lab.screen(&dies.pane).contains("shell-42"));
    lab.enter(&closes.pane, "/exit");
    wait_until("the pane is closed", || lab.sandbox.panes("#{session_name}") == ["dies"]);

    lab.sandbox.crash();
    let restored = persist(&lab, &["restore"]);
    let rows = restored["rows"].as_array().unwrap();
    let fate = |row: &Value| {
        (row["session"].as_str().unwrap().to_owned(), row["result"].as_str().unwrap().to_owned())
    };
    let fates: Vec<_> = rows.iter().map(fate).collect();
    assert!(fates.contains(&("dies".to_owned(), "restored".to_owned())), "{restored:#}");
    // A save since its end, and there may have been one by itself, knows it no more.
    let other = fates.iter().filter(|(session, _)| session == "closes");
    assert!(other.into_iter().all(|(_, result)| result == "not selected"), "{restored:#}");
    assert_eq!(lab.sandbox.panes("#{session_name}"), ["dies"]);
    let pane = pane_at(&lab, Place("dies", 0, 0));
    let first = lab.pane(&pane, "#{pane_pid}").parse().unwrap();
    assert_eq!(argv(first)[0], start_claude());
    let agent = lab.claude_in(&pane);
    assert_eq!(argv(agent.pid)[1..], ["--resume", &dies.conversation]);
    assert_eq!(lab.prompt(&agent, "recall").user_texts, ["this is dies", "recall"]);
}

#[test]
fn codex_is_started_without_an_id_and_its_conversation_is_described() {
    let Some(lab) = AgentLab::new() else { return };
    let work = lab.sandbox.work();
    let program = [&start_claude(), "--agent", "codex", "--code-dir", work.to_str().unwrap()];
    let pane = lab.start(&["new-session", "-s", "one"], Path::new("/"), &program);
    let codex = lab.codex_in(&pane);
    lab.prompt(&codex, "hello codex");
    let described = persist(&lab, &["conversation", &codex.conversation]);
    assert_eq!(
        (&described["agent"], &described["title"]),
        (&"codex".into(), &"hello codex".into())
    );
    assert_eq!(described["cwd"], work.canonicalize().unwrap().to_str().unwrap());
}

#[test]
fn an_agent_that_a_signal_ends_alone_is_lost_and_not_closed() {
    use nix::sys::signal::{Signal, kill};
    let Some(lab) = AgentLab::new() else { return };
    let code = lab.sandbox.work().to_str().unwrap().to_owned();
    // What watchdogs of memory send first: the agent cleans up and exits by itself.
    for (session, signal) in [("term", Signal::SIGTERM), ("hup", Signal::SIGHUP)] {
        let program = [&start_claude(), "--code-dir", &code];
        let pane = lab.start(&["new-session", "-s", session], Path::new("/"), &program);
        let agent = lab.claude_in(&pane);
        lab.prompt(&agent, "hello");
        kill(nix::unistd::Pid::from_raw(agent.pid), signal).unwrap();
        wait_until("the pane says how to resume", || {
            lab.screen(&pane).contains("start-claude --resume")
        });
    }
    persist(&lab, &["save"]);
    lab.sandbox.crash();
    let restored = persist(&lab, &["restore", "--dry-run"]);
    for row in restored["rows"].as_array().unwrap() {
        assert_eq!((&row["action"], &row["selected"]), (&"new".into(), &true.into()), "{row}");
        assert!(row["mode"].is_string(), "an agent starts there: {row}");
    }
}
