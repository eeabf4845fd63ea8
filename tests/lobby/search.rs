//! Searching all conversations.

use super::client::{Client, Event};
use super::lab::{Lobby, scenario};
use super::page::can_run;
use crate::support::run::run_within;
use crate::support::{AgentLab, Sandbox, wait_for};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

fn line(kind: &str, text: &str, cwd: &Path) -> String {
    let content = json!([{"type": "text", "text": text}]);
    let said = json!({
        "type": kind, "cwd": cwd, "timestamp": "2026-11-29T19:38:00.106Z",
        "message": {"role": kind, "content": content},
    });
    format!("{said}\n")
}

/// Work of a tool as large as it is in transcripts.
fn tool(number: usize, cwd: &Path) -> String {
    let content = json!([{
        "type": "tool_result", "tool_use_id": format!("t{number}"), "content": "tool-payload ".repeat(400),
    }]);
    format!(
        "{}\n",
        json!({"type": "user", "cwd": cwd, "message": {"role": "user", "content": content}})
    )
}

fn claude_file(home: &Path, number: u32) -> PathBuf {
    let dir = home.join(".claude/projects/-work");
    std::fs::create_dir_all(&dir).unwrap();
    dir.join(format!("0d0a8f5e-0000-4000-8000-{number:012}.jsonl"))
}

/// Past conversations: a long one with a word in its middle, one with odd text, and one of Codex.
fn conversations(sandbox: &Sandbox) {
    let (home, work) = (sandbox.home(), sandbox.work());
    let mut long = line("user", "Build an airport", &work);
    for number in 0..3000 {
        let text = match number {
            1500 => format!("message {number} the zeppelin lands here"),
            2000 => format!("message {number} Große FLUGHÄFEN und Flughäfen"),
            _ => format!("message {number} says nothing of it"),
        };
        long += &line(if number % 2 == 0 { "assistant" } else { "user" }, &text, &work);
        if number % 100 == 0 {
            long += &tool(number, &work);
        }
    }
    std::fs::write(claude_file(&home, 1), long).unwrap();
    let odd = "odd <img src=x onerror=alert(1)> text \u{202e}evil";
    std::fs::write(claude_file(&home, 2), line("user", odd, &work)).unwrap();
    let codex = home.join(".codex/sessions/2026/11/20");
    std::fs::create_dir_all(&codex).unwrap();
    let meta = json!({"type": "session_meta", "payload": {"cwd": work}});
    let said = json!({
        "type": "response_item",
        "payload": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "rollout words"}]},
    });
    let name = "rollout-2026-11-20T10-00-00-019aa38a-b2c0-7000-8000-000000000001.jsonl";
    std::fs::write(codex.join(name), format!("{meta}\n{said}\n")).unwrap();
}

