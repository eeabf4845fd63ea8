//! Lost or closed: what vanished without a word comes back, what was closed does not.

use crate::support::sandbox::kill_tree;
use crate::support::stub_agent::id;
use crate::support::{Sandbox, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn work(sandbox: &Sandbox) -> String {
    sandbox.work().to_str().unwrap().to_owned()
}

/// An agent in a session of its own, prompted.
fn agent(sandbox: &Sandbox, session: &str, n: u32) {
    sandbox.stub_in(&["new-session", "-d", "-s", session, "-c", &work(sandbox)], &id(n));
    sandbox.prompt(&id(n));
}

/// Kills the agent on a conversation, as the kernel does when memory runs out.
fn kill(sandbox: &Sandbox, n: u32) {
    sandbox.agents_on(&id(n)).into_iter().for_each(kill_tree);
    wait_until("the agent is gone", || sandbox.agents_on(&id(n)).is_empty());
}

fn save(sandbox: &Sandbox) -> Value {
    sandbox.persist(["save", "--json"]).ok().json()["users"][0].clone()
}

fn restore(sandbox: &Sandbox, args: &[&str]) -> Vec<Value> {
    let json = sandbox.persist([&["restore", "--json"], args].concat()).ok().json();
    json["rows"].as_array().unwrap().clone()
}

/// Session, state, action, result of each row.
fn told(rows: &[Value]) -> Vec<String> {
    let word = |row: &Value, key: &str| row[key].as_str().unwrap_or("-").to_owned();
    let tell =
        |row: &Value| ["session", "state", "action", "result"].map(|key| word(row, key)).join(" ");
    rows.iter().map(tell).collect()
}

fn states(sandbox: &Sandbox) -> Vec<String> {
    let snapshot = terminal_lobby::snapshot::decode(&sandbox.latest()).unwrap();
    let tell = |row: &terminal_lobby::snapshot::Row| {
        format!("{} {}", String::from_utf8_lossy(&row.session), row.state.word())
    };
    snapshot.rows.iter().map(tell).collect()
}

#[test]
fn lesson_02_saves_while_agents_are_being_killed_lose_none_and_what_was_closed_stays_closed() {
    let sandbox = Sandbox::new();
    let name = |n: u32| format!("s{n:02}");
    for n in 1..=18 {
        agent(&sandbox, &name(n), n);
    }
    assert_eq!(save(&sandbox)["sessions"], 18);
    // An agent is gone before its server has closed its pane.
    let are_left = |count: usize| {
        let is_so = || sandbox.panes("#{session_name}").len() == count;
        wait_until(&format!("{count} sessions are left"), is_so);
    };
    (1..=5).for_each(|n| kill(&sandbox, n));
    are_left(13);
    let second = save(&sandbox);
    assert_eq!((&second["sessions"], &second["lost"]), (&json!(18), &json!(5)));
    sandbox.persist(["forget", "--kill", &name(18)]).ok();
    (6..=9).for_each(|n| kill(&sandbox, n));
    are_left(8);
    let third = save(&sandbox);
    assert_eq!((&third["sessions"], &third["lost"]), (&json!(17), &json!(9)));
    sandbox.crash();
    // However little memory the machine has left.
    let rows = restore(&sandbox, &["--mode", "eager"]);
    assert!(rows.iter().all(|row| row["result"] == "restored"), "{rows:?}");
    (1..=17).for_each(|n| sandbox.wait_for_agent(&id(n)));
    let live: BTreeSet<String> = sandbox.panes("#{session_name}").into_iter().collect();
    assert_eq!(live, (1..=17).map(name).collect());
    assert!(sandbox.agents_on(&id(18)).is_empty());
}

#[test]
fn lesson_01_a_save_that_sees_two_survivors_keeps_the_fourteen() {
    let sandbox = Sandbox::new();
    for n in 0..14 {
        sandbox.tmux(["new-session", "-d", "-s", &format!("s{n:02}")]).ok();
    }
    save(&sandbox);
    sandbox.crash();
    for n in 0..2 {
        let name = format!("s{n:02}");
        wait_until("a new server", || sandbox.tmux(["new-session", "-d", "-s", &name]).code == 0);
    }
    let after = save(&sandbox);
    assert_eq!((&after["sessions"], &after["lost"]), (&json!(14), &json!(12)));
    restore(&sandbox, &[]);
    assert_eq!(sandbox.panes("#{session_name}").len(), 14);
}

#[test]
fn a_lost_agent_resumes_in_the_very_pane_where_its_shell_waits() {
    let sandbox = Sandbox::new();
    let work = work(&sandbox);
    let stub = sandbox.install_stub_agent();
    sandbox.prompt(&id(1));
    // An interactive shell, in which a person starts the agent.
    sandbox.tmux(["new-session", "-d", "-s", "one", "-c", &work]).ok();
    sandbox.tmux(["split-window", "-t", "one", "-c", "/usr"]).ok();
    let line = format!("sh {} --resume {}", stub.display(), id(1));
    sandbox.tmux(["send-keys", "-t", "=one:0.0", "-l", "--", &line]).ok();
    sandbox.tmux(["send-keys", "-t", "=one:0.0", "Enter"]).ok();
    sandbox.wait_for_agent(&id(1));
    save(&sandbox);
    kill(&sandbox, 1);
    sandbox.wait_for_prompt("=one:0.0");
    let saved = save(&sandbox);
    assert_eq!(
        saved["notes"][0],
        "lost since the last save: one ('persist restore' brings it back)"
    );
    assert_eq!(states(&sandbox), ["one lost", "one shell"]);
    assert_eq!(save(&sandbox)["result"], "unchanged", "what is lost is an equal state");
    let panes = sandbox.panes("#{pane_id} #{pane_index}");
    let dry = sandbox.persist(["restore", "--dry-run", "--json"]).ok().json();
    assert_eq!(dry["rows"][0]["action"], "in_place");
    assert_eq!(dry["rows"][0]["target"], "one:0.0");
    let rows = restore(&sandbox, &[]);
    assert_eq!(told(&rows), ["one lost in_place restored", "one shell skip skipped"]);
    sandbox.wait_for_agent(&id(1));
    assert_eq!(sandbox.panes("#{pane_id} #{pane_index}"), panes, "in that very pane");
    assert_eq!(sandbox.panes("#{pane_current_path}")[0], work);
    let again = restore(&sandbox, &[]);
    assert!(again.iter().all(|row| row["action"] == "skip"), "{again:?}");
    save(&sandbox);
    assert_eq!(states(&sandbox), ["one live", "one shell"]);
}

#[test]
fn a_pane_in_which_something_runs_is_left_alone() {
    let sandbox = Sandbox::new();
    let work = work(&sandbox);
    let stub = sandbox.install_stub_agent();
    sandbox.prompt(&id(1));
    sandbox.tmux(["new-session", "-d", "-s", "one", "-c", &work]).ok();
    let enter = |line: &str| {
        sandbox.tmux(["send-keys", "-t", "=one:0.0", "-l", "--", line]).ok();
        sandbox.tmux(["send-keys", "-t", "=one:0.0", "Enter"]).ok();
    };
    enter(&format!("sh {} --resume {}", stub.display(), id(1)));
    sandbox.wait_for_agent(&id(1));
    save(&sandbox);
    kill(&sandbox, 1);
    enter("sleep 1000");
    wait_until("something runs", || sandbox.panes("#{pane_current_command}") == ["sleep"]);
    save(&sandbox);
    let rows = restore(&sandbox, &[]);
    assert_eq!(told(&rows), ["one lost renamed restored"]);
    assert_eq!(rows[0]["reason"], "its pane one:0.0 runs something else now");
    assert_eq!(sandbox.panes("#{pane_current_command}")[0], "sleep");
}

#[test]
fn a_pane_in_which_a_script_runs_is_left_alone_though_nothing_runs_below_it() {
    let sandbox = Sandbox::new();
    agent(&sandbox, "one", 1);
    sandbox.tmux(["set-option", "-w", "-t", "=one:", "remain-on-exit", "on"]).ok();
    save(&sandbox);
    kill(&sandbox, 1);
    wait_until("the pane is dead", || sandbox.panes("#{pane_dead}") == ["1"]);
    let script = sandbox.work().join("deploy.sh");
    std::fs::write(&script, "while :; do read line; done\n").unwrap();
    let script = script.to_str().unwrap();
    sandbox.tmux(["respawn-pane", "-t", "=one:", "--", "sh", script]).ok();
    save(&sandbox);
    let before = sandbox.panes("#{pane_pid}");
    let rows = restore(&sandbox, &[]);
    assert_eq!(told(&rows), ["one lost renamed restored"]);
    assert_eq!(rows[0]["reason"], "its pane one:0.0 runs something else now");
    assert_eq!(sandbox.panes("#{pane_pid} #{pane_dead}")[0], format!("{} 0", before[0]));
}

#[test]
fn lesson_18_a_name_that_other_work_took_gives_one_renamed_session_however_often() {
    let sandbox = Sandbox::new();
    agent(&sandbox, "one", 1);
    sandbox.tmux(["new-session", "-d", "-s", "keep"]).ok();
    save(&sandbox);
    kill(&sandbox, 1);
    wait_until("the session is gone", || sandbox.panes("#{session_name}") == ["keep"]);
    sandbox.tmux(["new-session", "-d", "-s", "one", "--", "sleep", "1000"]).ok();
    save(&sandbox);
    for round in 0..3 {
        let rows = restore(&sandbox, &[]);
        let actions: Vec<&Value> = rows
            .iter()
            .filter(|row| !row["conversation"].is_null())
            .map(|r| &r["action"])
            .collect();
        let expected = if round == 0 { "renamed" } else { "skip" };
        assert!(actions.iter().all(|action| *action == expected), "{rows:?}");
        sandbox.wait_for_agent(&id(1));
    }
    let names = sandbox.panes("#{session_name}");
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names[2].starts_with("one-") && names[2].len() == "one-HHMM".len(), "{names:?}");
    // The renamed agent dies in turn: it is lost under its new name alone, and in its pane.
    save(&sandbox);
    kill(&sandbox, 1);
    wait_until("the launcher left a shell", || sandbox.panes("#{pane_current_command}")[2] == "sh");
    sandbox.wait_for_prompt(&format!("={}:0.0", names[2]));
    save(&sandbox);
    let rows = restore(&sandbox, &[]);
    let lost: Vec<&Value> = rows.iter().filter(|row| row["state"] == "lost").collect();
    assert_eq!((lost.len(), &lost[0]["action"]), (1, &json!("in_place")), "{rows:?}");
    assert_eq!(sandbox.panes("#{session_name}").len(), 3);
}

