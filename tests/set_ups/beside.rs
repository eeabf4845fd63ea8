//! Where an agent cannot come back in its pane, it comes back beside it; and nothing that could not
//! come back is forgotten.

use crate::support::sandbox::{ended, kill, tree};
use crate::support::set_up::SetUp;
use crate::support::wait_until;
use serde_json::Value;

/// Ends all agents that were started, as a lack of memory does, and leaves the server.
fn kill_agents(set_up: &SetUp) {
    for started in set_up.started() {
        kill(started.pid);
        wait_until("the agent is gone", || ended(started.pid));
    }
}

/// Starts an agent by a line typed into a session's shell. Gives its conversation.
fn type_agent(set_up: &SetUp, session: &str) -> String {
    let before = set_up.started().len();
    set_up.type_line(&format!("={session}:"), "claude");
    set_up.wait_for_starts(before + 1);
    set_up.conversation_shown(&format!("={session}:"))
}

fn restore_rows(set_up: &SetUp) -> Vec<Value> {
    rows(&set_up.persist("restore --json").ok().json())
}

fn rows(json: &Value) -> Vec<Value> {
    json["rows"].as_array().unwrap().clone()
}

/// What became of the rows with a conversation: action and target.
fn of_agents(rows: &[Value]) -> Vec<(String, String)> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let agents = rows.iter().filter(|row| !row["conversation"].is_null());
    agents.map(|row| (text(row, "action"), text(row, "target"))).collect()
}

/// The processes below a session's first pane.
fn below(set_up: &SetUp, session: &str) -> Vec<i32> {
    let format = ["display-message", "-p", "-t", &format!("={session}:"), "#{pane_pid}"];
    tree(set_up.tmux(format).out().trim().parse().unwrap())
}

/// A session `web` whose shell takes commands.
fn shell(set_up: &SetUp) {
    set_up.t("new-session -d -s web");
    set_up.type_line("=web:", "echo TAKES''COMMANDS");
    set_up.wait_for_text("=web:", "TAKESCOMMANDS");
    set_up.sandbox.wait_for_prompt("=web:0.0");
}

/// A session with a shell that was prepared by `lines`, then an agent in it that is killed. The
/// restore must bring it back beside the pane, whose processes stay.
#[track_caller]
fn comes_back_beside(lines: &[&str], key: Option<&str>) {
    let set_up = SetUp::new();
    shell(&set_up);
    for line in lines {
        let before = below(&set_up, "web").len();
        set_up.type_line("=web:", line);
        wait_until(line, || below(&set_up, "web").len() > before);
    }
    if let Some(key) = key {
        set_up.tmux(["send-keys", "-t", "=web:", key]);
        set_up.wait_for_text("=web:", "Stopped");
    }
    let id = type_agent(&set_up, "web");
    assert_eq!(set_up.save().rows[0].conversation, Some(id.clone().into_bytes()));
    let agent = set_up.started()[0].pid;
    let others: Vec<i32> = below(&set_up, "web").into_iter().filter(|pid| *pid != agent).collect();
    kill_agents(&set_up);
    let rows = restore_rows(&set_up);
    assert_eq!(rows[0]["action"], "renamed", "{rows:?}");
    assert_eq!(rows[0]["result"], "restored");
    assert!(rows[0]["target"].as_str().unwrap().starts_with("web-"), "{rows:?}");
    let target = rows[0]["target"].as_str().unwrap();
    assert_eq!(set_up.conversation_shown(&format!("={target}:")), id);
    assert!(others.iter().all(|pid| !ended(*pid)), "what ran in the pane still runs");
    let again = restore_rows(&set_up);
    assert!(again.iter().all(|row| row["action"] == "skip"), "{again:?}");
    set_up.save();
    let again = restore_rows(&set_up);
    assert!(again.iter().all(|row| row["action"] == "skip"), "{again:?}");
    assert_eq!(set_up.started().len(), 2);
}

/// As [`comes_back_beside`], where a shell waits: in its pane.
#[track_caller]
fn comes_back_in_place(line: Option<&str>) {
    let set_up = SetUp::new();
    shell(&set_up);
    if let Some(line) = line {
        let before = below(&set_up, "web").len();
        set_up.type_line("=web:", line);
        wait_until(line, || below(&set_up, "web").len() > before);
    }
    let id = type_agent(&set_up, "web");
    set_up.save();
    let pane = set_up.panes("#{pane_id}");
    kill_agents(&set_up);
    let current = "#{pane_current_command}".to_owned();
    set_up.wait_for_panes(&current, &["bash".to_owned()]);
    let rows = restore_rows(&set_up);
    assert_eq!(of_agents(&rows), [("in_place".to_owned(), "web:0.0".to_owned())], "{rows:?}");
    set_up.wait_for_starts(2);
    assert_eq!(set_up.conversation_shown("=web:"), id);
    assert_eq!(set_up.panes("#{pane_id}"), pane);
}

#[test]
fn an_agent_comes_back_in_its_pane_where_a_shell_waits() {
    comes_back_in_place(None);
}