fn stub_claude(home: &Path) {
    let bin = home.join(".local/bin");
    std::fs::create_dir_all(&bin).unwrap();
    let stub = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lobby/browser/stub-claude");
    let claude = bin.join("claude");
    std::fs::copy(stub, &claude).unwrap();
    std::fs::set_permissions(claude, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn find(client: &mut Client, number: u64, words: &str) {
    let find = json!({"type": "find", "number": number, "words": words, "limit": 20});
    client.send_text(&find.to_string());
}

/// Waits for an answer to this number that is as it should be.
#[track_caller]
fn answer(client: &mut Client, number: u64, is_it: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + Duration::from_secs(20);
    let mut last = Value::Null;
    loop {
        assert!(Instant::now() < end, "{last}");
        let Event::Json(said) = client.next(Duration::from_secs(1)) else { continue };
        if said["number"] == number && is_it(&said) {
            return said;
        }
        last = said;
    }
}

/// The only conversation that has these words, once it is read.
pub(super) fn only_with(lobby: &Lobby, words: &str) -> Value {
    let mut page = Client::connect(lobby, "/api/search");
    wait_for(&format!("'{words}' is found"), || {
        find(&mut page, 1, words);
        let found = answer(&mut page, 1, |_| true);
        let all = found["conversations"].as_array()?;
        (all.len() == 1).then(|| all[0].clone())
    })
}

#[test]
fn words_of_past_conversations_lead_to_their_place_and_a_conversation_goes_on() {
    let name =
        "lobby::search::words_of_past_conversations_lead_to_their_place_and_a_conversation_goes_on";
    if !can_run(name) {
        return;
    }
    let sandbox = Sandbox::new();
    conversations(&sandbox);
    stub_claude(&sandbox.home());
    sandbox.tmux(["new-session", "-d", "-s", "alpha", "-x", "100", "-y", "30"]).ok();
    sandbox.tmux(["set-environment", "-g", "STATUS", "idle"]).ok();
    let lobby = Lobby::start(sandbox);
    run_within(scenario("search.mjs").arg(&lobby.url), Duration::from_mins(2)).ok();
}

#[test]
fn what_is_said_while_one_searches_is_found_and_what_is_removed_is_not() {
    let sandbox = Sandbox::new();
    let (home, work) = (sandbox.home(), sandbox.work());
    std::fs::write(claude_file(&home, 1), line("user", "alpha", &work)).unwrap();
    sandbox.tmux(["new-session", "-d", "-s", "a"]).ok();
    let lobby = Lobby::start(sandbox);
    let mut page = Client::connect(&lobby, "/api/search");
    find(&mut page, 1, "alph");
    let found = answer(&mut page, 1, |said| said["messages"] == 1);
    let one = &found["conversations"][0];
    assert_eq!((&one["agent"], &one["title"]), (&json!("claude"), &json!("alpha")));
    assert_eq!(one["hits"][0]["pieces"], json!(["", "alpha", ""]));
    assert_eq!(one["directory"], json!(work));
    std::fs::write(claude_file(&home, 2), line("assistant", "alpha later", &work)).unwrap();
    wait_for("it is found", || {
        find(&mut page, 2, "later");
        (answer(&mut page, 2, |_| true)["messages"] == 1).then_some(())
    });
    std::fs::remove_file(claude_file(&home, 1)).unwrap();
    wait_for("it is not found", || {
        find(&mut page, 3, "alpha");
        (answer(&mut page, 3, |_| true)["messages"] == 1).then_some(())
    });
    for words in ["", "\"", "* OR :", "a\"b\"c NEAR(d) -", "\u{0}"] {
        find(&mut page, 4, words);
        assert_eq!(answer(&mut page, 4, |_| true)["type"], "found", "{words:?}");
    }
    // The index is the user's alone.
    let kept = lobby.sandbox.user_state().join("lobby");
    for file in std::fs::read_dir(&kept).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
    // What is no question ends the connection.
    page.send_text(r#"{"type":"find","number":1,"words":"x","limit":-1}"#);
    wait_for("it is closed", || {
        matches!(page.next(Duration::from_secs(1)), Event::Closed(_)).then_some(())
    });
}

#[test]
fn a_real_conversation_goes_on_where_it_was_and_never_in_two_sessions_at_once() {
    let Some(lab) = AgentLab::new() else { return };
    let claude = lab.start_claude("talk", &lab.sandbox.work(), &[]);
    lab.prompt(&claude, "remember the zeppelin");
    let bin = lab.sandbox.home().join(".local/bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(crate::support::real_agents().join("claude"), bin.join("claude"))
        .unwrap();
    lab.tmux(["new-session", "-d", "-s", "other"]).ok();
    let lobby = Lobby::beside(Rc::clone(&lab.sandbox));
    let resume = || {
        let body = json!({"agent": "claude", "id": claude.conversation}).to_string();
        let (status, body) = super::door::post_json(&lobby, "/api/conversations/resume", &body);
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        (status, body)
    };
    // It is open: its session is the answer.
    let (status, open) = resume();
    assert_eq!(status, 200, "{open}");
    lab.tmux(["kill-session", "-t", "talk"]).ok();
    wait_for("it is closed", || lab.live_record(claude.pid).is_none().then_some(()));
    let (status, new) = resume();
    assert_eq!(status, 200, "{new}");
    assert_ne!(new["id"], open["id"]);
    // Asked twice before the agent is there.
    assert_eq!(resume(), (200, new));
    let sessions = lobby.sandbox.panes("#{session_name}");
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    let name = sessions.iter().find(|name| *name != "other").unwrap();
    let again = lab.claude_in(&format!("{name}:"));
    assert_eq!(again.conversation, claude.conversation);
    for (agent, id) in [("claude", "../../x"), ("nosuch", claude.conversation.as_str())] {
        let body = json!({"agent": agent, "id": id}).to_string();
        let (status, _) = super::door::post_json(&lobby, "/api/conversations/resume", &body);
        assert_eq!(status, 422, "{agent} {id}");
    }
}

#[test]
fn a_conversation_of_50_mb_opens_at_once_streams_and_leaves_little_behind() {
    let name =
        "lobby::search::a_conversation_of_50_mb_opens_at_once_streams_and_leaves_little_behind";
    if !can_run(name) {
        return;
    }
    let sandbox = Sandbox::new();
    let (home, work) = (sandbox.home(), sandbox.work());
    let mut all = String::with_capacity(55 << 20);
    for number in 0..10_000 {
        let kind = if number % 2 == 0 { "assistant" } else { "user" };
        all +=
            &line(kind, &format!("message {number} with some words, as messages have them"), &work);
        all += &tool(number, &work);
    }
    assert!(all.len() > 50_000_000, "{}", all.len());
    let file = claude_file(&home, 1);
    std::fs::write(&file, all).unwrap();
    sandbox.tmux(["new-session", "-d", "-s", "alpha", "-x", "100", "-y", "30"]).ok();
    let lobby = Lobby::start(sandbox);
    let mut play = scenario("large.mjs");
    play.arg(&lobby.url).arg(&file).arg(file.file_stem().unwrap());
    play.arg(line("assistant", "TEXT", &work).trim_end());
    let run = run_within(&mut play, Duration::from_mins(2)).ok();
    println!("{}", run.out());
}