#[test]
fn lesson_20_an_agent_is_chosen_by_the_beginning_of_its_conversations_id() {
    let sandbox = Sandbox::new();
    for (session, n) in [("7", 7), ("007", 17), ("other", 27)] {
        agent(&sandbox, session, n);
    }
    save(&sandbox);
    sandbox.crash();
    let several = sandbox.persist(["restore", "0d0a8f5e"]).code(2);
    assert!(several.err().contains("is the prefix of 3 conversations"), "{}", several.err());
    sandbox.persist(["restore", &id(17), "absent"]).code(2);
    assert_ne!(sandbox.tmux(["list-sessions"]).code, 0, "nothing for half a selection");
    let rows = restore(&sandbox, &[&id(17)]);
    let expected =
        ["007 live new restored", "7 live new not selected", "other live new not selected"];
    assert_eq!(told(&rows), expected);
    assert_eq!(sandbox.panes("#{session_name}"), ["007"]);
    sandbox.wait_for_agent(&id(17));
    sandbox.persist(["restore", "7"]).ok();
    assert_eq!(sandbox.panes("#{session_name}"), ["007", "7"]);
}

#[test]
fn lesson_19_what_is_lost_can_be_closed_by_name_or_by_conversation() {
    let sandbox = Sandbox::new();
    for n in 1..=3 {
        agent(&sandbox, &format!("s{n}"), n);
    }
    sandbox.tmux(["new-session", "-d", "-s", "keep"]).ok();
    save(&sandbox);
    (1..=3).for_each(|n| kill(&sandbox, n));
    assert_eq!(save(&sandbox)["lost"], 3);
    let json = sandbox.persist(["forget", "s1", &id(2), "--json"]).ok().json();
    assert_eq!((&json["sessions"], &json["conversations"]), (&json!(["s1"]), &json!([id(2)])));
    assert_eq!(save(&sandbox)["lost"], 1);
    restore(&sandbox, &[]);
    sandbox.wait_for_agent(&id(3));
    assert_eq!(sandbox.panes("#{session_name}"), ["keep", "s3"]);
}

