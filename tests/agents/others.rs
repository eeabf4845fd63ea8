//! The other real agents, each with our hook: two in one directory, one of them after a new conversation in the
//! agent, the other suspended, killed with the server, and each back on its own conversation with its history.

use crate::support::OtherLab;

/// `shown` is what the pane shows once it can be typed to, `anew` the command for a new conversation.
fn comes_back(agent: &str, shown: &str, anew: &str) {
    let Some(lab) = OtherLab::new(agent) else { return };
    let ready = |pane: &str| {
        lab.wait_until(&format!("{agent} is ready"), pane, || lab.screen(pane).contains(shown));
    };
    for session in ["one", "two"] {
        lab.start(session, &[agent]);
        ready(session);
        // Before another one starts: Gemini CLI would delete what has no prompt yet.
        lab.prompt(session, &format!("apple {session}"));
    }
    lab.wait_until("its stamp", "two", || !lab.stamp("two").is_empty());
    let old = lab.stamp("two");
    lab.enter("two", anew, || !lab.screen("two").contains("apple two"));
    ready("two");
    lab.prompt("two", "cherry two");
    lab.wait_until("its new stamp", "two", || ![&*old, ""].contains(&&*lab.stamp("two")));
    lab.persist(["save"]).ok();
    let before = [lab.conversation("one"), lab.conversation("two")];
    let stamps = [lab.stamp("one"), lab.stamp("two")];
    for (id, stamp) in before.iter().zip(&stamps) {
        assert!(!id.is_empty() && stamp.contains(&**id), "{before:?} {stamps:?}");
    }
    lab.suspend("one");

    lab.sandbox.crash();
    lab.persist(["restore", "--mode", "eager"]).ok();
    for (session, said, others) in [("one", "apple one", "two"), ("two", "cherry two", "apple")] {
        ready(session);
        let turn = lab.prompt(session, "recall");
        let texts = turn.user_texts.join(" | ");
        assert!(texts.contains(said) && !texts.contains(others), "{session}: {texts}");
    }
    lab.persist(["save"]).ok();
    assert_eq!([lab.conversation("one"), lab.conversation("two")], before);
}

#[test]
fn copilot_comes_back_on_its_own_conversations() {
    comes_back("copilot", "\u{276f}", "/clear");
}

#[test]
fn gemini_comes_back_on_its_own_conversations() {
    comes_back("gemini", "Type your message", "/clear");
}

#[test]
fn opencode_comes_back_on_its_own_conversations() {
    comes_back("opencode", "ctrl+p commands", "/new");
}

#[test]
fn pi_comes_back_on_its_own_conversations() {
    comes_back("pi", "mock-model", "/new");
}

#[test]
fn qwen_comes_back_on_its_own_conversations() {
    comes_back("qwen", "Type your message", "/clear");
}
