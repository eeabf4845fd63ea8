//! `persist suspend --idle`: those idle for longest, and none that was used recently.

use super::{chosen, next_second, outcome, set_up};
use crate::support::sandbox;

#[test]
fn by_itself_nothing_is_suspended_unless_the_site_says_after_which_time() {
    let set_up = set_up();
    set_up.agent_in("new-session -d -s a", "claude");
    for words in ["suspend --idle", "suspend --idle --need 1G"] {
        let run = set_up.persist(words).ok();
        assert!(run.err().contains("[suspend] after is off"), "{}", run.err());
    }
    assert!(!sandbox::ended(set_up.started()[0].pid));
    set_up.sandbox.configure("[suspend]\nafter = \"0s\"\n");
    set_up.persist("suspend --idle").ok();
    set_up.wait_until_suspended("a");
}

#[test]
fn one_that_was_used_within_the_time_stays_and_a_lack_of_memory_shortens_it() {
    let set_up = set_up();
    set_up.agent_in("new-session -d -s a", "claude");
    set_up.sandbox.configure("[suspend]\nafter = \"72h\"\nunder_pressure = \"1h\"\n");
    for words in ["suspend --idle --json", "suspend --idle --need 1G --json"] {
        let used = ("left".to_owned(), "it was used recently".to_owned());
        assert_eq!(outcome(&set_up.persist(words).ok(), "a:0.0"), used, "{words}");
    }
    set_up.sandbox.configure("[suspend]\nafter = \"72h\"\nunder_pressure = \"0s\"\n");
    assert_eq!(chosen(&set_up.persist("suspend --idle --json").ok()), [""; 0]);
    assert_eq!(chosen(&set_up.persist("suspend --idle --need 1G --json").ok()), ["a"]);
}

#[test]
fn an_invalid_time_is_reported_with_its_key() {
    let set_up = set_up();
    set_up.sandbox.configure("[suspend]\nafter = \"72\"\n");
    let run = set_up.persist("list").code(2);
    assert!(run.err().contains("suspend.after = '72': expected a duration"), "{}", run.err());
    set_up.sandbox.configure("");
    set_up.persist("suspend --idle --older-than 72").code(2);
    set_up.persist("suspend --idle --need 50%").code(2);
    set_up.persist("suspend").code(2);
    set_up.persist("suspend --idle a").code(2);
}

#[test]
fn a_session_and_a_pane_that_are_marked_keep_stay() {
    let set_up = set_up();
    for session in ["a", "b", "c"] {
        set_up.agent_in(&format!("new-session -d -s {session}"), "claude");
    }
    set_up.t("set-option -t a: @persist keep");
    // With a colon: without one, `b` may be the window in which bash has not become the agent yet.
    set_up.t("set-option -p -t b: @persist keep");
    let run = set_up.suspend_idle("").ok();
    assert_eq!(chosen(&run), ["c"]);
    assert_eq!(outcome(&run, "a:0.0").1, "it is marked with @persist keep");
    // They are saved like any other, with their marks.
    set_up.save();
    assert_eq!(set_up.row("a:0.0").state.word(), "live");
    set_up.crash();
    set_up.restore();
    let marks = set_up.panes("#{session_name} #{@persist}");
    assert_eq!(marks, ["a keep", "b keep", "c "]);
    // A person may name one.
    set_up.persist("suspend a --force").ok();
}

#[test]
fn those_idle_for_longest_are_suspended_until_the_need_is_met() {
    let mut set_up = set_up();
    set_up.set("STUB_MEMORY", "10");
    for session in ["first", "second", "third", "fourth"] {
        set_up.agent_in(&format!("new-session -d -s {session}"), "claude");
        next_second();
    }
    // One that was prompted since is not among the oldest any more.
    set_up.tell("first", "more");
    next_second();
    let run = set_up.suspend_idle("--need 15M --dry-run").ok();
    assert_eq!(chosen(&run), ["second", "third"]);
    assert_eq!(outcome(&run, "first:0.0"), ("left".into(), "others give back enough".into()));
    assert!(set_up.started().iter().all(|started| !sandbox::ended(started.pid)));
    let run = set_up.suspend_idle("--need 15M").ok();
    assert_eq!(chosen(&run), ["second", "third"]);
    assert!(run.json()["given_back"].as_u64().unwrap() > 20 << 20, "{}", run.out());
    let run = set_up.suspend_idle("").ok();
    assert_eq!(chosen(&run), ["fourth", "first"]);
}

#[test]
fn a_restore_starts_none_that_is_suspended_neither_now_nor_after_a_crash() {
    let set_up = set_up();
    let claude = set_up.agent_in("new-session -d -s a", "claude");
    set_up.suspend_idle("").ok();
    set_up.wait_until_suspended("a");
    let run = set_up.restore();
    assert!(run.out().contains("is waiting in a:0.0"), "{}", run.out());
    set_up.crash();
    set_up.restore();
    set_up.wait_until_suspended("a");
    assert_eq!(set_up.started().len(), 1);
    assert_eq!(chosen(&set_up.suspend_idle("").ok()), [""; 0]);
    set_up.persist("resume a").ok();
    assert!(set_up.wait_for_starts(2)[1].arguments().contains(&claude));
}

#[test]
fn with_nothing_to_suspend_nothing_is_changed() {
    let set_up = set_up();
    let run = set_up.suspend_idle("").ok();
    assert_eq!(run.json()["notes"][0], "no tmux server is running");
    set_up.t("new-session -d -s a");
    let run = set_up.suspend_idle("").ok();
    assert_eq!(
        (&run.json()["agents"], &run.json()["suspended"]),
        (&serde_json::json!([]), &0.into())
    );
    assert!(!set_up.sandbox.user_state().join("suspending.tsv").exists());
}

#[test]
fn an_agent_that_was_resumed_has_just_been_used() {
    let set_up = set_up();
    set_up.agent_in("new-session -d -s a", "claude");
    next_second();
    next_second();
    let idle = |set_up: &crate::support::set_up::SetUp| {
        set_up.persist("suspend --json --idle --older-than 2s").ok()
    };
    assert_eq!(chosen(&idle(&set_up)), ["a"]);
    set_up.persist("resume a").ok();
    set_up.wait_for_starts(2);
    set_up.conversation_shown("a");
    assert_eq!(outcome(&idle(&set_up), "a:0.0").1, "it was used recently");
}
