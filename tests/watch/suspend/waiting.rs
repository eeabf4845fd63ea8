//! The pane that waits: a click, the wheel, keys.

use super::set_up;
use crate::support::set_up::SetUp;
use crate::support::wait_until;

/// A pane that waits.
fn waiting() -> (SetUp, String) {
    let set_up = set_up();
    let claude = set_up.agent_in("new-session -d -s a", "claude");
    set_up.persist("suspend a").ok();
    set_up.wait_until_suspended("a");
    wait_until("it takes the mouse", || set_up.panes("#{mouse_any_flag}") == ["1"]);
    (set_up, claude)
}

/// Sends bytes as a terminal does that reports the mouse.
fn send(set_up: &SetUp, text: &str) {
    set_up.tmux(["send-keys", "-t", "a", "-l", text]);
}

#[test]
fn a_click_resumes_it_and_the_agent_gets_no_report_of_the_mouse() {
    let (set_up, claude) = waiting();
    send(&set_up, "\x1b[<0;5;2M");
    send(&set_up, "\x1b[<0;5;2m");
    assert!(set_up.wait_for_starts(2)[1].arguments().contains(&claude));
    set_up.conversation_shown("a");
    assert_eq!(set_up.panes("#{mouse_any_flag}"), ["0"]);
}

#[test]
fn with_the_wheel_the_mouse_is_tmuxs_again_and_enter_still_resumes_it() {
    let (set_up, claude) = waiting();
    send(&set_up, "\x1b[<64;5;2M");
    wait_until("the mouse is left to tmux", || set_up.panes("#{mouse_any_flag}") == ["0"]);
    assert_eq!(set_up.started().len(), 1);
    set_up.t("send-keys -t a Enter");
    assert!(set_up.wait_for_starts(2)[1].arguments().contains(&claude));
    wait_until("that is recorded, once", || {
        let events = set_up.persist("events --json").ok().json();
        let events = events["events"].as_array().unwrap().iter();
        events.map(|event| event["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
            == ["suspended", "woken"]
    });
}

#[test]
fn marking_text_and_keys_with_sequences_start_nothing() {
    let (set_up, _) = waiting();
    send(&set_up, "\x1b[<0;5;2M\x1b[<0;9;2m");
    send(&set_up, "\x1b[<2;5;2M\x1b[<2;5;2m");
    set_up.t("send-keys -t a Up F1 C-c Escape");
    send(&set_up, "\x1b[200~words\x1b[201~");
    // Answered in the order of what is typed.
    send(&set_up, "\x1b[<65;5;2M");
    wait_until("all was read", || set_up.panes("#{mouse_any_flag}") == ["0"]);
    set_up.save();
    assert_eq!(set_up.row("a:0.0").state.word(), "suspended");
}

#[test]
fn q_closes_what_was_suspended_on_purpose() {
    let (set_up, claude) = waiting();
    set_up.t("new-session -d -s keep");
    set_up.t("send-keys -t a q");
    wait_until("its pane is closed", || set_up.panes("#{session_name}") == ["keep"]);
    let endings = set_up.sandbox.user_state().join("endings.tsv");
    wait_until("its close is recorded", || {
        std::fs::read_to_string(&endings).is_ok_and(|text| {
            text.lines().any(|line| line.contains(&claude) && line.contains("\tclosed\t"))
        })
    });
    let rows = set_up.save().rows;
    assert!(rows.iter().all(|row| row.conversation.is_none()), "{rows:#?}");
}
