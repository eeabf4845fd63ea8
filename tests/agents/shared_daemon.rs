//! Codex as it is typed: with one daemon that has the conversations of all panes.

use super::hooked::trust_hooks;
use super::stray::Strays;
use super::{Place, pane_at};
use crate::support::agents::Agent;
use crate::support::mock_api::Turn;
use crate::support::{AgentLab, wait_for};
use std::time::{Duration, Instant};

/// Waits until a Codex shows its thread in its pane's title, other than `before`, and can be typed to; gives
/// what the title shows.
fn thread(lab: &AgentLab, pane: &str, before: &str) -> String {
    let end = Instant::now() + Duration::from_secs(25);
    wait_for("a thread is in the title", || {
        let title = lab.pane(pane, "#{pane_title}");
        assert!(Instant::now() < end, "the title is {title:?}; it shows\n{}", lab.screen(pane));
        let thread = title.split(' ').find_map(|word| word.strip_suffix("..."))?.to_owned();
        let is_other = thread.len() == 29 && thread != before;
        (is_other && lab.screen(pane).contains('›')).then_some(thread)
    })
}

fn prompt(lab: &AgentLab, pane: &str, text: &str) -> Turn {
    let agent = Agent { pane: pane.to_owned(), pid: 0, conversation: String::new() };
    lab.prompt(&agent, text)
}

#[test]
fn threads_of_one_daemon_in_one_directory_come_back_each_in_its_own_pane() {
    let Some(lab) = AgentLab::new() else { return };
    let strays = Strays(&lab);
    lab.persist(["hook", "--install", "--agent", "codex"]).ok();
    let names = ["one", "two", "three"];
    let mut threads = Vec::new();
    for name in names {
        let pane = lab.start(&["new-session", "-s", name], &lab.sandbox.work(), &["codex"]);
        if name == names[0] {
            trust_hooks(&lab, &pane);
        }
        let shown = thread(&lab, &pane, "");
        threads.push((pane, shown));
    }
    let mut expected = Vec::new();
    for ((pane, shown), name) in threads.iter().zip(names) {
        let turn = prompt(&lab, pane, &format!("this is {name}"));
        assert!(turn.session.as_ref().unwrap().starts_with(shown), "{turn:?}");
        expected.push((turn.session.unwrap(), format!("this is {name}")));
    }
    // The second goes on with a new one.
    let (pane, before) = &threads[1];
    lab.enter(pane, "/new");
    let shown = thread(&lab, pane, before);
    let turn = prompt(&lab, pane, "this is new");
    assert!(turn.session.as_ref().unwrap().starts_with(&shown), "{turn:?}");
    expected[1] = (turn.session.unwrap(), "this is new".to_owned());
    for _ in 0..2 {
        lab.persist(["save"]).ok();
        let snapshot = terminal_lobby::snapshot::decode(&lab.sandbox.latest()).unwrap();
        for (name, (conversation, _)) in names.iter().zip(&expected) {
            let row = snapshot.rows.iter().find(|row| row.session == name.as_bytes()).unwrap();
            let saved = row.conversation.as_deref().map(String::from_utf8_lossy);
            assert_eq!(saved.as_deref(), Some(conversation.as_str()), "{name}: {row:?}");
        }
        strays.crash();
        lab.persist(["restore"]).ok();
        for name in names {
            thread(&lab, &pane_at(&lab, Place(name, 0, 0)), "");
        }
    }
    for (name, (conversation, text)) in names.iter().zip(&expected) {
        let turn = prompt(&lab, &pane_at(&lab, Place(name, 0, 0)), "recall");
        assert_eq!(turn.user_texts, [text.as_str(), "recall"], "{name}");
        assert_eq!(turn.session.as_ref(), Some(conversation), "{name}");
    }
}
