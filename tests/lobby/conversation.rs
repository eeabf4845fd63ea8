//! Conversations of the real agents as text.

use super::client::{Client, Event};
use super::lab::Lobby;
use super::search::only_with;
use crate::support::{AgentLab, OtherLab, wait_for};
use serde_json::{Value, json};
use std::rc::Rc;
use std::time::Duration;

/// The birth id of a session.
fn id_of(lobby: &Lobby, name: &str) -> String {
    let mut list = Client::connect(lobby, "/api/events");
    wait_for(&format!("{name} is in the list"), || {
        let Event::Json(said) = list.next(Duration::from_secs(1)) else { return None };
        let sessions = said["sessions"].as_array().or(said["changed"].as_array())?;
        let found = sessions.iter().find(|session| session["name"] == name)?;
        Some(found["id"].as_str().unwrap().to_owned())
    })
}

fn read(lobby: &Lobby, session: &str) -> Client {
    let mut client = Client::connect(lobby, "/api/conversation");
    client.send_text(&json!({"type": "hello", "session": session}).to_string());
    client
}

/// What was said, each message as its kind and its text.
fn said(event: &Value) -> Vec<(String, String)> {
    let of = |message: &Value| {
        let text = message["text"].as_str().or(message["summary"].as_str()).unwrap_or_default();
        (message["type"].as_str().unwrap().to_owned(), text.to_owned())
    };
    event["messages"].as_array().unwrap().iter().map(of).collect()
}

