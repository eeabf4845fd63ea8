//! Agents that were never prompted come back as they were started, also where nothing says which
//! conversation they are on; and each once.

use crate::support::sandbox::{ended, kill};
use crate::support::set_up::{SetUp, Started};
use crate::support::wait_until;
use serde_json::Value;

const A: &str = "11111111-0000-4000-8000-000000000001";

/// A set-up in which nothing is prompted but by the test.
fn silent() -> SetUp {
    let mut set_up = SetUp::new();
    set_up.set("STUB_PROMPTED", "");
    let profile = format!("export PATH={}:/usr/bin:/bin\n", set_up.bin().display());
    std::fs::write(set_up.sandbox.home().join(".bash_profile"), profile).unwrap();
    set_up
}

/// Types a line into a pane that starts an agent.
#[track_caller]
fn type_agent(set_up: &SetUp, pane: &str, line: &str) {
    let before = set_up.conversations().len();
    set_up.sandbox.wait_for_prompt(pane);
    set_up.type_line(pane, line);
    wait_until(line, || set_up.conversations().len() > before);
}

fn rows(set_up: &SetUp, command: &str) -> Vec<Value> {
    set_up.persist(command).ok().json()["rows"].as_array().unwrap().clone()
}

/// The agents that run: how often each was started with these arguments, in order.
fn running(set_up: &SetUp) -> Vec<String> {
    let started = set_up.started().into_iter().filter(|started| !ended(started.pid));
    let mut running: Vec<String> = started.map(|started| started.arguments()).collect();
    running.sort();
    running
}

fn kill_agents(set_up: &SetUp) {
    for started in set_up.started() {
        kill(started.pid);
        wait_until("the agent is gone", || ended(started.pid));
    }
}

/// What the newest snapshot says of the pane `a:0.0`: its conversation, and whether it was prompted.
fn saved(set_up: &SetUp) -> (Option<Vec<u8>>, Option<bool>) {
    set_up.save();
    let row = set_up.row("a:0.0");
    (row.conversation, row.prompted)
}

#[test]
fn a_codex_whose_title_shows_a_thread_that_is_on_no_disk_starts_anew_with_its_flags() {
    let set_up = silent();
    set_up.t("new-session -d -s a");
    type_agent(&set_up, "a:0.0", "STUB_DAEMON=1 STUB_TITLE=1 codex --yolo");
    let locks = set_up.sandbox.home().join(".codex/thread-writer-locks");
    std::fs::remove_dir_all(locks).unwrap();
    assert_eq!(saved(&set_up), (None, Some(false)));
    set_up.crash();
    let report = rows(&set_up, "restore --json");
    assert_eq!(report[0]["conversation"], Value::Null);
    assert_eq!(report[0]["reason"], "never prompted: starts a new conversation");
    set_up.wait_for_starts(2);
    set_up.persist("restore").ok();
    assert_eq!(running(&set_up), ["--no-daemon --yolo"]);
}

#[test]
fn a_codex_below_its_daemon_starts_anew_if_no_thread_of_its_directory_was_prompted() {
    let set_up = silent();
    let other = set_up.directory("other");
    set_up.tmux(["new-session", "-d", "-s", "b", "-c", &other]);
    type_agent(&set_up, "b:0.0", "STUB_PROMPTED=1 codex");
    set_up.t("new-session -d -s a");
    type_agent(&set_up, "a:0.0", "STUB_DAEMON=1 codex -m x");
    assert_eq!(saved(&set_up), (None, Some(false)));
    set_up.crash();
    set_up.restore();
    let starts = set_up.wait_for_starts(4);
    let anew = starts[2..].iter().filter(|start| start.arguments() == "--no-daemon -m x");
    assert_eq!(anew.count(), 1, "{starts:?}");
}

#[test]
fn a_codex_that_picks_a_thread_is_not_started_anew() {
    let set_up = silent();
    set_up.t("new-session -d -s a");
    type_agent(&set_up, "a:0.0", "STUB_DAEMON=1 codex resume");
    assert_eq!(saved(&set_up), (None, None));
    set_up.crash();
    let report = rows(&set_up, "restore --json");
    assert_eq!(report[0]["reason"], "codex ran here; its conversation is unknown");
}

