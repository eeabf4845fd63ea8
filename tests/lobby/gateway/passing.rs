//! What each user gets, and how the pieces fit.

use super::lab::{Lab, status};
use crate::lobby::client::Event;
use std::time::Duration;

#[test]
fn each_identity_sees_the_sessions_of_its_own_user_and_the_page_knows_who_it_is_for() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    assert_eq!(lab.names("ann@example.org"), ["of-ann"]);
    assert_eq!(lab.names("bob@example.org"), ["of-bob"]);
    let (code, me) = lab.get("/api/me", "ann@example.org");
    assert_eq!(code, 200);
    for (key, value) in [("user", "ann"), ("actor", "ann"), ("access", "drive"), ("mode", "proxy")]
    {
        assert_eq!(me[key], value, "{me}");
    }
    assert_eq!((&me["admin"], &me["logins"]), (&false.into(), &false.into()));
    assert!(me["users"].is_null(), "only admins are told of others: {me}");
    let page = lab.ask("GET /session/0123456789abcdef", &Lab::as_user("ann@example.org"));
    assert!(status(&page) == 200 && page.contains("content-security-policy"), "{page}");
    assert!(lab.ask("GET /healthz", "").ends_with("ok\n"));
    let change = lab.post(
        "/api/sessions/0123456789abcdef/rename",
        &Lab::as_user("ann@example.org"),
        r#"{"name":"x"}"#,
    );
    assert_eq!(status(&change), 404, "the agent's own word: {change}");
}

#[test]
fn a_terminal_through_gateway_and_agent_takes_keys_and_gives_output_without_loss() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    lab.host
        .tmux("ann", ["new-session", "-d", "-s", "sh", "-x", "100", "-y", "30", "--", "/bin/sh"])
        .ok();
    let id = lab.birth_id("ann@example.org", "sh");
    let mut view = lab.socket("/api/terminal", &Lab::as_user("ann@example.org")).ok().unwrap();
    view.send_text(&format!(
        r#"{{"type":"hello","view":"{}","session":"{id}","columns":100,"rows":30,"received":0}}"#,
        "a".repeat(32)
    ));
    assert_eq!(view.next_json()["type"], "welcome");
    view.type_in(b"echo through-$((40+2)); id -un\r");
    let seen = view.read_until(|text| String::from_utf8_lossy(text).contains("through-42"));
    assert!(!seen.is_empty());
    // Another user cannot open it, even with its id.
    let mut other = lab.socket("/api/terminal", &Lab::as_user("bob@example.org")).ok().unwrap();
    other.send_text(&format!(
        r#"{{"type":"hello","view":"{}","session":"{id}","columns":100,"rows":30,"received":0}}"#,
        "b".repeat(32)
    ));
    assert_eq!(other.next_json()["reason"], "no_session");
    // More than one message may hold ends that connection alone.
    view.type_in(&vec![b'x'; 1 << 20]);
    crate::support::wait::wait_until("it is closed", || {
        matches!(view.next(Duration::from_secs(1)), Event::Closed(_))
    });
    assert_eq!(lab.names("bob@example.org"), ["of-bob"]);
}

#[test]
fn metrics_are_on_their_own_address_alone_and_name_no_one() {
    let Some(lab) = Lab::with("lobby::gateway", "proxy", "metrics = \"127.0.0.1:0\"\n\n") else {
        return;
    };
    lab.names("ann@example.org");
    lab.get("/api/me", "eve@example.org");
    let said = lab.said();
    let address =
        said.split_once("metrics at http://").unwrap().1.split('/').next().unwrap().to_owned();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    std::io::Write::write_all(
        &mut stream,
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    .unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut stream, &mut text).unwrap();
    for line in [
        "lobby_requests_total{class=\"4xx\"} 1",
        "lobby_refusals_total{reason=\"unknown\"} 1",
        "lobby_users 2",
        "lobby_user_map_readable 1",
        "lobby_agent_answer_seconds_count 1",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("ann") && !text.contains("eve"), "{text}");
    assert!(!lab.ask("GET /metrics", &Lab::as_user("ann@example.org")).contains("lobby_requests"));
    // Every metric is documented, and no other.
    let page = include_str!("../../../docs/output-formats.md");
    let page = page.split_once("\n## Metrics of the lobby\n").unwrap().1;
    for name in
        text.lines().filter_map(|line| line.strip_prefix("# TYPE lobby_")?.split(' ').next())
    {
        assert!(page.contains(&format!("`{name}")), "{name}");
    }
}