#[test]
fn a_helper_that_a_prompt_forks_does_not_keep_an_agent_from_its_pane() {
    // As asynchronous prompts do: the shell itself, without the terminal.
    let fork = "mkfifo f; (exec </dev/null >/dev/null 2>&1; read x < f) & disown";
    comes_back_in_place(Some(fork));
}

#[test]
fn an_agent_comes_back_beside_a_shell_with_a_job() {
    comes_back_beside(&["sleep 9999 &"], None);
}

#[test]
fn an_agent_comes_back_beside_a_job_without_the_terminal() {
    comes_back_beside(&["sleep 9999 < /dev/null > /dev/null 2>&1 &"], None);
}

#[test]
fn an_agent_comes_back_beside_a_nested_shell() {
    comes_back_beside(&["bash"], None);
}

#[test]
fn an_agent_comes_back_beside_a_daemon_that_ends_with_its_shell() {
    // As `ssh-agent bash`: what holds the user's keys is a child of the shell.
    let agent = "import os,time; os.fork() and os.execvp(\"bash\",[\"bash\"]); os.setsid(); time.sleep(9999)";
    comes_back_beside(&[&format!("exec python3 -c '{agent}'")], None);
}

#[test]
fn an_agent_comes_back_beside_a_stopped_program() {
    comes_back_beside(&["sleep 9999"], Some("C-z"));
}

#[test]
fn an_agent_comes_back_beside_a_recorded_terminal() {
    comes_back_beside(&["script -q -c bash typescript"], None);
}

/// A server's sessions with their panes' directories, as `session directory`.
fn directories(set_up: &SetUp) -> Vec<String> {
    let work = set_up.sandbox.work();
    let panes = set_up.panes("#{session_name} #{pane_current_path}");
    panes.iter().map(|pane| pane.replace(work.to_str().unwrap(), "")).collect()
}

/// Two shells and an agent in `web`, saved; then a crash, and the user begins anew with that name.
fn name_taken_by_other_work(set_up: &SetUp) -> String {
    let (api, lib) = (set_up.directory("api"), set_up.directory("lib"));
    set_up.t(&format!("new-session -d -s web -c {api}"));
    set_up.t(&format!("split-window -t web: -c {lib}"));
    let id = set_up.agent_in("new-window -t web:", "claude");
    set_up.save();
    set_up.crash();
    set_up.t("new-session -d -s web");
    id
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap()
}

#[test]
fn a_session_whose_name_other_work_took_comes_back_whole_under_another() {
    let set_up = SetUp::new();
    let id = name_taken_by_other_work(&set_up);
    let rows = restore_rows(&set_up);
    assert!(rows.iter().all(|row| row["action"] == "renamed" && row["result"] == "restored"));
    let target = text(&rows[0], "target").to_owned();
    assert!(rows.iter().all(|row| row["target"] == *target), "{rows:?}");
    let expected =
        ["web ", &format!("{target} /api"), &format!("{target} /lib"), &format!("{target} ")];
    wait_until("all panes are there", || directories(&set_up) == expected);
    assert_eq!(set_up.conversation_shown(&format!("={target}:1.0")), id);
    for saved in [false, true] {
        if saved {
            set_up.save();
        }
        let again = restore_rows(&set_up);
        assert!(again.iter().all(|row| row["action"] == "skip"), "{saved} {again:?}");
    }
    assert_eq!(directories(&set_up), expected);
}

#[test]
fn the_report_of_a_restore_says_where_a_session_is() {
    let set_up = SetUp::new();
    name_taken_by_other_work(&set_up);
    let shown = set_up.restore().out();
    let target = set_up.panes("#{session_name}").into_iter().find(|name| name != "web").unwrap();
    assert_eq!(shown.matches(&format!("restored as {target}")).count(), 3, "{shown}");
}

#[test]
fn a_save_keeps_what_another_session_took_the_name_of() {
    let set_up = SetUp::new();
    let id = name_taken_by_other_work(&set_up);
    let saved = set_up.save();
    let lost: Vec<_> = saved.rows.iter().filter(|row| row.lost_since.is_some()).collect();
    assert_eq!(lost.len(), 3, "{saved:?}");
    assert!(lost.iter().all(|row| row.session.starts_with(b"web-")));
    let rows = restore_rows(&set_up);
    let back: Vec<_> = rows.iter().filter(|row| row["result"] == "restored").collect();
    assert_eq!(back.len(), 3, "{rows:?}");
    let name = String::from_utf8(lost[0].session.clone()).unwrap();
    assert_eq!(set_up.conversation_shown(&format!("={name}:1.0")), id);
    let saved = set_up.save();
    assert!(saved.rows.iter().all(|row| row.lost_since.is_none()), "{saved:?}");
}

#[test]
fn a_session_that_its_user_made_again_is_not_doubled() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s main");
    set_up.save();
    set_up.crash();
    set_up.t("new-session -d -s main");
    set_up.restore();
    set_up.save();
    assert_eq!(set_up.panes("#{session_name}"), ["main"]);
    assert_eq!(set_up.snapshot().rows.len(), 1);
}