#[test]
fn saves_of_two_servers_into_one_state_directory_drop_nothing_of_each_other() {
    let sandbox = Sandbox::new();
    agent(&sandbox, "one", 1);
    save(&sandbox);
    sandbox.tmux(["-L", "other", "new-session", "-d", "-s", "two"]).ok();
    for _ in 0..2 {
        sandbox.persist(["save", "--socket", "other"]).ok();
        assert_eq!(states(&sandbox), ["one lost", "two shell"]);
    }
    let json = sandbox.persist(["restore", "--socket", "other", "--json"]).ok().json();
    assert_eq!(json["rows"][0]["action"], "skip", "it is live: {json}");
    sandbox.tmux(["-L", "other", "kill-server"]).ok();
    sandbox.crash();
    restore(&sandbox, &[]);
    sandbox.wait_for_agent(&id(1));
}

#[test]
fn forgetting_an_agent_that_is_live_says_that_it_goes_on() {
    let sandbox = Sandbox::new();
    agent(&sandbox, "one", 1);
    save(&sandbox);
    let json = sandbox.persist(["forget", "--kill", &id(1), "--json"]).ok().json();
    let note = json["notes"][0].as_str().unwrap();
    assert!(note.starts_with(&format!("{} is live in one:0.0", id(1))), "{note}");
    assert_eq!(sandbox.agents_on(&id(1)).len(), 1, "--kill ends sessions");
}

