//! The real agents, suspended and resumed: what their records and input lines really look like.

use super::{Place, pane_at};
use crate::support::agents::Agent;
use crate::support::{AgentLab, sandbox, wait_until};

/// Runs `persist suspend --json SESSION`; the reason if it was refused.
#[track_caller]
fn suspend(lab: &AgentLab, session: &str) -> Result<(), String> {
    let report = lab.persist(["suspend", "--json", session]).json();
    let agent = &report["agents"][0];
    match agent["result"].as_str() {
        Some("suspended") => Ok(()),
        Some("refused") => Err(agent["reason"].as_str().unwrap().to_owned()),
        _ => panic!("{report:#}"),
    }
}

#[track_caller]
fn wait_for_waiting(lab: &AgentLab, pane: &str) {
    wait_until("its pane waits", || lab.screen(pane).contains("Enter resumes it"));
}

const UNSENT: &str = "its input line holds text that was not sent";

/// Types something and checks that the agent is left alone until it is deleted.
#[track_caller]
fn keeps_what_is_typed(lab: &AgentLab, session: &str, agent: &Agent) {
    lab.tmux(["send-keys", "-t", &agent.pane, "-l", "unsent"]).ok();
    wait_until("it is typed", || lab.screen(&agent.pane).contains("unsent"));
    assert_eq!(suspend(lab, session), Err(UNSENT.to_owned()));
    // With the cursor at the beginning it is text all the same.
    lab.tmux(["send-keys", "-t", &agent.pane, "C-a"]).ok();
    wait_until("the cursor is there", || lab.pane(&agent.pane, "#{cursor_x}") == "2");
    assert_eq!(suspend(lab, session), Err(UNSENT.to_owned()));
    lab.tmux(["send-keys", "-t", &agent.pane, "C-k"]).ok();
    wait_until("it is deleted", || !lab.screen(&agent.pane).contains("unsent"));
}

#[test]
fn claude_is_suspended_when_it_rests_and_goes_on_with_its_own_history() {
    let Some(lab) = AgentLab::new() else { return };
    let work = lab.sandbox.work();
    let claude = lab.start_claude("c", &work, &[]);
    let other = lab.start_claude("o", &work, &[]);
    assert!(suspend(&lab, "c").unwrap_err().contains("never prompted"));
    lab.prompt(&claude, "one");
    lab.prompt(&other, "two");
    keeps_what_is_typed(&lab, "c", &claude);
    lab.enter(&claude.pane, "sleep:3");
    wait_until("it works", || {
        lab.live_record(claude.pid).is_some_and(|record| record["status"] == "busy")
    });
    assert_eq!(suspend(&lab, "c"), Err("it is working".to_owned()));
    wait_until("its turn has ended", || {
        lab.live_record(claude.pid).is_some_and(|record| record["status"] == "idle")
    });
    wait_until("it rests", || suspend(&lab, "c").is_ok());
    wait_for_waiting(&lab, &claude.pane);
    assert!(sandbox::ended(claude.pid));
    // It ended as with its window: it took its record away, and nothing says that it was closed.
    assert_eq!(lab.live_record(claude.pid), None);
    let endings = std::fs::read_to_string(lab.sandbox.user_state().join("endings.tsv"));
    assert!(!endings.unwrap_or_default().contains("\tclosed\t"));
    lab.persist(["save"]).ok();
    let rows = terminal_lobby::snapshot::decode(&lab.sandbox.latest()).unwrap().rows;
    let states: Vec<_> = rows.iter().map(|row| (row.label(), row.state.word())).collect();
    assert_eq!(states, [("c:0.0".into(), "suspended"), ("o:0.0".into(), "live")]);
    lab.tmux(["send-keys", "-t", &claude.pane, "Enter"]).ok();
    let resumed = lab.claude_in(&pane_at(&lab, Place("c", 0, 0)));
    assert_eq!(resumed.conversation, claude.conversation);
    let turn = lab.prompt(&resumed, "recall");
    assert_eq!(turn.user_texts, ["one", "sleep:3", "recall"]);
}

#[test]
fn codex_is_suspended_when_it_rests_and_goes_on_with_its_own_history() {
    let Some(lab) = AgentLab::new() else { return };
    let work = lab.sandbox.work();
    let codex = lab.start_codex("x", &work, &[]);
    lab.prompt(&codex, "one");
    wait_until("its turn has ended", || !lab.screen(&codex.pane).contains("esc to interrupt"));
    keeps_what_is_typed(&lab, "x", &codex);
    wait_until("it rests", || suspend(&lab, "x").is_ok());
    wait_for_waiting(&lab, &codex.pane);
    assert!(sandbox::ended(codex.pid));
    lab.persist(["resume", "x"]).ok();
    let resumed = lab.codex_in(&codex.pane);
    assert_eq!(resumed.conversation, codex.conversation);
    let turn = lab.prompt(&resumed, "recall");
    assert_eq!(turn.user_texts, ["one", "recall"]);
}
