//! Evidence of what a pane runs, weighed by what the agent's version can know: records that are wrong,
//! old or late, threads behind a daemon, what killed agents left.

use super::record::{edit_record, stub_pid};
use crate::support::sandbox::{ended, kill};
use crate::support::set_up::{SetUp, Started};
use crate::support::wait_until;

const A: &str = "11111111-0000-4000-8000-000000000001";
const B: &str = "22222222-0000-4000-8000-000000000002";

#[test]
fn a_record_of_a_conversation_that_does_not_exist_gives_way_to_the_resumed_one() {
    let set_up = SetUp::new();
    let id = set_up.agent_in("new-session -d -s a", "exec claude");
    set_up.save();
    set_up.crash();
    set_up.t("new-session -d -s keep");
    set_up.agent_in("new-session -d -s a", &format!("STUB_PROMPTED= exec claude --resume {id}"));
    edit_record(&set_up, "a:0.0", |record| record["sessionId"] = B.into());
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0"), Some(id.clone()));
    // One that was begun in the agent since has a transcript.
    set_up.type_line("a:0.0", "/clear");
    wait_until("the new one", || set_up.conversation_shown("a:0.0") != id);
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0"), Some(set_up.conversation_shown("a:0.0")));
}

#[test]
fn a_record_of_an_older_version_counts_if_its_process_and_its_time_fit() {
    let set_up = SetUp::new();
    let id = set_up.agent_in("new-session -d -s a", "STUB_OLD_RECORD=1 exec claude");
    set_up.save();
    let row = set_up.row("a:0.0");
    assert_eq!(row.conversation.as_deref(), Some(id.as_bytes()));
    assert_eq!(row.evidence.as_deref(), Some(&b"record"[..]));
    edit_record(&set_up, "a:0.0", |record| {
        record["startedAt"] = (record["startedAt"].as_u64().unwrap() - 60_000).into();
        record["sessionId"] = B.into();
    });
    set_up.save();
    assert_ne!(set_up.conversation("a:0.0").as_deref(), Some(B), "of an earlier process");
}

#[test]
fn a_record_from_another_container_is_not_of_this_process() {
    let set_up = SetUp::new();
    set_up.agent_in("new-session -d -s a", &format!("exec claude --session-id {A}"));
    edit_record(&set_up, "a:0.0", |record| {
        record["sessionId"] = B.into();
        record["pidDomain"] = "linux:0123:pid:[1]".into();
    });
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0").as_deref(), Some(A));
}

#[test]
fn an_agent_in_its_first_moment_is_waited_for() {
    let set_up = SetUp::new();
    let command = "STUB_PROMPTED= STUB_LATE=700 exec claude";
    set_up.tmux(["new-session", "-d", "-s", "a", command]);
    set_up.wait_for_starts(1);
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0"), Some(set_up.conversation_shown("a:0.0")));
}

#[test]
fn a_conversation_whose_directory_is_gone_is_resumed_by_its_id_where_the_version_can() {
    for (version, by_id) in [("2.1.332", true), ("2.1.197", false)] {
        let mut set_up = SetUp::new();
        set_up.set("STUB_VERSION", version);
        let gone = set_up.directory("gone");
        let command = format!("STUB_VERSION={version} exec claude");
        let id = set_up.agent_in(&format!("new-session -d -s a -c {gone}"), &command);
        set_up.save();
        set_up.crash();
        std::fs::remove_dir(&gone).unwrap();
        set_up.restore();
        let again = set_up.wait_for_starts(2).pop().unwrap().arguments();
        let path = format!("{id}.jsonl");
        assert_eq!(again.ends_with(&path), !by_id, "{version}: {again}");
        assert!(again.contains(&id), "{version}: {again}");
    }
}

