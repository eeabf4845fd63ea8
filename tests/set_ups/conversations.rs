//! Which conversation a pane runs, whatever the agent, its version, its account and the way it was
//! started.

use super::record::{edit_record, lay_stamp, record_of, stub_pid, transcript};
use crate::support::set_up::{SetUp, install_stub};
use crate::support::wait_until;

const A: &str = "11111111-0000-4000-8000-000000000001";
const B: &str = "22222222-0000-4000-8000-000000000002";

/// Saves, crashes and restores; gives the arguments of the last start, once there are `count`.
fn restored(set_up: &SetUp, count: usize) -> String {
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(count).pop().unwrap().arguments()
}

/// Leaves the agent of a pane at its prompt.
fn leave(set_up: &SetUp, pane: &str) {
    let pid = stub_pid(set_up, pane);
    set_up.type_line(pane, "/exit");
    wait_until("it has ended", || crate::support::sandbox::ended(pid));
}

#[test]
fn the_account_of_an_agent_says_where_its_conversation_is() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s keep");
    let account = set_up.sandbox.home().join(".claude-work");
    let command = format!("CLAUDE_CONFIG_DIR={} exec claude", account.display());
    let work = set_up.agent_in("new-session -d -s a", &command);
    // Of another account in the same directory, left by its user.
    set_up.agent_in("new-window -t keep:", "claude");
    leave(&set_up, "keep:1");
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0"), Some(work.clone()));
    assert_eq!(set_up.row("a:0.0").evidence.as_deref(), Some(&b"record"[..]));
    set_up.crash();
    set_up.restore();
    let again = set_up.wait_for_starts(3).pop().unwrap();
    assert!(again.arguments().contains(&work), "{again:?}");
    assert_eq!(again.env["CLAUDE_CONFIG_DIR"], account.to_str().unwrap());
}

#[test]
fn two_accounts_in_one_directory_keep_each_its_own_conversation() {
    let set_up = SetUp::new();
    let home = set_up.sandbox.home();
    let command = |dir: &str| format!("CLAUDE_CONFIG_DIR={}/{dir} exec claude", home.display());
    let one = set_up.agent_in("new-session -d -s a", &command("one"));
    let two = set_up.agent_in("new-session -d -s b", &command("two"));
    set_up.save();
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(4);
    assert_eq!(set_up.conversation_shown("a:0.0"), one);
    assert_eq!(set_up.conversation_shown("b:0.0"), two);
}

#[test]
fn an_agent_in_another_home_is_found_and_comes_back_there() {
    let set_up = SetUp::new();
    let other = set_up.directory("other-home");
    let log = set_up.sandbox.home().join("agent.log");
    let command = format!("STUB_LOG={} HOME={other} exec claude", log.display());
    let id = set_up.agent_in("new-session -d -s a", &command);
    set_up.save();
    let row = set_up.row("a:0.0");
    assert_eq!((row.conversation.as_deref(), row.prompted), (Some(id.as_bytes()), Some(true)));
    let environment = row.agent_environment.unwrap();
    assert!(environment.starts_with(format!("HOME={other}\0").as_bytes()));
}

#[test]
fn a_codex_with_a_home_of_its_own_comes_back_on_its_thread() {
    let set_up = SetUp::new();
    let place = set_up.sandbox.home().join("codex-work");
    let command = format!("CODEX_HOME={} exec codex", place.display());
    let id = set_up.agent_in("new-session -d -s a", &command);
    set_up.save();
    assert!(restored(&set_up, 2).ends_with(&format!("resume {id}")));
    let again = set_up.started().pop().unwrap();
    assert_eq!(again.env["CODEX_HOME"], place.to_str().unwrap());
}