#[test]
fn a_claude_without_a_record_that_was_never_prompted_starts_anew_with_its_flags() {
    let mut set_up = silent();
    set_up.set("STUB_NO_RECORD", "1");
    set_up.t("new-session -d -s a");
    type_agent(&set_up, "a:0.0", "claude --model opus");
    assert_eq!(saved(&set_up), (None, Some(false)));
    set_up.crash();
    set_up.restore();
    let again = set_up.wait_for_starts(2).pop().unwrap().arguments();
    assert!(again.starts_with("--model opus --session-id "), "{again}");
    // It is the same conversation as long as no save knows better: it is not lost if it is prompted.
    let id = set_up.conversation_shown("a:0.0");
    set_up.type_line("a:0.0", "words");
    wait_until("it has words", || set_up.conversations().last().unwrap().prompted);
    set_up.crash();
    set_up.restore();
    let again = set_up.wait_for_starts(3).pop().unwrap().arguments();
    assert_eq!(again, format!("--model opus --resume {id}"));
}

#[test]
fn a_claude_that_continues_something_is_not_started_anew() {
    let mut set_up = silent();
    set_up.set("STUB_NO_RECORD", "1");
    set_up.t("new-session -d -s a");
    type_agent(&set_up, "a:0.0", "claude --continue");
    assert_eq!(saved(&set_up), (None, None));
}

#[test]
fn a_killed_codex_that_was_never_prompted_starts_anew_in_its_pane() {
    let set_up = silent();
    set_up.t("new-session -d -s a");
    type_agent(&set_up, "a:0.0", "STUB_DAEMON=1 codex --yolo");
    assert_eq!(saved(&set_up), (None, Some(false)));
    let skipped = rows(&set_up, "restore --json a");
    assert_eq!(skipped[0]["reason"], "its conversation is live in a:0.0", "it runs");
    kill_agents(&set_up);
    set_up.sandbox.wait_for_prompt("a:0.0");
    let report = rows(&set_up, "restore --json");
    assert_eq!((&report[0]["action"], &report[0]["target"]), (&"in_place".into(), &"a:0.0".into()));
    set_up.wait_for_starts(2);
    assert_eq!(running(&set_up), ["--no-daemon --yolo"]);
}

/// A codex that was never prompted is killed where its pane is busy, and started once beside it.
fn once_beside(line: &str) {
    let set_up = silent();
    set_up.t("new-session -d -s a");
    type_agent(&set_up, "a:0.0", &format!("sleep 9999 & {line}"));
    assert_eq!(saved(&set_up).1, Some(false));
    kill_agents(&set_up);
    set_up.restore();
    set_up.wait_for_starts(2);
    for again in ["restore --json", "restore --json a", "restore --json"] {
        let row = rows(&set_up, again).remove(0);
        assert_eq!(row["action"], "skip", "{again}: {row}");
        assert!(row["target"].as_str().unwrap().starts_with("a-"), "{again}: {row}");
        assert_eq!(running(&set_up), ["--no-daemon --yolo"], "{again}");
        // Its own pane takes commands again: it is not resumed there now.
        set_up.type_line("=a:", "kill %1; wait; clear");
        set_up.sandbox.wait_for_prompt("=a:");
    }
}

#[test]
fn a_codex_that_was_never_prompted_is_started_once_beside_its_pane() {
    once_beside("codex --yolo");
}

#[test]
fn a_codex_whose_thread_is_unknown_is_started_once_beside_its_pane() {
    once_beside("STUB_DAEMON=1 codex --yolo");
}

#[test]
fn a_conversation_that_was_restored_beside_its_pane_and_left_for_a_new_one_is_not_resumed_again() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    type_agent(&set_up, "a:0.0", &format!("sleep 9999 & claude --session-id {A}"));
    set_up.save();
    kill_agents(&set_up);
    let target = rows(&set_up, "restore --json")[0]["target"].as_str().unwrap().to_owned();
    set_up.wait_for_starts(2);
    let beside = format!("={target}:");
    set_up.conversation_shown(&beside);
    set_up.type_line(&beside, "/clear");
    wait_until("it is on a new one", || set_up.conversation_shown(&beside) != A);
    let row = rows(&set_up, "restore --json").remove(0);
    assert_eq!(row["action"], "skip", "{row}");
    assert_eq!(row["reason"], format!("its pane {target}:0.0 runs another conversation now"));
    assert_eq!(set_up.started().len(), 2);
}

#[test]
fn a_forked_thread_is_resumed_and_known_below_a_daemon_by_its_parent() {
    let set_up = silent();
    set_up.t("new-session -d -s keep");
    type_agent(&set_up, "keep:0.0", "STUB_PROMPTED=1 codex");
    let parent = set_up.conversations().pop().unwrap().conversation;
    // Another thread of the directory is written, too.
    set_up.t("new-session -d -s other");
    type_agent(&set_up, "other:0.0", "STUB_PROMPTED=1 codex");
    set_up.t("new-session -d -s a");
    type_agent(&set_up, "a:0.0", &format!("STUB_DAEMON=1 codex --yolo fork {parent}"));
    let fork = set_up.conversations().pop().unwrap().conversation;
    assert_ne!(fork, parent);
    assert_eq!(saved(&set_up), (Some(fork.clone().into_bytes()), Some(true)));
    set_up.crash();
    set_up.restore();
    let starts = set_up.wait_for_starts(6);
    let expected = format!("--no-daemon --yolo resume {fork}");
    let again = starts[3..].iter().filter(|start| start.arguments() == expected);
    assert_eq!(again.count(), 1, "{starts:?}");
}