#[test]
fn two_servers_that_are_saved_by_turns_keep_their_sessions_once() {
    let set_up = SetUp::new();
    let (api, lib) = (set_up.directory("api"), set_up.directory("lib"));
    set_up.t(&format!("new-session -d -s web -c {api}"));
    set_up.t(&format!("-L other new-session -d -s web -c {lib}"));
    for _ in 0..4 {
        for socket in ["default", "other"] {
            set_up.persist(&format!("save --socket {socket}")).ok();
            let rows = set_up.snapshot().rows;
            assert!(rows.len() <= 2, "{rows:?}");
            assert_eq!(rows[0].session, b"web");
        }
    }
    set_up.t("-L other kill-server");
}

#[test]
fn a_new_name_has_at_most_32_characters() {
    let set_up = SetUp::new();
    let api = set_up.directory("api");
    let long = "a-session-with-a-name-of-many-characters";
    set_up.t(&format!("new-session -d -s {long} -c {api}"));
    set_up.save();
    set_up.crash();
    set_up.t(&format!("new-session -d -s {long}"));
    set_up.restore();
    let names = set_up.panes("#{session_name}");
    let short: Vec<_> = names.iter().filter(|name| *name != long).collect();
    assert_eq!(short.len(), 1, "{names:?}");
    assert_eq!(short[0].len(), 32);
    assert!(short[0].starts_with(&long[..27]), "{names:?}");
}

#[test]
fn a_name_that_the_newest_snapshot_lacks_is_restored_from_the_newest_that_has_it() {
    let set_up = SetUp::new();
    let id = set_up.agent_in("new-session -d -s web", "claude");
    set_up.t("new-session -d -s keep");
    set_up.save();
    let older = set_up.sandbox.snapshots().pop().unwrap();
    set_up.persist("forget --kill web").ok();
    set_up.t("new-session -d -s more");
    set_up.save();
    assert!(set_up.snapshot().rows.iter().all(|row| row.session != b"web"));
    let run = set_up.persist("restore web").ok();
    let stem = older.strip_suffix(".tsv").unwrap_or(&older);
    assert!(run.err().contains(&format!("but in {stem}: web")), "{}", run.err());
    set_up.wait_for_starts(2);
    assert_eq!(set_up.conversation_shown("=web:"), id);
    set_up.persist("forget --kill web").ok();
    set_up.save();
    set_up.persist(&format!("restore {}", &id[..8])).ok();
    set_up.wait_for_starts(3);
    assert_eq!(set_up.conversation_shown("=web:"), id);
}

#[test]
fn names_of_several_snapshots_are_restored_together() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s keep");
    for name in ["one", "two"] {
        set_up.t(&format!("new-session -d -s {name}"));
        set_up.save();
        set_up.persist(&format!("forget --kill {name}")).ok();
        set_up.save();
    }
    set_up.crash();
    set_up.persist("restore one two keep").ok();
    assert_eq!(set_up.panes("#{session_name}"), ["keep", "one", "two"]);
    set_up.persist("restore one nowhere").code(2);
}

#[test]
fn show_says_when_a_session_was_closed() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s web");
    set_up.t("new-session -d -s keep");
    set_up.save();
    set_up.persist("forget --kill web").ok();
    let show = set_up.persist("show --json").ok().json();
    let history = set_up.persist("history --json").ok().json();
    let row = rows(&show).into_iter().find(|row| row["session"] == "web").unwrap();
    assert!(row["closed"].as_u64().is_some(), "{row}");
    assert_eq!(row["closed"], history["closed"][0]["closed"]);
    assert!(rows(&show).iter().all(|row| row["session"] == "web" || row.get("closed").is_none()));
}

#[test]
fn a_prompts_worker_in_zsh_does_not_keep_an_agent_from_its_pane() {
    let set_up = SetUp::new();
    if !std::path::Path::new("/usr/bin/zsh").exists() {
        crate::support::lacks::lacks("a_prompts_worker_in_zsh", "zsh");
        return;
    }
    set_up.tmux(["new-session", "-d", "-s", "web", "exec zsh -f"]);
    set_up.type_line(
        "=web:",
        "zmodload zsh/zpty; w() { while read x; do :; done; }; zpty -b worker w; echo RE''ADY",
    );
    set_up.wait_for_text("=web:", "READY");
    assert_eq!(below(&set_up, "web").len(), 2, "the shell and its worker");
    let id = type_agent(&set_up, "web");
    set_up.save();
    kill_agents(&set_up);
    set_up.wait_for_panes("#{pane_current_command}", &["zsh".to_owned()]);
    let rows = restore_rows(&set_up);
    assert_eq!(of_agents(&rows), [("in_place".to_owned(), "web:0.0".to_owned())], "{rows:?}");
    set_up.wait_for_starts(2);
    assert_eq!(set_up.conversation_shown("=web:"), id);
}
