//! The snapshots in the page: what they say, what comes back, and what stands in the way.

use super::door::post_json;
use super::lab::{Lobby, scenario};
use super::page::can_run;
use crate::support::run::run_within;
use crate::support::{AgentLab, wait_for};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

/// How long a scenario may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Asks as a page does; gives the status and the answer.
fn get(lobby: &Lobby, path: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(("127.0.0.1", lobby.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (port, cookie) = (lobby.port(), lobby.cookie());
    let head = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n");
    stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// Sessions of which one has changed, one is lost, one was closed and one is new since the first of two snapshots;
/// beside them is a file that is no valid snapshot.
fn varied() -> Lobby {
    let lobby = Lobby::with_sessions(&["alpha", "beta", "gamma"]);
    let sandbox = &lobby.sandbox;
    sandbox.tmux(["rename-window", "-t", "alpha:", "before"]).ok();
    sandbox.persist(["save"]).ok();
    sandbox.persist(["forget", "--kill", "--reason", "not needed any more", "gamma"]).ok();
    sandbox.tmux(["rename-window", "-t", "alpha:", "changed"]).ok();
    sandbox.tmux(["kill-session", "-t", "beta"]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "delta", "-x", "100", "-y", "30"]).ok();
    sandbox.persist(["save"]).ok();
    let damaged = sandbox.user_state().join("snapshots/20200101T000000Z.tsv");
    std::fs::write(damaged, "no snapshot").unwrap();
    lobby
}

#[test]
fn snapshots_show_what_differs_and_bring_back_what_is_ticked() {
    if can_run("lobby::restore::snapshots_show_what_differs_and_bring_back_what_is_ticked") {
        let lobby = varied();
        run_within(scenario("picker.mjs").arg(&lobby.url), PATIENCE).ok();
        let mut names = lobby.sandbox.panes("#{session_name}");
        names.sort();
        assert_eq!(names, ["alpha", "beta", "delta", "gamma"]);
    }
}

#[test]
fn a_damaged_snapshot_is_named_and_skipped_and_no_other_file_is_read() {
    let lobby = varied();
    let (status, list) = get(&lobby, "/api/snapshots");
    let all = list["snapshots"].as_array().unwrap();
    assert_eq!((status, all.len(), &all[0]["newest"]), (200, 2, &json!(true)), "{list}");
    assert!(all.iter().all(|one| one["before_boot"] == false), "{list}");
    assert!(list["notes"][0].as_str().unwrap().contains("20200101T000000Z"), "{list}");
    for path in ["20200101T000000Z", "20210101T000000Z", "x", "..%2Flatest", "latest", "live"] {
        assert_eq!(get(&lobby, &format!("/api/snapshots/{path}")).0, 404, "{path}");
    }
    for from in ["/etc/passwd", "latest", "../x", "20210101T000000Z"] {
        let chosen = json!({"chosen": [{"from": from, "sessions": ["alpha"]}]}).to_string();
        for path in ["/api/restore", "/api/restore/plan"] {
            let (status, why) = post_json(&lobby, path, &chosen);
            assert!(status >= 400 && !why.contains("passwd"), "{path} {from}: {status} {why}");
        }
    }
    let id = all[1]["id"].as_str().unwrap();
    let (_, older) = get(&lobby, &format!("/api/snapshots/{id}"));
    let of = |name: &str| older["rows"].as_array().unwrap().iter().find(|row| row["name"] == name);
    assert_eq!(of("alpha").unwrap()["action"], "skip");
    assert_eq!(
        (&of("beta").unwrap()["action"], &of("beta").unwrap()["directory"]),
        (&json!("new"), &json!("~"))
    );
    assert_eq!(of("gamma").unwrap()["selected"], false);
    assert!(older["free"].as_u64().unwrap() > 0);
    let changed: Vec<_> = older["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["name"], &one["change"]))
        .collect();
    assert_eq!(changed, [(&json!("alpha"), &json!("changed")), (&json!("delta"), &json!("added"))]);
    let (_, past) = get(&lobby, "/api/past/session?session=beta");
    let periods = past["periods"].as_array().unwrap();
    let shown: Vec<_> = periods.iter().map(|one| &one["panes"][0]["state"]).collect();
    assert_eq!(shown, ["lost", "shell"]);
    assert_eq!(past["damaged"].as_array().unwrap().len(), 1);
    assert_eq!(get(&lobby, "/api/past/session?session=none").1["periods"], json!([]));
}

#[test]
fn while_another_restore_runs_that_is_said_and_nothing_is_done() {
    let lobby = varied();
    let mut store =
        terminal_lobby::snapshot::Store::open(&lobby.sandbox.user_state()).unwrap().unwrap();
    let lock = store.lock(Duration::from_secs(5)).unwrap();
    let chosen = json!({"chosen": [{"sessions": ["beta"]}]}).to_string();
    let (status, why) = post_json(&lobby, "/api/restore", &chosen);
    assert_eq!(status, 409, "{why}");
    assert!(why.contains("another save or restore of yours runs"), "{why}");
    assert_eq!(get(&lobby, "/api/snapshots").1["restoring"], false);
    drop(lock);
    assert_eq!(post_json(&lobby, "/api/restore", &chosen).0, 200);
    assert!(lobby.sandbox.panes("#{session_name}").contains(&"beta".to_owned()));
}

#[test]
fn a_name_with_marks_of_direction_is_planned_and_comes_back() {
    let name = "\u{202e}evil \\ \u{5d0}\u{5d1}";
    let lobby = Lobby::with_sessions(&["plain", name]);
    lobby.sandbox.persist(["save"]).ok();
    let ids = lobby.sandbox.panes("#{session_id} #{session_name}");
    let id = ids.iter().find(|one| one.contains("evil")).unwrap().split(' ').next().unwrap();
    lobby.sandbox.tmux(["kill-session", "-t", id]).ok();
    let (_, plan) = post_json(&lobby, "/api/restore/plan", r#"{"sessions":[]}"#);
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let row = plan["rows"].as_array().unwrap().iter().find(|row| row["action"] == "new").unwrap();
    assert!(row["name"].as_str().unwrap().starts_with("\u{fffd}evil"), "{row}");
    let chosen = json!({"chosen": [{"sessions": [row["session"]]}]}).to_string();
    let (status, done) = post_json(&lobby, "/api/restore", &chosen);
    assert_eq!(status, 200, "{done}");
    assert!(lobby.sandbox.panes("#{session_name}").iter().any(|one| one.contains("evil")));
}

#[test]
fn an_idle_agent_is_suspended_and_resumed_and_what_it_gave_back_is_shown() {
    if !can_run(
        "lobby::restore::an_idle_agent_is_suspended_and_resumed_and_what_it_gave_back_is_shown",
    ) {
        return;
    }
    let Some(lab) = AgentLab::new() else { return };
    let claude = lab.start_claude("talk", &lab.sandbox.work(), &[]);
    lab.prompt(&claude, "first words");
    let lobby = Lobby::beside(Rc::clone(&lab.sandbox));
    run_within(scenario("suspend.mjs").arg(&lobby.url), PATIENCE).ok();
    // The first one's link was used by the browser.
    let other = lobby.another();
    let past = wait_for("a save has seen that it is resumed", || {
        other.sandbox.persist(["save"]).ok();
        let (_, past) = get(&other, "/api/past");
        let kinds = past["memory"].as_array()?.iter().map(|one| one["kind"].as_str());
        kinds.eq([Some("woken"), Some("suspended")]).then_some(past)
    });
    assert!(past["memory"][1]["bytes"].as_u64().unwrap() > 1 << 20, "{past}");
}

#[test]
fn what_a_restore_costs_stands_beside_what_is_free() {
    let Some(lab) = AgentLab::new() else { return };
    let claude = lab.start_claude("talk", &lab.sandbox.work(), &[]);
    lab.prompt(&claude, "first words");
    lab.sandbox.persist(["save"]).ok();
    lab.sandbox.crash();
    let lobby = Lobby::beside(Rc::clone(&lab.sandbox));
    let chosen = json!({"chosen": [{"sessions": ["talk"]}]}).to_string();
    let (status, plan) = post_json(&lobby, "/api/restore/plan", &chosen);
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(status, 200, "{plan}");
    let agents =
        plan["agents"]["eager"].as_u64().unwrap() + plan["agents"]["lazy"].as_u64().unwrap();
    assert_eq!((agents, plan["rows"][0]["agent"].as_str()), (1, Some("claude")), "{plan}");
    assert!(["eager", "lazy"].contains(&plan["rows"][0]["mode"].as_str().unwrap()), "{plan}");
    assert!(plan["agent_memory"].as_u64().unwrap() > 1 << 20 && plan["free"].as_u64().unwrap() > 0);
    // Nothing was restored by asking.
    let none = json!({"chosen": [{"sessions": []}]}).to_string();
    let (_, nothing) = post_json(&lobby, "/api/restore", &none);
    assert!(nothing.contains(r#""rows":[]"#), "{nothing}");
    assert_eq!(lab.sandbox.server_pid(), None);
}
