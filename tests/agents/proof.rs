//! The main job: real agents, saved, killed, restored, each on its own conversation.

use super::{Place, new_id, pane_at};
use crate::support::AgentLab;
use crate::support::agents::Agent;
use serde_json::Value;

#[test]
fn every_agent_comes_back_on_its_own_conversation() {
    let Some(lab) = AgentLab::new() else { return };
    let work = lab.sandbox.work();
    // What a user types, with and without an id on the command line.
    let given = new_id();
    lab.start(&["new-session", "-s", "claude one"], &work, &["claude"]);
    lab.start(&["new-session", "-s", "claude two"], &work, &["claude", "--session-id", &given]);
    lab.start(&["new-session", "-s", "codex one"], &work, &["codex", "--no-daemon"]);
    lab.start(&["new-session", "-s", "codex two"], &work, &["codex", "--no-daemon"]);
    lab.start(&["new-session", "-s", "deep"], &work, &["sh"]);
    lab.start(&["new-window", "-t", "=deep:"], &work, &["sh"]);
    lab.start(&["split-window", "-t", "=deep:1"], &work, &["claude"]);

    let places = [
        (Place("claude one", 0, 0), "apricot"),
        (Place("claude two", 0, 0), "blueberry"),
        (Place("codex one", 0, 0), "cranberry"),
        (Place("codex two", 0, 0), "damson"),
        (Place("deep", 1, 1), "elderberry"),
    ];
    let before: Vec<Agent> = places.iter().map(|(place, _)| agent_at(&lab, *place)).collect();
    assert_eq!(before[1].conversation, given);
    for (agent, (_, text)) in before.iter().zip(&places) {
        let turn = lab.prompt(agent, text);
        assert_eq!(turn.session.as_ref(), Some(&agent.conversation), "{agent:?}");
    }

    let saved = lab.persist(["save", "--json"]).ok().json();
    assert_eq!(saved["users"][0]["result"], "saved", "{saved:#}");
    assert_eq!(saved["users"][0]["sessions"], 5, "{saved:#}");
    assert_eq!(saved["users"][0]["panes"], 7, "{saved:#}");

    lab.sandbox.crash();
    let restored = lab.persist(["restore", "--json"]).ok().json();
    let rows = restored["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 7, "{restored:#}");
    assert!(rows.iter().all(|row| row["action"] == "new"), "{restored:#}");
    for (agent, (place, _)) in before.iter().zip(&places) {
        let row = row_of(rows, *place);
        assert_eq!(row["conversation"], agent.conversation.as_str(), "{row:#}");
        assert_eq!(row["cwd"], work.to_str().unwrap(), "{row:#}");
    }

    let after: Vec<Agent> = places.iter().map(|(place, _)| agent_at(&lab, *place)).collect();
    for ((agent, was), (place, text)) in after.iter().zip(&before).zip(&places) {
        assert_eq!(agent.conversation, was.conversation, "{place:?}");
        let turn = lab.prompt(agent, "recall");
        assert_eq!(turn.session.as_ref(), Some(&was.conversation), "{place:?}");
        assert_eq!(turn.user_texts, [text, "recall"], "{place:?}");
        assert_eq!(turn.reply, format!("recall: {text}"), "{place:?}");
    }

    let panes = lab.sandbox.panes("#{pane_id} #{pane_pid}");
    let again = lab.persist(["restore", "--json"]).ok().json();
    let rows = again["rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["action"] == "skip"), "{again:#}");
    assert_eq!(lab.sandbox.panes("#{pane_id} #{pane_pid}"), panes, "nothing was started");
}

/// Waits for the agent that the session's name tells.
#[track_caller]
fn agent_at(lab: &AgentLab, place: Place) -> Agent {
    let pane = pane_at(lab, place);
    if place.0.starts_with("codex") { lab.codex_in(&pane) } else { lab.claude_in(&pane) }
}

/// The row about one pane.
#[track_caller]
fn row_of(rows: &[Value], Place(session, window, pane): Place) -> &Value {
    rows.iter()
        .find(|row| row["session"] == session && row["window"] == window && row["pane"] == pane)
        .unwrap_or_else(|| panic!("{session}:{window}.{pane} is not in {rows:#?}"))
}