#[test]
fn a_fork_without_a_live_record_is_not_taken_for_its_parent() {
    let mut set_up = SetUp::new();
    set_up.set("STUB_NO_RECORD", "1");
    set_up.t("new-session -d -s keep");
    set_up.agent_in("new-session -d -s a", &format!("exec claude --session-id {A}"));
    leave(&set_up, "a:0.0");
    let fork = format!("exec claude --resume {A} --fork-session");
    set_up.agent_in("new-session -d -s b", &format!("{fork} --session-id {B}"));
    set_up.agent_in("new-session -d -s c", &fork);
    set_up.save();
    assert_eq!(set_up.conversation("b:0.0").as_deref(), Some(B));
    assert_eq!(set_up.row("b:0.0").parent.as_deref(), Some(A.as_bytes()));
    assert_ne!(set_up.conversation("c:0.0").as_deref(), Some(A), "its id is not among its words");
}

#[test]
fn a_fork_that_was_not_prompted_yet_is_forked_again_with_its_history() {
    let mut set_up = SetUp::new();
    set_up.set("STUB_PROMPTED", "");
    let profile = format!("export PATH={}:/usr/bin:/bin\n", set_up.bin().display());
    std::fs::write(set_up.sandbox.home().join(".bash_profile"), profile).unwrap();
    set_up.t("new-session -d -s keep");
    let parent = format!("STUB_PROMPTED=1 exec claude --session-id {A}");
    set_up.agent_in("new-session -d -s a", &parent);
    leave(&set_up, "a:0.0");
    let fork = format!("exec claude --resume {A} --fork-session --session-id {B}");
    assert_eq!(set_up.agent_in("new-session -d -s b", &fork), B);
    for count in [3, 4] {
        set_up.save();
        let row = set_up.row("b:0.0");
        assert_eq!((row.prompted, row.parent.as_deref()), (Some(false), Some(A.as_bytes())));
        set_up.crash();
        set_up.persist("restore").ok();
        let again = set_up.wait_for_starts(count).pop().unwrap().arguments();
        assert_eq!(again, format!("--resume {A} --fork-session --session-id {B}"));
        set_up.conversation_shown("b:0.0");
    }
}

#[test]
fn a_stamp_that_is_newer_than_the_record_says_which_conversation_it_is() {
    let mut set_up = SetUp::new();
    set_up.set("STUB_VERSION", "2.1.119");
    let first = set_up.agent_in("new-session -d -s a", "STUB_STALE_RECORD=1 exec claude");
    set_up.type_line("a:0.0", "/clear");
    wait_until("the new one", || set_up.conversation_shown("a:0.0") != first);
    let second = set_up.conversation_shown("a:0.0");
    lay_stamp(&set_up, "a:0.0", &second);
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0"), Some(second.clone()));
    assert!(restored(&set_up, 2).contains(&second));
}

#[test]
fn a_stamp_that_is_older_than_the_record_gives_way_to_it() {
    let set_up = SetUp::new();
    set_up.agent_in("new-session -d -s a", "exec claude");
    lay_stamp(&set_up, "a:0.0", A);
    // The record is written again, as with each change of the agent's state.
    let second = format!("{}9", &B[..35]);
    edit_record(&set_up, "a:0.0", |record| record["sessionId"] = second.clone().into());
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0"), Some(second));
}

#[test]
fn the_conversation_in_the_background_that_a_pane_shows_is_the_one_that_comes_back() {
    let set_up = SetUp::new();
    let first = set_up.agent_in("new-session -d -s a", "exec claude");
    // By one key it is copied to a job of the daemon's, which the pane shows from then on.
    let (base, job) = (set_up.sandbox.home().join(".claude"), &B[..8]);
    let transcript = transcript(&set_up, &first);
    std::fs::copy(&transcript, transcript.with_file_name(format!("{B}.jsonl"))).unwrap();
    std::fs::create_dir_all(base.join("jobs").join(job)).unwrap();
    let state = serde_json::json!({ "sessionId": B, "state": "working", "backend": "daemon" });
    std::fs::write(base.join("jobs").join(job).join("state.json"), state.to_string()).unwrap();
    edit_record(&set_up, "a:0.0", |record| record["parkedJobId"] = job.into());
    set_up.save();
    let row = set_up.row("a:0.0");
    assert_eq!(row.conversation.as_deref(), Some(B.as_bytes()));
    assert_eq!(row.parent.as_deref(), Some(first.as_bytes()), "the one from before is kept, too");
    assert_eq!(restored(&set_up, 2), format!("--resume {B}"));
}