/// Reads until as many messages came.
fn follow(client: &mut Client, count: usize) -> (Vec<(String, String)>, Vec<Value>) {
    let (mut all, mut raw) = (Vec::new(), Vec::new());
    while all.len() < count {
        let event = client.next_json();
        assert!(matches!(event["type"].as_str(), Some("newest" | "later")), "{event}");
        all.extend(said(&event));
        raw.extend(event["messages"].as_array().unwrap().iter().cloned());
    }
    (all, raw)
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(kind, text)| ((*kind).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn a_conversation_with_claude_is_followed_from_its_first_prompt_and_tools_unfold() {
    let Some(lab) = AgentLab::new() else { return };
    let agent = lab.start_claude("talk", &lab.sandbox.work(), &["--allowedTools", "Bash"]);
    let lobby = Lobby::beside(Rc::clone(&lab.sandbox));
    let mut page = read(&lobby, &id_of(&lobby, "talk"));
    assert_eq!(page.next_json(), json!({"type": "nothing", "why": "no_transcript"}));
    lab.prompt(&agent, "first words");
    let (all, _) = follow(&mut page, 2);
    assert_eq!(all, pairs(&[("prompt", "first words"), ("answer", "ack: first words")]));
    lab.enter(&agent.pane, "bash:echo h''i; seq 3");
    let (all, raw) = follow(&mut page, 4);
    let expected = [
        ("prompt", "bash:echo h''i; seq 3"),
        ("call", "echo h''i; seq 3"),
        ("result", "hi"),
        ("answer", "ack: tool done"),
    ];
    assert_eq!(all, pairs(&expected));
    assert_eq!(raw[1]["id"], raw[2]["id"]);
    let unfold = json!({"type": "unfold", "at": raw[2]["at"], "part": raw[2]["part"]});
    page.send_text(&unfold.to_string());
    let unfolded = page.next_json();
    assert_eq!((&unfolded["type"], &unfolded["text"]), (&json!("unfolded"), &json!("hi\n1\n2\n3")));
    // Another page begins with all of it.
    let mut other = read(&lobby, &id_of(&lobby, "talk"));
    let newest = other.next_json();
    assert_eq!((newest["agent"].as_str(), newest["begin"].as_u64()), (Some("claude"), Some(0)));
    assert_eq!(said(&newest).len(), 6);
    // After `/clear` there is another conversation, with what is said from then on.
    lab.enter(&agent.pane, "/clear");
    let event = page.next_json();
    assert!(event["type"] == "nothing" || event["messages"] == json!([]), "{event}");
    lab.prompt(&agent, "anew");
    let expected = pairs(&[("prompt", "/clear"), ("prompt", "anew"), ("answer", "ack: anew")]);
    assert_eq!(follow(&mut page, 3).0, expected);
}

#[test]
fn a_conversation_with_codex_is_read() {
    let Some(lab) = AgentLab::new() else { return };
    let agent = lab.start_codex("talk", &lab.sandbox.work(), &[]);
    lab.prompt(&agent, "first words");
    let lobby = Lobby::beside(Rc::clone(&lab.sandbox));
    lab.enter(&agent.pane, "bash:echo h''i; seq 3");
    let mut page = read(&lobby, &id_of(&lobby, "talk"));
    let (all, raw) = follow(&mut page, 6);
    let kinds: Vec<&str> = all.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["prompt", "answer", "prompt", "call", "result", "answer"]);
    assert_eq!(all[3].1, "echo h''i; seq 3");
    let unfold = json!({"type": "unfold", "at": raw[4]["at"], "part": raw[4]["part"]});
    page.send_text(&unfold.to_string());
    let unfolded = page.next_json();
    assert!(unfolded["text"].as_str().unwrap().ends_with("hi\n1\n2\n3\n"), "{unfolded}");
    lab.prompt(&agent, "more");
    assert_eq!(follow(&mut page, 2).0, pairs(&[("prompt", "more"), ("answer", "ack: more")]));
}

#[test]
fn a_session_without_an_agent_and_one_that_is_not_there_have_no_conversation() {
    let lobby = Lobby::with_sessions(&["a"]);
    let mut page = read(&lobby, &id_of(&lobby, "a"));
    assert_eq!(page.next_json(), json!({"type": "nothing", "why": "no_conversation"}));
    let mut page = read(&lobby, "0123456789abcdef");
    assert_eq!(page.next_json(), json!({"type": "nothing", "why": "no_session"}));
}

/// Asks the lobby to prompt; gives the status and the answer.
fn ask(lobby: &Lobby, session: &str, text: &str) -> (u16, Value) {
    let body = json!({ "text": text }).to_string();
    let answer = super::door::post_json(lobby, &format!("/api/sessions/{session}/prompt"), &body);
    (answer.0, serde_json::from_str(&answer.1).unwrap_or(Value::Null))
}

#[test]
fn a_prompt_reaches_agents_that_wait_for_one_as_it_was_written_and_nothing_else() {
    let Some(lab) = AgentLab::new() else { return };
    let claude = lab.start_claude("claude", &lab.sandbox.work(), &[]);
    lab.start_codex("codex", &lab.sandbox.work(), &[]);
    lab.start(&["new-session", "-s", "shell"], &lab.sandbox.work(), &["cat"]);
    let lobby = Lobby::beside(Rc::clone(&lab.sandbox));
    let text = "two lines; $(touch x) `id` #{pane_id} ~\n\tand \u{e9}\u{1f600} \u{1b}[201~;";
    let expected = "two lines; $(touch x) `id` #{pane_id} ~\n\tand \u{e9}\u{1f600} [201~;";
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for session in ["claude", "codex"] {
        let id = id_of(&lobby, session);
        let answer = ask(&lobby, &id, text);
        let expected_answer = (200, json!({"taken": true, "held": false}));
        assert_eq!(answer, expected_answer, "{session} shows\n{}", lab.screen(session));
        wait_for(&format!("{session} sends it"), || {
            let turns = lab.log().into_iter().filter_map(|turn| turn.user_texts.last().cloned());
            let sent: Vec<String> = turns.filter(|text| text.contains("two lines")).collect();
            let is_it = |text: &String| words(text) == words(expected);
            sent.iter().all(is_it).then_some(()).filter(|()| !sent.is_empty())
        });
    }
    // One that works, one with unsent text, a shell.
    lab.enter(&claude.pane, "sleep:4 work");
    let id = id_of(&lobby, "claude");
    wait_for("it works", || (lab.live_record(claude.pid)?["status"] == "busy").then_some(()));
    assert_eq!(ask(&lobby, &id, "not now").0, 409);
    lab.claude_in(&claude.pane);
    lab.tmux(["send-keys", "-t", &claude.pane, "-l", "unsent"]).ok();
    wait_for("it stands there", || lab.screen(&claude.pane).contains("unsent").then_some(()));
    wait_for("what stands there is the reason", || {
        let (status, why) = ask(&lobby, &id, "not now");
        assert_eq!(status, 409, "{why}");
        why["error"].as_str()?.contains("something stands in its input line").then_some(())
    });
    let shell = id_of(&lobby, "shell");
    assert_eq!(ask(&lobby, &shell, "echo hi").0, 409);
    assert!(!lab.screen("shell").contains("echo"));
    assert!(
        lab.log().iter().all(|turn| !turn.user_texts.iter().any(|text| text.contains("not now")))
    );
    assert_eq!(ask(&lobby, &shell, " ").0, 409);
    assert_eq!(ask(&lobby, "0123456789abcdef", "x").0, 404);
}

/// What another agent's conversation is as text: prompts, answers, and what a tool was given and gave.
fn is_read(agent: &str, options: &[&str], ready: &str, tool: &str) {
    let Some(lab) = OtherLab::new(agent) else { return };
    lab.start("talk", &[&[agent], options].concat());
    lab.wait_until("its start", "talk", || lab.screen("talk").contains(ready));
    lab.prompt("talk", "first words");
    lab.wait_until("its stamp", "talk", || !lab.stamp("talk").is_empty());
    let lobby = Lobby::beside(Rc::clone(&lab.sandbox));
    let id = id_of(&lobby, "talk");
    let mut page = read(&lobby, &id);
    assert_eq!(
        follow(&mut page, 2).0,
        pairs(&[("prompt", "first words"), ("answer", "ack: first words")])
    );
    let before = lab.api.log().len();
    lab.enter("talk", "bash:echo h''i; seq 3", || lab.api.log().len() > before);
    let (all, raw) = follow(&mut page, 4);
    assert_eq!((&*all[0].1, &*all[3].1), ("bash:echo h''i; seq 3", "ack: tool done"));
    let kinds: Vec<&str> = all.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["prompt", "call", "result", "answer"]);
    assert_eq!((raw[1]["tool"].as_str(), &*all[1].1), (Some(tool), "echo h''i; seq 3"));
    assert_eq!((&raw[2]["id"], &raw[2]["failed"]), (&raw[1]["id"], &json!(false)));
    let unfold = json!({"type": "unfold", "at": raw[2]["at"], "part": raw[2]["part"]});
    page.send_text(&unfold.to_string());
    let unfolded = page.next_json();
    assert!(unfolded["text"].as_str().unwrap().contains("hi\n1\n2\n3\n"), "{unfolded}");
    lab.wait_until_idle("talk");
    let answer = ask(&lobby, &id, "from the page");
    assert_eq!(answer, (200, json!({"taken": true, "held": false})), "{}", lab.screen("talk"));
    lab.wait_until("its answer", "talk", || lab.screen("talk").contains("ack: from the page"));
    let found = only_with(&lobby, "from the page");
    let session = json!([id, "talk"]);
    assert_eq!((&found["agent"], &found["session"]), (&json!(agent), &session), "{found}");
    assert!(!found["title"].as_str().unwrap().is_empty(), "{found}");
}

