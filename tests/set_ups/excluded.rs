//! Sessions that are not saved: by a pattern of the configuration, or by their user's mark.

use crate::support::run;
use crate::support::set_up::SetUp;
use crate::support::wait_until;

#[test]
fn excluded_sessions_are_neither_saved_nor_lost_nor_restored_and_are_counted() {
    let set_up = SetUp::new();
    set_up.agent_in("new-session -d -s ci-1", "claude");
    set_up.t("new-session -d -s web");
    set_up.t("new-session -d -s scratch");
    set_up.save();
    set_up.sandbox.configure("[keep]\nexclude = [\"ci-*\"]\n");
    set_up.t("set-option -t scratch @persist off");
    let report = set_up.persist("save --json").ok().json();
    let saved = &report["users"][0];
    assert_eq!(
        (&saved["sessions"], &saved["lost"], &saved["excluded"]),
        (&1.into(), &0.into(), &2.into())
    );
    let names: Vec<_> = set_up.snapshot().rows.into_iter().map(|row| row.session).collect();
    assert_eq!(names, [b"web"]);
    let shown = set_up.persist("show").ok();
    assert!(shown.err().contains("excluded from saves: ci-1, scratch"), "{}", shown.err());
    let doctor = set_up.persist("doctor").out();
    assert!(
        doctor.contains("not saved by @persist off or as ci-*; live: ci-1, scratch"),
        "{doctor}"
    );
    set_up.crash();
    set_up.restore();
    assert_eq!(set_up.panes("#{session_name}"), ["web"]);
}

/// What excludes sessions.
type Exclude<'a> = &'a dyn Fn(&SetUp);

#[test]
fn sessions_that_are_all_excluded_do_not_come_back_from_the_snapshot_before() {
    let by_pattern = |set_up: &SetUp| set_up.sandbox.configure("[keep]\nexclude = [\"*\"]\n");
    let by_mark = |set_up: &SetUp| {
        set_up.t("set-option -t web @persist off");
        set_up.t("set-option -t ci @persist off");
    };
    let renamed = |set_up: &SetUp| {
        by_mark(set_up);
        set_up.t("rename-session -t web other");
        set_up.t("rename-session -t ci elsewhere");
    };
    let excludes: [(&str, Exclude<'_>); 3] =
        [("pattern", &by_pattern), ("mark", &by_mark), ("renamed", &renamed)];
    for (how, exclude) in excludes {
        let set_up = SetUp::new();
        set_up.agent_in("new-session -d -s ci", "claude");
        set_up.t("new-session -d -s web");
        set_up.save();
        exclude(&set_up);
        for _ in 0..2 {
            let saved = set_up.persist("save --json").ok().json();
            assert_eq!(saved["users"][0]["excluded"], 2, "{how}: {saved}");
        }
        set_up.sandbox.configure("");
        set_up.crash();
        let starts = set_up.started().len();
        let restored = set_up.restore();
        let text = restored.out() + &restored.err();
        let live = run(set_up.command("tmux").args(["list-sessions", "-F", "#{session_name}"]));
        assert_eq!(live.out(), "", "{how}: {text}");
        assert_eq!(set_up.started().len(), starts, "{how}: {text}");
        set_up.persist("restore ci").ok();
        assert_eq!(set_up.panes("#{session_name}"), ["ci"], "{how}: by name it still comes");
    }
}

#[test]
fn what_was_lost_before_all_live_sessions_were_excluded_is_still_restored() {
    let set_up = SetUp::new();
    let id = set_up.agent_in("new-session -d -s web", "claude");
    set_up.t("new-session -d -s scratch");
    set_up.save();
    set_up.crash();
    set_up.t("new-session -d -s scratch");
    set_up.t("set-option -t scratch @persist off");
    let rows = set_up.save().rows;
    assert!(rows.iter().all(|row| row.session == b"web"), "{rows:?}");
    set_up.crash();
    set_up.restore();
    assert_eq!(set_up.panes("#{session_name}"), ["web"]);
    set_up.wait_for_starts(2);
    assert_eq!(set_up.conversation_shown("=web:"), id);
}

#[test]
fn a_session_that_is_no_longer_excluded_is_saved_and_comes_back() {
    let set_up = SetUp::new();
    let id = set_up.agent_in("new-session -d -s web", "claude");
    set_up.save();
    for _ in 0..2 {
        set_up.t("set-option -t web @persist off");
        set_up.persist("save").ok();
        set_up.t("set-option -u -t web @persist");
        set_up.persist("save").ok();
    }
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(2);
    assert_eq!(set_up.conversation_shown("=web:"), id);
}

#[test]
fn an_excluded_session_that_was_renamed_is_not_lost_under_its_old_name() {
    for mark in [true, false] {
        let set_up = SetUp::new();
        set_up.agent_in("new-session -d -s web", "claude");
        set_up.t("split-window -t web");
        set_up.t("new-session -d -s shells");
        set_up.t("new-session -d -s keep");
        set_up.save();
        for name in ["web", "shells"] {
            if mark {
                set_up.t(&format!("set-option -t {name} @persist off"));
            }
            set_up.t(&format!("rename-session -t {name} ci-{name}"));
        }
        if !mark {
            set_up.sandbox.configure("[keep]\nexclude = [\"ci-*\"]\n");
        }
        let saved = set_up.save();
        let names: Vec<_> = saved.rows.iter().map(|row| row.session.as_slice()).collect();
        assert_eq!(names, [b"keep"], "mark: {mark}");
        set_up.crash();
        set_up.restore();
        assert_eq!(set_up.panes("#{session_name}"), ["keep"], "mark: {mark}");
    }
}

#[test]
fn what_an_older_snapshot_has_of_an_excluded_session_comes_back_by_name_alone() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s ci-1");
    set_up.t("new-session -d -s web");
    set_up.save();
    set_up.crash();
    set_up.sandbox.configure("[keep]\nexclude = [\"ci-?\"]\n");
    set_up.restore();
    assert_eq!(set_up.panes("#{session_name}"), ["web"]);
    set_up.persist("restore ci-1").ok();
    assert_eq!(set_up.panes("#{session_name}"), ["ci-1", "web"]);
}

#[test]
fn an_agent_that_starts_in_a_marked_session_after_the_last_save_does_not_come_back() {
    let set_up = SetUp::new();
    set_up.agent_in("new-session -d -s web", "STUB_TMUX=web:@0.%0 exec claude");
    set_up.t("new-session -d -s off");
    set_up.t("set-option -t off @persist off");
    set_up.save();
    // What starts in the second of a save may be older than it.
    let saved = terminal_lobby::sys::clock::now();
    wait_until("this second is over", || terminal_lobby::sys::clock::now() > saved);
    set_up.agent_in("new-window -t off:", "STUB_TMUX=off:@2.%2 exec claude");
    let seen = set_up.agent_in("new-window -t web:", "STUB_TMUX=web:@3.%3 exec claude");
    set_up.crash();
    set_up.restore();
    let starts = set_up.wait_for_starts(5);
    assert_eq!(starts.len(), 5, "{starts:?}");
    assert!(starts[3..].iter().any(|start| start.arguments().contains(&seen)), "{starts:?}");
    assert_eq!(set_up.panes("#{session_name}:#{window_index}"), ["web:0", "web:1"]);
}