#[test]
fn a_thread_that_was_prompted_after_the_last_save_is_resumed_though_no_save_knew_it() {
    let set_up = silent();
    set_up.t("new-session -d -s a");
    type_agent(&set_up, "a:0.0", "STUB_DAEMON=1 codex --yolo");
    assert_eq!(saved(&set_up), (None, Some(false)));
    let saved = terminal_lobby::sys::clock::now();
    wait_until("that second is over", || terminal_lobby::sys::clock::now() > saved);
    set_up.type_line("a:0.0", "words");
    wait_until("it has words", || set_up.conversations().last().unwrap().prompted);
    let id = set_up.conversations().pop().unwrap().conversation;
    set_up.crash();
    set_up.restore();
    let again = set_up.wait_for_starts(2).pop().unwrap().arguments();
    assert_eq!(again, format!("--no-daemon --yolo resume {id}"));
    set_up.persist("restore").ok();
    assert_eq!(running(&set_up), [again]);
}

#[test]
fn an_agent_that_its_launcher_has_not_started_yet_is_not_started_again() {
    let set_up = silent();
    set_up.t("new-session -d -s a");
    type_agent(&set_up, "a:0.0", "sleep 9999 & codex --yolo");
    assert_eq!(saved(&set_up).1, Some(false));
    kill_agents(&set_up);
    // The launcher asks the login shell for its environment before it starts the agent.
    let held = set_up.sandbox.home().join("held");
    std::fs::write(&held, "").unwrap();
    let profile = set_up.sandbox.home().join(".bash_profile");
    let text = std::fs::read_to_string(&profile).unwrap();
    let wait = format!("while [ -e {} ]; do sleep 0.01; done\n", held.display());
    std::fs::write(&profile, text + &wait).unwrap();
    set_up.restore();
    for again in ["restore --json", "restore --json a"] {
        let row = rows(&set_up, again).remove(0);
        assert_eq!(row["action"], "skip", "{again}: {row}");
    }
    std::fs::remove_file(held).unwrap();
    set_up.wait_for_starts(2);
    assert_eq!(running(&set_up), ["--no-daemon --yolo"]);
}

#[test]
fn a_view_of_conversations_comes_back_with_its_account() {
    let set_up = silent();
    let home = set_up.sandbox.home();
    let account = |variable: &str| format!("{variable}={}/other", home.display());
    set_up.t("new-session -d -s a");
    type_agent(&set_up, "a:0.0", &format!("{} codex agents", account("CODEX_HOME")));
    set_up.t("new-session -d -s b");
    let claude = format!("exec env {} claude agents", account("CLAUDE_CONFIG_DIR"));
    type_agent(&set_up, "b:0.0", &claude);
    set_up.save();
    set_up.crash();
    set_up.restore();
    for start in &set_up.wait_for_starts(4)[2..] {
        assert_eq!(start.arguments(), "agents");
        let name =
            if start.argv[0].ends_with("codex") { "CODEX_HOME" } else { "CLAUDE_CONFIG_DIR" };
        assert_eq!(start.env[name], format!("{}/other", home.display()));
    }
}

#[test]
fn a_view_of_conversations_is_found_below_what_started_it() {
    let set_up = silent();
    let lines = [
        "claude agents",
        "timeout --foreground 1d codex agents",
        "script -qec 'claude attach 0d0a8f5e' /dev/null",
        "script -qec 'timeout 1d codex agents' /dev/null; read -r more",
        "exec dash -c 'claude agents; true'",
    ];
    for (number, line) in lines.iter().enumerate() {
        set_up.t(&format!("new-session -d -s s{number}"));
        type_agent(&set_up, &format!("s{number}:0.0"), line);
    }
    for round in 1..3 {
        set_up.save();
        set_up.crash();
        set_up.restore();
        let starts = set_up.wait_for_starts(5 * round + 5);
        let mut again: Vec<String> = starts[5 * round..].iter().map(Started::arguments).collect();
        again.sort();
        assert_eq!(
            again,
            ["agents", "agents", "agents", "agents", "attach 0d0a8f5e"],
            "round {round}"
        );
    }
}