#[test]
fn a_view_of_all_conversations_is_no_conversation_and_comes_back_as_itself() {
    let set_up = SetUp::new();
    let left = set_up.agent_in("new-session -d -s a", "exec claude");
    let job = format!("exec claude attach {}", &B[..8]);
    set_up.agent_in("new-window -t a:", "exec claude agents");
    set_up.agent_in("new-window -t a:", &job);
    // Left while the view is open: the one transcript since that started.
    let pid = stub_pid(&set_up, "a:0.0");
    set_up.t("set-option -w -t a:0 remain-on-exit on");
    set_up.type_line("a:0.0", "/exit");
    wait_until("it has ended", || crate::support::sandbox::ended(pid));
    set_up.save();
    for place in ["a:1.0", "a:2.0"] {
        assert_eq!((set_up.conversation(place), set_up.row(place).agent), (None, None), "{left}");
    }
    set_up.crash();
    set_up.restore();
    wait_until("both are back", || {
        let again: Vec<String> = set_up.started().iter().skip(3).map(Started::arguments).collect();
        let attached = format!("attach {}", &B[..8]);
        again.contains(&"agents".to_owned()) && again.contains(&attached)
    });
}

#[test]
fn a_shared_daemon_in_a_pane_owns_no_thread() {
    let set_up = SetUp::new();
    set_up.agent_in("new-session -d -s a", "codex app-server & exec sleep 1000");
    set_up.save();
    assert_eq!(set_up.row("a:0.0").agent, None);
}

#[test]
fn with_a_daemon_the_only_thread_of_each_directory_comes_back_there() {
    let set_up = SetUp::new();
    let (one, two) = (set_up.directory("one"), set_up.directory("two"));
    let command = "STUB_DAEMON=1 exec codex";
    let first = set_up.agent_in(&format!("new-session -d -s a -c {one}"), command);
    let second = set_up.agent_in(&format!("new-window -t a: -c {two}"), command);
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0"), Some(first.clone()));
    assert_eq!(set_up.conversation("a:1.0"), Some(second.clone()));
    assert_eq!(set_up.row("a:0.0").evidence.as_deref(), Some(&b"transcript"[..]));
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(4);
    assert_eq!(set_up.conversation_shown("a:0.0"), first);
    assert_eq!(set_up.conversation_shown("a:1.0"), second);
}

#[test]
fn with_a_daemon_the_title_says_which_thread_a_pane_shows() {
    let set_up = SetUp::new();
    let command = "STUB_DAEMON=1 STUB_TITLE=1 exec codex";
    let first = set_up.agent_in("new-session -d -s a", command);
    let second = set_up.agent_in("new-window -t a:", command);
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0"), Some(first));
    assert_eq!(set_up.conversation("a:1.0"), Some(second.clone()));
    assert_eq!(set_up.row("a:0.0").evidence.as_deref(), Some(&b"title"[..]));
    set_up.type_line("a:1.0", "/new");
    wait_until("the new one", || set_up.conversation_shown("a:1.0") != second);
    set_up.type_line("a:1.0", "hello");
    let third = set_up.conversation_shown("a:1.0");
    wait_until("its title", || {
        set_up.save();
        set_up.conversation("a:1.0").as_ref() == Some(&third)
    });
}

#[test]
fn with_a_daemon_two_threads_of_one_directory_are_not_guessed() {
    let set_up = SetUp::new();
    set_up.agent_in("new-session -d -s a", "STUB_DAEMON=1 exec codex");
    set_up.agent_in("new-window -t a:", "STUB_DAEMON=1 exec codex");
    let rows = set_up.save().rows;
    let known = |row: &terminal_lobby::snapshot::Row| row.conversation.is_some();
    assert!(!known(&rows[0]) && rows[0].agent.is_some(), "{rows:?}");
}

#[test]
fn of_several_threads_that_a_codex_holds_the_latest_is_its_own() {
    let set_up = SetUp::new();
    let first = set_up.agent_in("new-session -d -s a", "exec codex");
    set_up.type_line("a:0.0", "/new");
    wait_until("the new one", || set_up.conversation_shown("a:0.0") != first);
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0"), Some(set_up.conversation_shown("a:0.0")));
}

#[test]
fn a_fork_of_a_thread_is_not_taken_for_the_thread() {
    let mut set_up = SetUp::new();
    set_up.set("STUB_PROMPTED", "");
    let thread = set_up.agent_in("new-session -d -s keep", "STUB_PROMPTED=1 exec codex");
    let command = format!("STUB_DAEMON=1 exec codex fork {thread}");
    let fork = set_up.agent_in("new-session -d -s a", &command);
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0"), Some(fork));
    assert_eq!(set_up.conversation("keep:0.0"), Some(thread));
}

