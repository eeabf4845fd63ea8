//! T3 Code behind the lobby: a real web server, the helper that runs as root, and instances by their units.

use super::{Server, as_user, client, host, try_client};
use crate::boot::t3;
use crate::support::{BootBox, wait_until};

const T3: &str = "https://t3.example.org";
const PAGE: &str = "--header 'Accept: text/html' --header 'Sec-Fetch-Dest: document'";

/// Such a host, on which alice and bob have an instance.
fn with_instances(test: &str) -> Option<BootBox> {
    let made = host(test, Server::Nginx)?;
    t3::lay(&made);
    made.sh(&format!(
        "systemctl enable --now t3-serve@bob.service
        printf '\\n[t3]\\nurl = \"{T3}\"\\n' >>/etc/terminal-lobby/lobby.toml
        sed -i 's/server_name .*/server_name lobby.example.org t3.example.org;/' /etc/nginx/conf.d/lobby.conf
        systemctl restart lobby.service; systemctl reload nginx"
    ));
    let answers = || client(&made, &format!("get {T3}/healthz {}", as_user("alice"))).0 == 200;
    wait_until("the address is served", answers);
    wait_until("bob's instance answers", || !t3::version(&made, 3781).is_empty());
    Some(made)
}

/// `name=value` of the session with which a navigation of a user's is answered.
fn pair(made: &BootBox, user: &str) -> String {
    let (status, answer) = client(made, &format!("get {T3}/chat/7 {} {PAGE}", as_user(user)));
    assert_eq!(status / 100, 3, "{answer}");
    let line = |name: &str| {
        let lines = answer.lines().filter_map(|line| line.split_once(':'));
        let found =
            lines.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
        found.map(str::to_owned).next().unwrap_or_else(|| panic!("no {name}: {answer}"))
    };
    // The web server makes it absolute.
    assert_eq!(line("location").strip_prefix(T3), Some("/chat/7"));
    let cookie = line("set-cookie");
    for word in ["HttpOnly", "Secure"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    cookie.split(';').next().unwrap().to_owned()
}

#[test]
fn a_browser_is_paired_through_the_helper_and_its_sockets_end_with_its_place() {
    let test = "boot::lobby::t3::a_browser_is_paired_through_the_helper_and_its_sockets_end_with_its_place";
    let Some(made) = with_instances(test) else { return };
    let (alice, bob) = (pair(&made, "alice"), pair(&made, "bob"));
    let mints = made.journal("-u t3-mint.service");
    assert!(mints.contains("minted user=alice") && mints.contains("minted user=bob"), "{mints}");
    let get = |user: &str, cookie: &str| {
        client(
            &made,
            &format!(
                "get {T3}/ {} --header 'Cookie: {cookie}' --header 'Accept: */*'",
                as_user(user)
            ),
        )
    };
    for (user, cookie) in [("alice", &alice), ("bob", &bob)] {
        let (status, page) = get(user, cookie);
        assert!(status == 200 && page.contains("T3 Code"), "{user}: {page}");
    }
    let session = |user: &str, cookie: &str| {
        let header = format!("--header 'Cookie: {cookie}'");
        client(&made, &format!("get {T3}/api/auth/session {} {header}", as_user(user))).1
    };
    assert!(
        session("alice", &alice).contains("\"authenticated\": true"),
        "{}",
        session("alice", &alice)
    );
    let anothers = session("bob", &alice);
    assert!(anothers.contains("\"authenticated\": false"), "a session of another's: {anothers}");
    assert_eq!(client(&made, &format!("get {T3}/api/auth/session {}", as_user("carol"))).0, 403);
    made.sh(&format!(
        "cat >/tmp/open <<'END'
exec client socket {T3}/ws '{{\"_tag\":\"Ping\"}}' {} --header 'Cookie: {alice}' >/tmp/socket 2>&1
END
        systemd-run --quiet --collect --unit=socket sh /tmp/open",
        as_user("alice")
    ));
    let happened = || made.sh("cat /tmp/socket 2>/dev/null || :");
    wait_until("the instance answers on the WebSocket", || happened().contains("Pong"));
    // The one command of an administrator: everything of alice's ends, nothing of bob's.
    made.sh("echo '{\"alice@example.org\": \"cut\"}' >/etc/t3-serve/closed.json");
    wait_until("alice's socket is closed", || happened().contains("closed 4403"));
    let (status, why) = get("alice", &alice);
    assert_eq!(status, 403, "{why}");
    assert_eq!(get("bob", &bob).0, 200);
}

#[test]
fn a_change_of_the_version_below_open_pages_leaves_them_an_instance_and_a_session() {
    let test = "boot::lobby::t3::a_change_of_the_version_below_open_pages_leaves_them_an_instance_and_a_session";
    let Some(made) = with_instances(test) else { return };
    let alice = pair(&made, "alice");
    t3::want(&made, "0.0.34");
    made.sh("systemctl start t3-enforce.service");
    let page = || {
        try_client(
            &made,
            "root",
            &format!("get {T3}/ {} {PAGE} --header 'Cookie: {alice}'", as_user("alice")),
        )
    };
    // The name of its cookie changed with this version: the next navigation pairs the browser again.
    wait_until("the new version serves", || t3::version(&made, 3780) == "0.0.34");
    let answer = page().ok().out();
    assert!(answer.starts_with("30") || answer.starts_with("200"), "{answer}");
    let again = pair(&made, "alice");
    let (status, page) =
        client(&made, &format!("get {T3}/ {} --header 'Cookie: {again}'", as_user("alice")));
    assert!(status == 200 && page.contains("T3 Code"), "{page}");
}