#[test]
fn a_process_of_the_background_in_a_pane_is_no_conversation_of_that_pane() {
    let set_up = SetUp::new();
    set_up.agent_in("new-session -d -s a", "STUB_KIND=bg exec claude");
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0"), None);
}

#[test]
fn an_id_in_capitals_resumes_and_is_closed_whatever_its_case() {
    const ID: &str = "ABCDEF01-0000-4000-8000-00000000000A";
    let set_up = SetUp::new();
    set_up.t("new-session -d -s keep");
    set_up.agent_in("new-session -d -s a", &format!("exec claude --session-id {ID}"));
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0").as_deref(), Some(ID));
    assert_eq!(restored(&set_up, 2), format!("--resume {ID}"));
    set_up.conversation_shown("a:0.0");
    set_up.save();
    set_up.persist(&format!("forget {}", ID.to_lowercase())).ok();
    let json = set_up.persist("history --json").ok().json();
    assert!(json.to_string().contains(ID), "{json}");
    set_up.crash();
    let plan = set_up.persist("restore --dry-run").ok().out();
    assert!(plan.contains("closed on purpose"), "{plan}");
}

#[test]
fn a_release_binary_under_its_own_name_is_codex() {
    let set_up = SetUp::new();
    let program = set_up.bin().join("codex-x86_64-unknown-linux-musl");
    install_stub(&program);
    let id = set_up.agent_in("new-session -d -s a", "exec codex-x86_64-unknown-linux-musl");
    set_up.save();
    let row = set_up.row("a:0.0");
    assert_eq!(row.agent.as_deref(), Some(&b"codex"[..]));
    assert_eq!(row.conversation.as_deref(), Some(id.as_bytes()));
    assert!(restored(&set_up, 2).ends_with(&format!("resume {id}")));
}

#[test]
fn an_agent_called_by_another_name_is_known_by_its_file() {
    let set_up = SetUp::new();
    std::os::unix::fs::symlink("codex", set_up.bin().join("codexx")).unwrap();
    let link = set_up.bin().join("codex-nightly");
    std::fs::rename(set_up.bin().join("codexx"), &link).unwrap();
    let id = set_up.agent_in("new-session -d -s a", "exec codex-nightly");
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0"), Some(id));
}

#[test]
fn a_program_that_is_given_a_file_of_that_name_is_no_agent() {
    let set_up = SetUp::new();
    std::fs::write(set_up.sandbox.work().join("claude"), "notes\n").unwrap();
    set_up.t("new-session -d -s a less claude");
    set_up.t("new-window -t a: tail -f claude");
    set_up.t("new-window -t a: tail -f claude codex");
    let commands = ["less", "tail", "tail"].map(str::to_owned);
    set_up.wait_for_panes("#{pane_current_command}", &commands);
    let rows = set_up.save().rows;
    assert!(rows.iter().all(|row| row.agent.is_none()), "{rows:?}");
}

#[test]
fn of_two_agents_in_one_pane_neither_is_forgotten() {
    let set_up = SetUp::new();
    // What runs in the background of a script reads nothing from the terminal.
    let command = format!("sleep 1000 | claude --session-id {A} & claude --session-id {B}; :");
    set_up.tmux(["new-session", "-d", "-s", "a", &command]);
    wait_until("both run", || record_of(&set_up, A).is_some() && record_of(&set_up, B).is_some());
    let said = set_up.persist("save").ok();
    let in_pane = set_up.conversation("a:0.0").unwrap();
    let other = if in_pane == A { B } else { A };
    assert!(said.err().contains(other), "{}", said.err());
    let history = set_up.persist("history --json").ok().json().to_string();
    assert!(history.contains(A) && history.contains(B), "{history}");
}