#[test]
fn forget_kill_ends_the_session_and_only_that() {
    let sandbox = Sandbox::new();
    for name in ["a", "ab", "b"] {
        sandbox.tmux(["new-session", "-d", "-s", name]).ok();
    }
    save(&sandbox);
    let json = sandbox.persist(["forget", "--kill", "a", "--json"]).ok().json();
    assert_eq!((&json["killed"], &json["notes"]), (&json!(1), &json!([])));
    assert_eq!(sandbox.panes("#{session_name}"), ["ab", "b"]);
    assert_eq!(save(&sandbox)["lost"], 0);
    restore(&sandbox, &[]);
    assert_eq!(sandbox.panes("#{session_name}"), ["ab", "b"]);
}

#[test]
fn what_was_renamed_or_moved_since_the_last_save_stays_closed_after_forget_kill() {
    let sandbox = Sandbox::new();
    agent(&sandbox, "web", 1);
    agent(&sandbox, "api", 2);
    sandbox.tmux(["new-window", "-d", "-t", "=api:"]).ok();
    save(&sandbox);
    sandbox.tmux(["rename-session", "-t", "=web", "site"]).ok();
    sandbox.tmux(["join-pane", "-d", "-s", "=api:0.0", "-t", "=site:0.0"]).ok();
    let json = sandbox.persist(["forget", "--kill", "site", "--json"]).ok().json();
    assert_eq!((&json["killed"], &json["notes"]), (&json!(1), &json!([])));
    wait_until("both are gone", || (1..=2).all(|n| sandbox.agents_on(&id(n)).is_empty()));
    assert_eq!(save(&sandbox)["lost"], 0);
    restore(&sandbox, &[]);
    assert_eq!(sandbox.panes("#{session_name}"), ["api"]);
}

