//! Options that users set, of which a save asks with its one question whether they are as they were.

use super::whole::age;
use crate::support::set_up::SetUp;

/// What a set-up has saved of options: `session field` of each row that has any.
fn saved(set_up: &SetUp) -> Vec<String> {
    let run = set_up.persist("save").ok();
    assert!(!run.err().contains("option"), "{}", run.err());
    let rows = set_up.snapshot().rows.into_iter();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace('\0', " ");
    let row = |row: terminal_lobby::snapshot::Row| {
        Some(format!("{} {}", text(row.session), text(row.user_options?).trim_end()))
    };
    rows.filter_map(row).collect()
}

/// As [`saved`], when it is time for the next portion.
fn saved_later(set_up: &SetUp) -> Vec<String> {
    age(set_up, &["options_asked", "options_read"]);
    saved(set_up)
}

/// A server of so many idle sessions, whose next portion is known.
fn idle(sessions: usize) -> SetUp {
    let set_up = SetUp::new();
    set_up.sandbox.configure("save_on_change = false\n");
    for n in 10..10 + sessions {
        set_up.t(&format!("new-session -d -s s{n} sleep 1000"));
    }
    set_up.t("set-option -p -t s10: @role one");
    assert_eq!(saved(&set_up), ["s10 p:@role=one"]);
    assert_ne!(next(&set_up), "");
    set_up
}

/// What the next portion is.
fn next(set_up: &SetUp) -> String {
    let text = std::fs::read_to_string(set_up.sandbox.user_state().join("activity.tsv")).unwrap();
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix("options_next\t")).unwrap_or_default().to_owned()
}

#[test]
fn options_that_no_name_and_no_use_shows_are_seen_when_it_is_their_turn() {
    for sessions in [5, 20] {
        let set_up = idle(sessions);
        // A style is in no format; next to each other nothing but its owner changes.
        set_up.t("set-option -w -t s11: window-style bg=red");
        let seen = |expected: &[&str]| {
            let turns: Vec<Vec<String>> = (0..2).map(|_| saved_later(&set_up)).collect();
            assert_eq!(turns[1], expected, "{sessions} sessions: {turns:?}");
        };
        seen(&["s10 p:@role=one", "s11 w:window-style=bg=red"]);
        assert!(next(&set_up).contains(" | p0"), "{}", next(&set_up));
        set_up.t("set-option -wu -t s11: window-style");
        set_up.t("set-option -w -t s12: window-style bg=red");
        seen(&["s10 p:@role=one", "s12 w:window-style=bg=red"]);
        set_up.t("set-option -wu -t s12: window-style");
        set_up.t("set-option -p -t s12: window-style bg=red");
        seen(&["s10 p:@role=one", "s12 p:window-style=bg=red"]);
        set_up.t("set-option -pu -t s12: window-style");
        set_up.t("set-option -t s10: status-style bg=blue");
        seen(&["s10 s:status-style=bg=blue p:@role=one"]);
    }
}

#[test]
fn what_is_gone_when_it_is_asked_for_disturbs_no_save() {
    let set_up = idle(20);
    for name in ["s10", "s13", "s29"] {
        set_up.t(&format!("kill-session -t ={name}"));
    }
    set_up.t("set-option -w -t s14: @late x");
    let turns: Vec<Vec<String>> = (0..2).map(|_| saved_later(&set_up)).collect();
    assert!(turns[1].contains(&"s14 w:@late=x".to_owned()), "{turns:?}");
    // All ids of another server are other panes'.
    set_up.crash();
    for name in ["other", "more"] {
        set_up.t(&format!("new-session -d -s {name} sleep 1000"));
    }
    set_up.t("set-option -p -t more: @role two");
    assert!(saved_later(&set_up).contains(&"more p:@role=two".to_owned()));
}

#[test]
fn a_record_that_is_forged_or_of_no_use_disturbs_no_save() {
    let set_up = idle(20);
    let file = set_up.sandbox.user_state().join("activity.tsv");
    let long = "p1 ".repeat(200);
    for record in ["nothing of the kind", "| |", "p4000000000 w7 | s9", "p0;kill-server", &long] {
        age(&set_up, &["options_asked", "options_read"]);
        let text = std::fs::read_to_string(&file).unwrap();
        let line = format!("options_next\t{}", next(&set_up));
        std::fs::write(&file, text.replace(&line, &format!("options_next\t{record}"))).unwrap();
        assert_eq!(saved(&set_up), ["s10 p:@role=one"], "{record}");
        assert!(next(&set_up).starts_with('s'), "{record}: {}", next(&set_up));
    }
}

#[test]
fn what_a_hook_prints_is_no_option_of_anything() {
    let set_up = idle(20);
    // Under an index that no question looks for, and of a session.
    set_up.t("set-option -g @forged yes");
    set_up.tmux([
        "set-hook",
        "-g",
        "after-show-options[77]",
        "show-options -gv @role ; show-options -g",
    ]);
    set_up.tmux(["set-hook", "-t", "s15:", "after-show-options", "show-options -g"]);
    for _ in 0..3 {
        age(&set_up, &["options_asked", "options_read"]);
        set_up.persist("save").ok();
        let text = String::from_utf8(set_up.sandbox.latest()).unwrap();
        assert!(!text.contains("@forged") && text.contains("@role=one"), "{text}");
    }
}