#[test]
fn what_killed_agents_left_fills_the_time_between_the_last_save_and_the_crash() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    let before = set_up.agent_in("new-window -t a:", "exec claude");
    set_up.save();
    // A new conversation in a pane that was saved, and one in a session that no save saw.
    edit_record(&set_up, "a:1.0", |record| {
        let pane = set_up.tmux(["display-message", "-p", "-t", "a:1.0", "#{pane_id}"]).out();
        record["tmux"] = format!("a:@1.{}", pane.trim()).into();
    });
    set_up.type_line("a:1.0", "/clear");
    wait_until("the new one", || set_up.conversation_shown("a:1.0") != before);
    let after = set_up.conversation_shown("a:1.0");
    edit_record(&set_up, "a:1.0", |record| {
        let pane = set_up.tmux(["display-message", "-p", "-t", "a:1.0", "#{pane_id}"]).out();
        record["tmux"] = format!("a:@1.{}", pane.trim()).into();
    });
    let unseen = set_up.agent_in("new-session -d -s b", "STUB_TMUX=b:@2.%2 exec claude");
    set_up.crash();
    let plan = set_up.persist("restore").ok();
    assert!(plan.err().contains(&unseen), "{}", plan.err());
    wait_until("both are back", || {
        let all: Vec<String> = set_up.started().iter().map(Started::arguments).collect();
        let is_back = |id: &str| all.contains(&format!("--resume {id}"));
        is_back(&after) && is_back(&unseen) && !is_back(&before)
    });
}

#[test]
fn a_killed_agent_is_lost_on_the_conversation_that_it_began_after_the_last_save() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    set_up.t("new-session -d -s own");
    let line = "STUB_TMUX=PLACE claude";
    let place = |session: &str| {
        set_up
            .t(&format!("display-message -p -t {session} {session}:#{{window_id}}.#{{pane_id}}"))
            .out()
    };
    for (number, session) in ["a", "own"].iter().enumerate() {
        set_up.type_line(session, &line.replace("PLACE", place(session).trim()));
        set_up.wait_for_starts(number + 1);
    }
    let before = ["a", "own"].map(|session| set_up.conversation_shown(session));
    set_up.save();
    // What is written in the second of the save may be older than it.
    let saved = terminal_lobby::sys::clock::now();
    wait_until("this second is over", || terminal_lobby::sys::clock::now() > saved);
    set_up.type_line("a", "/clear");
    wait_until("the new one", || set_up.conversation_shown("a") != before[0]);
    let after = set_up.conversation_shown("a");
    for start in set_up.started() {
        kill(start.pid);
        wait_until("it is gone", || ended(start.pid));
    }
    let lost: Vec<_> = set_up.save().rows.into_iter().map(|row| row.conversation).collect();
    assert_eq!(lost, [Some(after.clone().into()), Some(before[1].clone().into())]);
    set_up.restore();
    let mut again: Vec<String> =
        set_up.wait_for_starts(4)[2..].iter().map(Started::arguments).collect();
    again.sort();
    let mut expected = [&after, &before[1]].map(|id| format!("--resume {id}"));
    expected.sort();
    assert_eq!(again, expected);
}

#[test]
fn the_hook_of_codex_shows_the_thread_in_the_title_and_goes_without_a_trace() {
    let set_up = SetUp::new();
    let config = set_up.sandbox.home().join(".codex/config.toml");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    let own = "# mine\n[tui]\nterminal_title = [\"project\"] # short\n";
    std::fs::write(&config, own).unwrap();
    let title = || {
        let json = set_up.persist("doctor --json").json().to_string();
        json.contains("codex title").then(|| json.contains("hook --install --agent codex"))
    };
    assert_ne!(title(), Some(false), "doctor says that it is missing");
    for _ in ["once", "twice"] {
        set_up.persist("hook --install --agent codex").ok();
        let text = std::fs::read_to_string(&config).unwrap();
        assert!(text.contains("[\"thread-id\", \"project\"] # short"), "{text}");
    }
    assert_ne!(title(), Some(true));
    set_up.persist("hook --uninstall --agent codex").ok();
    assert_eq!(std::fs::read_to_string(&config).unwrap(), own);
}
