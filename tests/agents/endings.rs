//! What comes back of conversations that are not simply there: never begun, deleted, abandoned.

use super::{Place, new_id, pane_at};
use crate::support::sandbox::tree;
use crate::support::{AgentLab, wait_for, wait_until};

#[test]
fn a_silent_a_cleared_and_a_deleted_conversation_come_back_for_what_they_are() {
    let Some(lab) = AgentLab::new() else { return };
    let work = lab.sandbox.work();
    let (old, doomed) = (new_id(), new_id());
    // No id in its argv: only its live record can tell the conversation.
    let silent = lab.start_claude("silent", &work, &[]);
    let cleared = lab.start_claude("cleared", &work, &["--session-id", &old]);
    let deleted = lab.start_claude("deleted", &work, &["--session-id", &doomed]);
    lab.prompt(&deleted, "soon forgotten");
    lab.prompt(&cleared, "before");
    lab.enter(&cleared.pane, "/clear");
    let new = wait_for("the live record has a new conversation", || {
        let now = lab.live_record(cleared.pid)?["sessionId"].as_str()?.to_owned();
        (now != old).then_some(now)
    });
    lab.prompt(&cleared, "after");

    lab.persist(["save"]).ok();
    lab.sandbox.crash();
    std::fs::remove_file(lab.transcript(&doomed).unwrap()).unwrap();
    let restored = lab.persist(["restore", "--json"]).ok().json();
    let rows = restored["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3, "{restored:#}");
    assert!(rows.iter().all(|row| row["action"] == "new"), "{restored:#}");

    let pane = pane_at(&lab, Place("silent", 0, 0));
    assert_eq!(lab.claude_in(&pane).conversation, silent.conversation);
    let turn = lab.prompt(&lab.claude_in(&pane), "first words at last");
    assert_eq!(turn.session.as_ref(), Some(&silent.conversation));
    assert_eq!(turn.user_texts, ["first words at last"]);

    let agent = lab.claude_in(&pane_at(&lab, Place("cleared", 0, 0)));
    assert_eq!(agent.conversation, new, "not the one of its first command line");
    let turn = lab.prompt(&agent, "recall");
    assert_eq!(turn.user_texts, ["after", "recall"]);

    let pane = pane_at(&lab, Place("deleted", 0, 0));
    wait_until("the screen says which conversation is gone", || {
        lab.screen(&pane).replace('\n', "").contains(&doomed)
    });
    lab.enter(&pane, "echo shell-$((40 + 2))");
    wait_until("a shell answers", || lab.screen(&pane).contains("shell-42"));
    let root = lab.pane(&pane, "#{pane_pid}").parse().unwrap();
    let records: Vec<_> = tree(root).into_iter().filter_map(|pid| lab.live_record(pid)).collect();
    assert_eq!(records, [] as [serde_json::Value; 0], "no agent in place of the deleted one");
}