#[test]
fn a_conversation_with_copilot_is_read() {
    is_read("copilot", &[], "\u{276f}", "bash");
}

#[test]
fn a_conversation_with_gemini_is_read() {
    is_read("gemini", &["--yolo"], "Type your message", "run_shell_command");
}

#[test]
fn a_conversation_with_pi_is_read() {
    is_read("pi", &[], "mock-model", "bash");
}

#[test]
fn a_conversation_with_qwen_is_read() {
    is_read("qwen", &["--yolo"], "Type your message", "run_shell_command");
}

/// What the list says is held for a session.
fn held(lobby: &Lobby, id: &str) -> Value {
    let list = Client::connect(lobby, "/api/events").next_json();
    let all = list["sessions"].as_array().unwrap();
    all.iter().find(|session| session["id"] == id).expect("it is listed")["held"].clone()
}

fn hold(lobby: &Lobby, id: &str, text: &str) -> (u16, Value) {
    let body = json!({"text": text, "hold": true}).to_string();
    let answer = super::door::post_json(lobby, &format!("/api/sessions/{id}/prompt"), &body);
    (answer.0, serde_json::from_str(&answer.1).unwrap_or(Value::Null))
}

#[test]
fn a_prompt_for_an_agent_that_works_is_held_shown_and_given_once_even_by_another_lobby() {
    let Some(lab) = AgentLab::new() else { return };
    let agent = lab.start_claude("talk", &lab.sandbox.work(), &[]);
    let lobby = Lobby::beside(Rc::clone(&lab.sandbox));
    let id = id_of(&lobby, "talk");
    lab.prompt(&agent, "first words");
    lab.enter(&agent.pane, "sleep:6 long work");
    wait_for("it works", || {
        let list = Client::connect(&lobby, "/api/events").next_json();
        let mut all = list["sessions"].as_array()?.iter();
        all.find(|session| session["id"] == *id && session["state"] == "working").map(|_| ())
    });
    assert_eq!(hold(&lobby, &id, "taken back"), (200, json!({"taken": false, "held": true})));
    assert_eq!(held(&lobby, &id), json!({"text": "taken back"}));
    assert_eq!(hold(&lobby, &id, "a second").0, 422, "one at a time");
    let path = format!("/api/sessions/{id}/take-back");
    let back = super::door::post_json(&lobby, &path, "{}");
    assert_eq!((back.0, back.1.as_str()), (200, r#"{"text":"taken back"}"#));
    assert_eq!(
        (held(&lobby, &id), super::door::post_json(&lobby, &path, "{}").0),
        (Value::Null, 422)
    );
    assert_eq!(hold(&lobby, &id, "and then this").0, 200);
    // The lobby ends before the agent is ready; another one, started later, gives it.
    drop(lobby);
    let lobby = Lobby::beside(Rc::clone(&lab.sandbox));
    let mut page = read(&lobby, &id);
    let mut all = Vec::new();
    while all.last().is_none_or(|(_, text)| text != "ack: and then this") {
        all.extend(follow(&mut page, 1).0);
    }
    let times =
        all.iter().filter(|(kind, text)| kind == "prompt" && text == "and then this").count();
    assert_eq!(times, 1, "{all:?}");
    wait_for("nothing is held", || (held(&lobby, &id) == Value::Null).then_some(()));
    // To a shell nothing is given later either.
    lab.start(&["new-session", "-s", "shell"], &lab.sandbox.work(), &["cat"]);
    assert_eq!(hold(&lobby, &id_of(&lobby, "shell"), "rm -r x").0, 409);
}
