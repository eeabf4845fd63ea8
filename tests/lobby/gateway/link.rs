//! Logging in by a link that the host gives to who is on it.

use super::cut::closed;
use super::lab::{Lab, parse, status};
use crate::support::host::BIN;
use std::time::Duration;

pub(super) fn link(lab: &Lab, user: &str) -> String {
    let said = lab.host.as_user(user, [&format!("{BIN}/lobby"), "link", "--json"]).ok().json();
    said["url"].as_str().unwrap().to_owned()
}

/// Uses a link; gives the whole answer.
pub(super) fn use_link(lab: &Lab, url: &str) -> String {
    let secret = url.strip_prefix("http://lobby.test/#").expect("the lobby's own URL");
    lab.post(
        "/api/login",
        "User-Agent: Firefox/140.0 Linux\n",
        &format!(r#"{{"link":"{secret}"}}"#),
    )
}

fn cookie(answer: &str) -> String {
    let line = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    assert!(
        line.contains("HttpOnly") && line.contains("SameSite=Strict") && !line.contains("Domain"),
        "{line}"
    );
    format!("Cookie: {}\n", line.split(';').next().unwrap())
}

#[test]
fn a_link_is_for_who_asked_on_the_host_works_once_and_its_login_survives_a_restart() {
    let Some(lab) = Lab::with("lobby::gateway", "link", "") else { return };
    let (code, nobody) = parse(&lab.ask("GET /api/me", ""));
    assert_eq!(
        (code, &nobody["mode"], &nobody["log_in"]),
        (401, &"link".into(), &serde_json::Value::Null)
    );
    let url = link(&lab, "ann");
    let newer = link(&lab, "ann");
    assert_eq!(status(&use_link(&lab, &url)), 401, "a newer one replaced it");
    let ann = cookie(&use_link(&lab, &newer));
    assert_eq!(status(&use_link(&lab, &newer)), 401, "once");
    assert_eq!(parse(&lab.ask("GET /api/me", &ann)).1["user"], "ann");
    // A header of a login proxy's means nothing here.
    assert_eq!(
        parse(&lab.ask("GET /api/me", &format!("{ann}X-User: bob@example.org\n"))).1["user"],
        "ann"
    );
    assert_eq!(status(&lab.ask("GET /api/me", &Lab::as_user("bob@example.org"))), 401);
    // Whoever is not in the map gets no link, root neither.
    for argv in [["setpriv", "--reuid=65534"], ["env", "-i"]] {
        let program = format!("{BIN}/lobby");
        let refused = lab.host.root([argv[0], argv[1], &program, "link"]).code(3);
        assert!(refused.err().contains("not one of the lobby's users"), "{}", refused.err());
    }
    let stored = lab.host.read("/var/lib/lobby/logins.json");
    let secret = ann.trim().split_once("lobby=").unwrap().1;
    assert!(stored.contains("Firefox on Linux") && !stored.contains(secret), "{stored}");
    assert_eq!(lab.host.sh("stat -c %a /var/lib/lobby/logins.json").trim(), "600");
    lab.kill();
    lab.start();
    assert_eq!(parse(&lab.ask("GET /api/me", &ann)).1["user"], "ann", "after kill -9");
    lab.map("bob@example.org=bob");
    crate::support::wait::wait_until("ann has left", || {
        status(&lab.ask("GET /api/me", &ann)) == 401
    });
}

#[test]
fn logins_are_listed_revoked_and_closed_with_what_they_have_open() {
    let Some(lab) = Lab::with("lobby::gateway", "link", "\n\n[limits]\nlogins_per_user = 3\n")
    else {
        return;
    };
    let one = cookie(&use_link(&lab, &link(&lab, "ann")));
    let two = cookie(&use_link(&lab, &link(&lab, "ann")));
    let bob = cookie(&use_link(&lab, &link(&lab, "bob")));
    let list = |cookie: &str| {
        parse(&lab.ask("GET /api/logins", cookie)).1.as_array().cloned().unwrap_or_default()
    };
    assert_eq!((list(&one).len(), list(&bob).len()), (2, 1));
    let other = list(&one).into_iter().find(|login| login["current"] == false).unwrap();
    assert_eq!(other["device"], "Firefox on Linux");
    let id = other["id"].as_str().unwrap();
    let mut open = lab.socket("/api/events", &two).ok().unwrap();
    open.next_json();
    let revoke =
        |cookie: &str| status(&lab.post(&format!("/api/logins/{id}/revoke"), cookie, "{}"));
    assert_eq!(revoke(&bob), 404, "not bob's");
    assert_eq!(revoke(&one), 204);
    let (took, code) = closed(&mut open);
    assert!(took < Duration::from_secs(1) && code == Some(4403), "{took:?} {code:?}");
    assert_eq!(status(&lab.ask("GET /api/me", &two)), 401);
    let answer = lab.post("/api/logout", &one, "{}");
    assert!(status(&answer) == 204 && answer.contains("Max-Age=0"), "{answer}");
    assert_eq!(status(&lab.ask("GET /api/me", &one)), 401);
    lab.kill();
    lab.start();
    for cookie in [&one, &two] {
        assert_eq!(status(&lab.ask("GET /api/me", cookie)), 401, "a revocation is kept");
    }
    // More than there may be: the one that was not used for longest gives way.
    let all: Vec<String> = (0..4).map(|_| cookie(&use_link(&lab, &link(&lab, "ann")))).collect();
    assert_eq!(list(&all[3]).len(), 3);
    assert_eq!(parse(&lab.ask("GET /api/me", &bob)).1["user"], "bob");
}

#[test]
fn status_shows_root_everyone_and_others_themselves() {
    let Some(lab) = Lab::with("lobby::gateway", "link", "") else { return };
    let bob = cookie(&use_link(&lab, &link(&lab, "bob")));
    let _open = lab.socket("/api/events", &bob).ok().unwrap();
    let program = format!("{BIN}/lobby");
    let all = lab.host.root([&program, "status", "--json"]).ok().json();
    let users: Vec<&str> = all["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["user"].as_str().unwrap())
        .collect();
    assert_eq!(users, ["ann", "bob"]);
    assert_eq!(
        (&all["users"][1]["views"], &all["users"][1]["agent"]),
        (&1.into(), &"answers".into())
    );
    assert_eq!(all["users"][0]["agent"], "not asked yet", "asking would start it");
    let own = lab.host.as_user("ann", [&program, "status", "--json"]).ok().json();
    assert_eq!(own["users"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&own["users"][0]["user"], &own["users"][0]["agent"]),
        (&"ann".into(), &"answers".into())
    );
    let text = lab.host.root([&program, "status"]).ok().out();
    assert!(text.contains("USER") && text.contains("Firefox on Linux"), "{text}");
    lab.host.root(["setpriv", "--reuid=65534", &program, "status"]).code(3);
    // Nonsense on the socket, and many that say nothing.
    lab.host.sh("python3 -c \"import socket; a=[]
for n in range(64):
    s=socket.socket(socket.AF_UNIX); s.connect('/run/terminal-lobby/own/link.sock'); a.append(s)
    if n % 2: s.sendall(b'x' * 5000)
\"");
    assert!(link(&lab, "ann").contains('#'));
}
