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

#[test]
fn what_is_in_the_background_is_in_the_history_and_named_with_how_to_continue_it() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s keep");
    let id = set_up.agent_in("new-session -d -s a", "exec claude");
    let account = set_up.sandbox.home().join(".claude-work");
    let other = format!("CLAUDE_CONFIG_DIR={} exec claude", account.display());
    let other = set_up.agent_in("new-session -d -s b", &other);
    for (home, id) in [(set_up.sandbox.home().join(".claude"), A), (account, B)] {
        let job = home.join("jobs").join(&id[..8]);
        std::fs::create_dir_all(&job).unwrap();
        let state =
            serde_json::json!({"sessionId": id, "cwd": set_up.sandbox.work(), "state": "done"});
        std::fs::write(job.join("state.json"), state.to_string()).unwrap();
        let project = home.join("projects/-somewhere");
        std::fs::create_dir_all(&project).unwrap();
        std::fs::write(project.join(format!("{id}.jsonl")), "{}\n").unwrap();
    }
    // One that was never prompted, one that a pane shows, and what is no job.
    let jobs = set_up.sandbox.home().join(".claude/jobs");
    for (name, text) in [
        ("33333333", r#"{"sessionId":"33333333-0000-4000-8000-000000000001"}"#.to_owned()),
        (&id[..8], format!(r#"{{"sessionId":"{id}"}}"#)),
        ("no-hex", r#"{"sessionId":"11111111-0000-4000-8000-000000000009"}"#.to_owned()),
        ("44444444", "torn".to_owned()),
    ] {
        std::fs::create_dir_all(jobs.join(name)).unwrap();
        std::fs::write(jobs.join(name).join("state.json"), text).unwrap();
    }
    set_up.save();
    let shown = set_up.persist("show").ok();
    for id in [A, B] {
        assert!(shown.err().contains(&format!("'claude attach {}'", &id[..8])), "{}", shown.err());
    }
    for absent in ["33333333", &id[..8], &other[..8]] {
        assert!(!shown.err().contains(&format!("attach {absent}")), "{}", shown.err());
    }
    let history = set_up.persist("history --json").ok().json();
    let of = |history: &serde_json::Value, id: &str| {
        let all = history["conversations"].as_array().unwrap();
        let found = all.iter().find(|one| one["conversation"] == id).cloned();
        found.unwrap_or_else(|| panic!("no {id} in {history}"))
    };
    assert_eq!(of(&history, A)["state"], "background");
    assert_eq!(of(&history, A)["attach"], format!("claude attach {}", &A[..8]));
    assert_eq!(of(&history, B)["state"], "background");
    assert_eq!(of(&history, &id)["state"], "live");
    assert!(of(&history, &id).get("attach").is_none());
    // The job is gone; its conversation is known all the same.
    std::fs::remove_dir_all(jobs.join(&A[..8])).unwrap();
    let history = set_up.persist("history --json").ok().json();
    assert_eq!(of(&history, A)["state"], "gone");
    assert!(set_up.persist("history").ok().out().contains(&format!("claude attach {}", &B[..8])));
}

#[test]
fn what_an_agent_does_is_known_by_its_record_before_what_its_hooks_left() {
    let set_up = SetUp::new();
    let id = set_up.agent_in("new-session -d -s a", "exec claude");
    lay_stamp(&set_up, "a", &id);
    set_up.t("set-option -p -t a @agent_state busy");
    set_up.save();
    let shown = |key: &str| {
        let report = set_up.persist("show --json").ok().json();
        let rows = report.get("rows").or_else(|| report["users"][0].get("rows")).cloned();
        rows.unwrap()[0][key].clone()
    };
    for (status, waiting_for) in [
        ("waiting", Some("dialog open")),
        ("waiting", Some("permission prompt")),
        ("idle", None),
        ("busy", None),
    ] {
        edit_record(&set_up, "a", |record| {
            record["status"] = status.into();
            record["waitingFor"] = waiting_for.into();
        });
        assert_eq!(shown("agent_state"), status);
        assert_eq!(shown("waiting_for"), serde_json::Value::from(waiting_for));
    }
    let text = set_up.persist("show").ok().out();
    assert!(text.contains("; busy"), "{text}");
    // Without a status of its own, as for a second after its start, the mark counts.
    edit_record(&set_up, "a", |record| drop(record.as_object_mut().unwrap().remove("status")));
    set_up.t("set-option -p -t a @agent_state waiting");
    assert_eq!(shown("agent_state"), "waiting");
}

#[test]
fn what_agents_do_is_counted_and_so_are_those_of_which_it_is_not_known() {
    let set_up = SetUp::new();
    set_up.install(&["gemini"]);
    for (session, program) in
        [("a", "claude"), ("b", "claude"), ("c", "codex"), ("d", "codex"), ("e", "gemini")]
    {
        set_up.agent_in(&format!("new-session -d -s {session}"), &format!("exec {program}"));
    }
    set_up.save();
    edit_record(&set_up, "a", |record| {
        record["status"] = "waiting".into();
        record["waitingFor"] = "dialog open".into();
    });
    set_up.type_line("c", "/status busy");
    let of = |words: &str, key: &str| {
        let report = set_up.persist(words).ok().json();
        report.get(key).or_else(|| report["users"][0].get(key)).cloned().unwrap()
    };
    let expected = serde_json::json!({"busy": 1, "waiting": 1, "idle": 2, "unknown": 1});
    wait_until("all are counted", || of("status --json", "agents") == expected);
    let rows = of("show --json", "rows");
    let states: Vec<_> =
        rows.as_array().unwrap().iter().map(|row| row["agent_state"].as_str()).collect();
    assert_eq!(states, [Some("waiting"), Some("idle"), Some("busy"), Some("idle"), None]);
    let table = set_up.persist("status").ok().out();
    assert!(table.contains("1 waiting, 1 busy, 2 idle, 1 unknown"), "{table}");
}
