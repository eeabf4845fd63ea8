//! The real agents with our hook in their settings.

use super::start_time;
use crate::support::agents::Agent;
use crate::support::sandbox::{ended, kill};
use crate::support::{AgentLab, wait_for, wait_until};
use std::time::{Duration, Instant};

/// The stamp that an agent's pane should have, and the agent's state.
fn marks(agent: &str, of: &Agent, conversation: &str, state: &str) -> String {
    format!("{agent}:{conversation}:{}:{} {state}", of.pid, start_time(of.pid))
}

#[track_caller]
fn wait_for_marks(lab: &AgentLab, pane: &str, expected: &str) {
    let format = "#{@conversation} #{@agent_state}";
    wait_until(&format!("{pane} is marked {expected}"), || lab.pane(pane, format) == expected);
}

/// The newest snapshot's row of a session.
fn row(lab: &AgentLab, session: &str) -> Option<String> {
    let text = String::from_utf8(lab.sandbox.latest()).unwrap();
    text.lines().find(|line| line.starts_with(&format!("{session}\t"))).map(str::to_owned)
}

#[test]
fn claude_tells_its_conversations_and_only_an_exit_at_the_prompt_closes_one() {
    let Some(lab) = AgentLab::new() else { return };
    let work = lab.sandbox.work();
    let settings = lab.sandbox.home().join(".claude/settings.json");
    lab.persist(["hook", "--install"]).ok();
    let exits = lab.start_claude("exits", &work, &[]);
    let dies = lab.start_claude("dies", &work, &[]);
    for agent in [&exits, &dies] {
        let expected = marks("claude", agent, &agent.conversation, "idle");
        wait_for_marks(&lab, &agent.pane, &expected);
    }
    lab.prompt(&dies, "remember");
    wait_for_marks(&lab, &dies.pane, &marks("claude", &dies, &dies.conversation, "idle"));
    // Nobody saved but the hook.
    wait_until("both are saved", || {
        [&exits, &dies].iter().zip(["exits", "dies"]).all(|(agent, session)| {
            row(&lab, session).is_some_and(|row| row.contains(&agent.conversation))
        })
    });

    lab.enter(&exits.pane, "/clear");
    let cleared = wait_for("the live record has a new conversation", || {
        let now = lab.live_record(exits.pid)?["sessionId"].as_str()?.to_owned();
        (now != exits.conversation).then_some(now)
    });
    wait_for_marks(&lab, &exits.pane, &marks("claude", &exits, &cleared, "idle"));
    wait_until("the new one is saved", || {
        row(&lab, "exits").is_some_and(|row| row.contains(&cleared))
    });

    kill(dies.pid);
    wait_until("it was killed", || ended(dies.pid));
    lab.enter(&exits.pane, "/exit");
    let endings = lab.sandbox.user_state().join("endings.tsv");
    let closed = |id: &str| {
        let text = std::fs::read_to_string(&endings).unwrap_or_default();
        text.contains(&format!("\t{id}\tclaude\tclosed\t"))
    };
    wait_until("the close is on record", || closed(&cleared));
    assert!(!closed(&exits.conversation), "a cleared conversation was not closed");
    assert!(!closed(&dies.conversation), "a killed agent was not closed");

    lab.persist(["hook", "--uninstall"]).ok();
    // Claude writes its settings anew while it runs, in a form of its own.
    let left = std::fs::read_to_string(&settings).unwrap();
    assert!(!left.contains("hook") && left.contains("\"theme\": \"dark\""), "{left}");
}

/// Presses a key again and again, a second apart, until the screen shows that it was heard.
fn press(lab: &AgentLab, pane: &str, key: &str, heard: impl Fn(&str) -> bool) {
    wait_until(&format!("{key} is heard"), || {
        lab.tmux(["send-keys", "-t", pane, key]).ok();
        let pressed = Instant::now();
        while pressed.elapsed() < Duration::from_secs(1) {
            if heard(&lab.screen(pane)) {
                return true;
            }
        }
        false
    });
}

/// Trusts the hooks that a Codex asks about. The dialog is drawn before it listens to keys: each is pressed until
/// it shows.
pub(super) fn trust_hooks(lab: &AgentLab, pane: &str) {
    wait_until("it asks for trust", || lab.screen(pane).contains("Hooks need review"));
    press(lab, pane, "Down", |screen| screen.contains("\u{203a} 2."));
    press(lab, pane, "Enter", |screen| !screen.contains("Hooks need review"));
}

#[test]
fn codex_tells_its_conversation_once_its_user_trusts_the_hook() {
    let Some(lab) = AgentLab::new() else { return };
    let work = lab.sandbox.work();
    lab.persist(["hook", "--install", "--agent", "codex"]).ok();
    let pane = lab.start(&["new-session", "-s", "one"], &work, &["codex", "--no-daemon"]);
    trust_hooks(&lab, &pane);
    let agent = lab.codex_in(&pane);
    lab.prompt(&agent, "remember");
    wait_for_marks(&lab, &pane, &marks("codex", &agent, &agent.conversation, "idle"));

    // After `/new` two locks are open and name no conversation: the stamp does.
    lab.enter(&pane, "/new");
    wait_until("the screen is a new one", || !lab.screen(&pane).contains("remember"));
    let turn = lab.prompt(&agent, "another");
    let new = turn.session.unwrap();
    assert_ne!(new, agent.conversation);
    wait_for_marks(&lab, &pane, &marks("codex", &agent, &new, "idle"));
    lab.persist(["save"]).ok();
    let row = row(&lab, "one").unwrap();
    assert!(row.contains(&new) && row.contains("\tstamp\t"), "{row}");
}