#[test]
fn records_that_cannot_be_read_stop_neither_saves_nor_restores() {
    let sandbox = Sandbox::new();
    agent(&sandbox, "one", 1);
    save(&sandbox);
    for name in ["endings.tsv", "forgotten.tsv"] {
        std::fs::create_dir(sandbox.user_state().join(name)).unwrap();
    }
    sandbox.tmux(["new-session", "-d", "-s", "two"]).ok();
    let saved = save(&sandbox);
    assert_eq!((&saved["result"], &saved["sessions"]), (&json!("saved"), &json!(2)));
    let named = |n: usize| saved["notes"][n].as_str().unwrap().starts_with("skipped: ");
    assert!(named(0) && named(1), "{saved}");
    sandbox.crash();
    assert_eq!(told(&restore(&sandbox, &[])), ["one live new restored", "two shell new restored"]);
    // What would be replaced is not: nothing is known of what it holds.
    sandbox.persist(["forget", "two"]).code(1);
    assert!(sandbox.user_state().join("forgotten.tsv").is_dir());
}

#[test]
fn what_is_lost_is_forgotten_after_the_window_and_stays_in_older_snapshots() {
    let sandbox = Sandbox::new();
    agent(&sandbox, "gone", 1);
    sandbox.tmux(["new-session", "-d", "-s", "keep"]).ok();
    let first = save(&sandbox)["snapshot"].as_str().unwrap().to_owned();
    kill(&sandbox, 1);
    assert_eq!(save(&sandbox)["lost"], 1);
    sandbox.configure("save_on_change = false\nlost_window_hours = 0\n");
    wait_until("the window, of no length, is over", || save(&sandbox)["lost"] == 0);
    let rows = restore(&sandbox, &[]);
    assert_eq!(told(&rows), ["keep shell skip skipped"]);
    restore(&sandbox, &["--from", &first]);
    sandbox.wait_for_agent(&id(1));
}

#[test]
fn an_agent_whose_close_is_recorded_while_it_still_ends_is_closed_and_not_lost() {
    let sandbox = Sandbox::new();
    agent(&sandbox, "one", 1);
    sandbox.tmux(["new-session", "-d", "-s", "keep"]).ok();
    save(&sandbox);
    sandbox.persist(["ended", &id(1), "--how", "closed"]).ok();
    save(&sandbox);
    assert_eq!(states(&sandbox), ["keep shell", "one shell"]);
    kill(&sandbox, 1);
    wait_until("its session is gone", || sandbox.panes("#{session_name}") == ["keep"]);
    save(&sandbox);
    let snapshot = terminal_lobby::snapshot::decode(&sandbox.latest()).unwrap();
    assert!(snapshot.rows.iter().all(|row| row.conversation.is_none()), "{snapshot:?}");
    restore(&sandbox, &[]);
    assert!(sandbox.agents_on(&id(1)).is_empty());
}

#[test]
fn a_conversation_that_was_opened_again_after_its_close_is_lost_when_it_vanishes() {
    let sandbox = Sandbox::new();
    agent(&sandbox, "one", 1);
    sandbox.tmux(["new-session", "-d", "-s", "keep"]).ok();
    save(&sandbox);
    sandbox.persist(["ended", &id(1), "--how", "closed"]).ok();
    kill(&sandbox, 1);
    save(&sandbox);
    // Times are whole seconds: what starts within the second of the close counts as ending.
    let closed = std::fs::read_to_string(sandbox.user_state().join("endings.tsv")).unwrap();
    let closed: u64 = closed.lines().last().unwrap().split('\t').nth(1).unwrap().parse().unwrap();
    wait_until("another second", || terminal_lobby::sys::clock::now() > closed + 1);
    let stub = sandbox.install_stub_agent();
    let program = ["--", "/bin/sh", stub.to_str().unwrap(), "--resume", &id(1)];
    let work = work(&sandbox);
    sandbox.tmux([&["new-session", "-d", "-s", "one", "-c", &work][..], &program].concat()).ok();
    sandbox.wait_for_agent(&id(1));
    save(&sandbox);
    kill(&sandbox, 1);
    assert_eq!(save(&sandbox)["lost"], 1);
    restore(&sandbox, &[]);
    sandbox.wait_for_agent(&id(1));
}
