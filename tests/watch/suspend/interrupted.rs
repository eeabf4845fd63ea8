//! Whatever happens while agents are suspended: no save takes a conversation for lost or closed.

use super::set_up;
use crate::support::set_up::SetUp;
use crate::support::{sandbox, wait_until};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The record of an interrupted suspension.
fn record(set_up: &SetUp, conversation: &str) {
    let file = set_up.sandbox.user_state().join("suspending.tsv");
    std::fs::write(file, format!("# conversation\n{conversation}\n")).unwrap();
}

#[test]
fn an_agent_that_was_ended_before_its_pane_waited_is_suspended_and_a_restore_lets_it_wait() {
    let set_up = set_up();
    set_up.t("new-session -d -s a");
    set_up.sandbox.wait_for_prompt("a");
    set_up.type_line("a", "claude");
    let pid = set_up.wait_for_starts(1)[0].pid;
    let claude = set_up.conversation_shown("a");
    set_up.save();
    record(&set_up, &claude);
    sandbox::kill(pid);
    set_up.wait_for_text("a", "Killed");
    for _ in 0..2 {
        set_up.save();
        let row = set_up.row("a:0.0");
        assert_eq!((row.state.word(), row.lost_since), ("suspended", None));
        assert_eq!(row.conversation, Some(claude.clone().into()));
    }
    set_up.restore();
    set_up.wait_until_suspended("a");
    assert_eq!(set_up.started().len(), 1, "it was started");
    set_up.save();
    let file = set_up.sandbox.user_state().join("suspending.tsv");
    assert!(!std::fs::read_to_string(file).unwrap().contains(&claude), "it is seen again");
    set_up.t("send-keys -t a Enter");
    assert!(set_up.wait_for_starts(2)[1].arguments().contains(&claude));
}

#[test]
fn a_record_of_an_agent_that_still_runs_is_taken_away() {
    let set_up = set_up();
    let claude = set_up.agent_in("new-session -d -s a", "claude");
    set_up.save();
    record(&set_up, &claude);
    set_up.save();
    assert_eq!(set_up.row("a:0.0").state.word(), "live");
    // From then on its death is a loss.
    set_up.t("new-session -d -s keep");
    sandbox::kill(set_up.started()[0].pid);
    wait_until("its session is gone", || set_up.panes("#{session_name}") == ["keep"]);
    set_up.save();
    assert_eq!(set_up.row("a:0.0").state.word(), "lost");
}

#[test]
fn saves_that_run_meanwhile_see_each_conversation_live_or_suspended() {
    let set_up = set_up();
    let ids: BTreeSet<String> =
        (0..6).map(|n| set_up.agent_in(&format!("new-session -d -s s{n}"), "claude")).collect();
    set_up.save();
    let over = AtomicBool::new(false);
    let check = || {
        let rows = set_up.save().rows;
        let seen: BTreeSet<String> = rows
            .iter()
            .filter(|row| ["live", "suspended"].contains(&row.state.word()))
            .filter_map(|row| String::from_utf8(row.conversation.clone()?).ok())
            .collect();
        assert_eq!(seen, ids, "{rows:#?}");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                check();
            }
        });
        for round in 0..3 {
            let suspended = set_up.persist("suspend s0 s1 s2 s3 s4 s5 --json");
            let resumed = set_up.persist("resume s0 s1 s2 s3 s4 s5 --json");
            if suspended.json()["suspended"] != 6 || resumed.json()["resumed"] != 6 {
                over.store(true, Ordering::Relaxed);
                panic!("{}{}", suspended.out(), resumed.out());
            }
            set_up.wait_for_starts(6 * (round + 2));
            let texts: Vec<String> =
                (0..6).map(|n| set_up.conversation_shown(&format!("s{n}"))).collect();
            assert_eq!(texts.into_iter().collect::<BTreeSet<_>>(), ids);
        }
        over.store(true, Ordering::Relaxed);
    });
    check();
}

#[test]
fn a_suspension_that_is_killed_at_any_moment_loses_nothing() {
    let set_up = set_up();
    let claude = set_up.agent_in("new-session -d -s a", "claude");
    set_up.save();
    for round in 0..12_u64 {
        let mut command = set_up.sandbox.persist_command(["suspend", "a"]);
        command.env("SHELL", "/bin/bash");
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut suspend = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(round * 9));
        suspend.kill().unwrap();
        suspend.wait().unwrap();
        let rows = set_up.save().rows;
        let row = rows.iter().find(|row| row.conversation == Some(claude.clone().into()));
        let state = row.unwrap_or_else(|| panic!("round {round}: {rows:#?}")).state.word();
        assert!(["live", "suspended"].contains(&state), "round {round}: {state}");
        if state == "suspended" {
            let before = set_up.started().len();
            set_up.restore();
            set_up.persist("resume a").ok();
            set_up.wait_for_starts(before + 1);
            assert_eq!(set_up.conversation_shown("a"), claude);
        }
    }
}
