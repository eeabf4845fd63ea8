//! Twelve real agents and memory for some of them: those used last start, the others wait.

use super::{Place, new_id, pane_at};
use crate::support::sandbox::{ended, kill_tree};
use crate::support::{AgentLab, wait_until};
use terminal_lobby::snapshot::State;

const SESSIONS: [&str; 12] = [
    "apricot",
    "blueberry",
    "cranberry",
    "damson",
    "elderberry",
    "fig",
    "grape",
    "huckleberry",
    "jujube",
    "kiwi",
    "lemon",
    "mango",
];

#[test]
fn of_twelve_agents_those_used_last_start_within_the_budget_and_enter_resumes_another() {
    let Some(lab) = AgentLab::new() else { return };
    let work = lab.sandbox.work();
    let mut ids = Vec::new();
    for session in SESSIONS {
        let id = new_id();
        let agent = lab.start_claude(session, &work, &["--session-id", &id]);
        lab.prompt(&agent, session);
        ids.push(id);
    }
    lab.persist(["save"]).ok();
    lab.sandbox.crash();

    // Room for three of 550 MiB, as long as none is there to be measured.
    let config = lab.sandbox.root().join("config.toml");
    std::fs::write(
        &config,
        "save_on_change = false\n[restore]\nmode = 'auto'\nmemory_budget = '1700M'\n",
    )
    .unwrap();
    let args = ["restore", "--json", "--config", config.to_str().unwrap()];
    let plan = lab.persist(args).ok().json();
    let rows = plan["rows"].as_array().unwrap();
    let of = |session: &str| rows.iter().find(|row| row["session"] == session).unwrap();
    for (at, session) in SESSIONS.iter().enumerate() {
        let mode = if at < 9 { "lazy" } else { "eager" };
        assert_eq!(
            (&of(session)["mode"], &of(session)["result"]),
            (&mode.into(), &"restored".into())
        );
    }
    for (session, id) in SESSIONS.iter().zip(&ids).skip(9) {
        let agent = lab.claude_in(&pane_at(&lab, Place(session, 0, 0)));
        assert_eq!(agent.conversation, *id);
        assert_eq!(lab.prompt(&agent, "recall").user_texts, [session, "recall"]);
    }
    let waiting = pane_at(&lab, Place(SESSIONS[4], 0, 0));
    wait_until("it says what was here", || {
        let screen = lab.screen(&waiting);
        screen.contains("claude was here: elderberry") && screen.contains("Enter resumes it")
    });
    lab.tmux(["send-keys", "-t", &waiting, "Enter"]).ok();
    let agent = lab.claude_in(&waiting);
    assert_eq!(agent.conversation, ids[4]);
    assert_eq!(lab.prompt(&agent, "recall").user_texts, [SESSIONS[4], "recall"]);

    lab.persist(["save"]).ok();
    let rows = terminal_lobby::snapshot::decode(&lab.sandbox.latest()).unwrap().rows;
    for ((row, session), id) in rows.iter().zip(SESSIONS).zip(&ids) {
        let runs = session == SESSIONS[4] || SESSIONS[9..].contains(&session);
        let state = if runs { State::Live } else { State::Suspended };
        assert_eq!((row.session.as_slice(), row.state), (session.as_bytes(), state));
        assert_eq!(row.conversation.as_deref(), Some(id.as_bytes()));
    }
    // What an agent takes is learned from the live ones.
    kill_tree(lab.pane(&waiting, "#{pane_pid}").parse().unwrap());
    wait_until("a session has gone", || lab.sandbox.panes("#{pane_id}").len() == 11);
    wait_until("its agent has ended", || ended(agent.pid));
    let plan = lab.persist(["show", "--json"]).ok().json();
    let learned = plan["agents"]["agent"].as_u64().unwrap_or_default();
    assert!((20 << 20..450 << 20).contains(&learned), "{learned} in {plan:#}");
}
