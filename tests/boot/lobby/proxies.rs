//! The examples of docs/lobby-deploy.md, as they stand: who gets in, and as whom.

use super::{Server, URL, as_user, client, example, host, try_client, user_of};
use crate::support::boxes::USERS;
use crate::support::{BootBox, wait_until};

#[test]
fn behind_nginx_each_user_sees_their_own_sessions_and_no_one_elses() {
    let test =
        "boot::lobby::proxies::behind_nginx_each_user_sees_their_own_sessions_and_no_one_elses";
    let Some(made) = host(test, Server::Nginx) else { return };
    each_sees_their_own(&made);
    only_the_web_server_says_who_it_is(&made, "www-data");
    no_local_user_reaches_an_agent(&made);
}

#[test]
fn behind_caddy_each_user_sees_their_own_sessions_and_no_one_elses() {
    let test =
        "boot::lobby::proxies::behind_caddy_each_user_sees_their_own_sessions_and_no_one_elses";
    let Some(made) = host(test, Server::Caddy) else { return };
    each_sees_their_own(&made);
    only_the_web_server_says_who_it_is(&made, "caddy");
}

fn each_sees_their_own(made: &BootBox) {
    for user in USERS {
        let own = try_client(made, "root", &format!("sessions {URL} {}", as_user(user))).ok().out();
        assert_eq!(own, format!("of-{user}\n"));
        let (status, me) = client(made, &format!("get {URL}/api/me {}", as_user(user)));
        assert_eq!((status, user_of(&me).as_str()), (200, user), "{me}");
    }
    let ca = "--ca /etc/ssl/lobby.example.org.pem";
    assert_eq!(client(made, &format!("get {URL}/api/me {ca}")).0, 401, "without a password");
    assert_eq!(client(made, &format!("get {URL}/api/me {ca} --user bob@example.org:alice")).0, 401);

    // The web server replaces what a browser says of itself, however it is spelt, and twice as well.
    for header in [
        "--header 'X-Remote-User: alice@example.org'",
        "--header 'x-remote-user: alice@example.org'",
        "--header 'X_Remote_User: alice@example.org'",
        "--header 'X-Remote-User: alice@example.org' --header 'X-Remote-User: carol@example.org'",
        "--header 'X-Remote-User: alice@example.org' --header 'Connection: X-Remote-User'",
        "--header 'X-Lobby-Actor: alice' --header 'X-Lobby-Access: drive'",
    ] {
        let (status, me) = client(made, &format!("get {URL}/api/me {} {header}", as_user("bob")));
        assert_eq!((status, user_of(&me).as_str()), (200, "bob"), "{header}: {me}");
        let own = try_client(made, "root", &format!("sessions {URL} {} {header}", as_user("bob")));
        assert_eq!(own.out(), "of-bob\n", "{header}: {}", own.err());
    }
    // What the web server does not change the lobby still checks.
    let page = |header: &str| {
        try_client(made, "root", &format!("sessions {URL} {} --header '{header}'", as_user("bob")))
            .err()
    };
    for origin in
        ["Origin: https://evil.example", "Origin: null", "Origin: http://lobby.example.org"]
    {
        assert!(page(origin).contains("status 403"), "{origin}: {}", page(origin));
    }
    assert_eq!(client(made, &format!("get {URL}/as/alice/api/events {}", as_user("bob"))).0, 403);
}

fn only_the_web_server_says_who_it_is(made: &BootBox, account: &str) {
    const SOCKET: &str = "--unix /run/terminal-lobby/http.sock";
    const HEADER: &str = "--header 'X-Remote-User: alice@example.org'";
    // Carol has no way to the socket.
    let carol = try_client(made, "carol", &format!("get {URL}/api/me {SOCKET} {HEADER}"));
    assert!(carol.err().contains("Permission denied"), "{}", carol.err());
    // With the group, or as root, the kernel still says that it is not the web server.
    let of = |user: &str| {
        let script = format!(
            "setpriv --reuid={user} --regid=www-data --clear-groups client get {URL}/api/me {SOCKET} {HEADER}"
        );
        made.try_sh("root", &script).out().lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(of("carol"), "403");
    assert_eq!(of("root"), "403");
    // The account that is in the configuration is believed.
    assert_eq!(of(account), "200");
}

fn no_local_user_reaches_an_agent(made: &BootBox) {
    for user in ["bob", "www-data", "alice"] {
        let connect = format!(
            "setpriv --reuid={user} --regid={user} --init-groups client get {URL}/api/events \
             --unix /run/terminal-lobby/agents/alice.sock --header 'X-Lobby-Actor: alice'"
        );
        let refused = made.try_sh("root", &connect);
        assert!(refused.err().contains("Permission denied"), "{user}: {}", refused.err());
    }
    // With the gateway's group alone the agent closes the connection.
    let group = format!(
        "setpriv --reuid=bob --regid=lobby --clear-groups client get {URL}/api/events \
         --unix /run/terminal-lobby/agents/alice.sock --header 'X-Lobby-Actor: alice'"
    );
    let refused = made.try_sh("root", &group);
    assert_ne!(refused.code, 0, "{}", refused.out());
    // The gateway has no way to what is a user's.
    let pid = made.property("lobby.service", "MainPID");
    let inside = |what: &str| {
        made.try_sh(
            "root",
            &format!("nsenter --target {pid} --mount setpriv --reuid=lobby --regid=lobby --clear-groups {what}"),
        )
    };
    for path in ["/home/alice", "/tmp/tmux-1000", "/var/lib/tmux-persist", "/run/user/1000"] {
        assert_ne!(inside(&format!("ls {path}/.")).code, 0, "{path}");
    }
    made.sh("mkdir -m 755 -p /etc/t3-serve; install -m 600 /dev/null /etc/t3-serve/alice.env");
    assert_ne!(inside("cat /etc/t3-serve/alice.env").code, 0, "a secret beside the tables");
    assert_ne!(inside("touch /etc/terminal-lobby/lobby.toml").code, 0);
    assert_eq!(inside("ls /run/terminal-lobby/agents").out(), "alice.sock\nbob.sock\ncarol.sock\n");
}

#[test]
fn over_tcp_the_web_server_proves_itself_with_a_secret() {
    let test = "boot::lobby::proxies::over_tcp_the_web_server_proves_itself_with_a_secret";
    let Some(made) = host(test, Server::Nginx) else { return };
    made.sh("mkdir -p /etc/systemd/system/lobby.socket.d
        printf '[Socket]\\nListenStream=127.0.0.1:7680\\n' >/etc/systemd/system/lobby.socket.d/tcp.conf
        echo 0123456789abcdef0123456789abcdef | install -m 640 -g lobby /dev/stdin /etc/terminal-lobby/proxy.secret
        printf 'secret_file = \"/etc/terminal-lobby/proxy.secret\"\\n' >>/etc/terminal-lobby/lobby.toml
        systemctl daemon-reload; systemctl stop lobby.service lobby.socket; systemctl start lobby.socket lobby.service");
    let of = |headers: &str| {
        client(&made, &format!("get {URL}/api/me --to 127.0.0.1:7680 --header 'X-Remote-User: bob@example.org' {headers}")).0
    };
    let secret = "--header 'X-Lobby-Secret: 0123456789abcdef0123456789abcdef'";
    assert_eq!(of(""), 403);
    assert_eq!(of("--header 'X-Lobby-Secret: 0123456789abcdef0123456789abcdee'"), 403);
    assert_eq!(of(&format!("{secret} {secret}")), 403);
    assert_eq!(of(&format!("{secret} --header 'X-Remote-User: alice@example.org'")), 400);
    assert_eq!(of(secret), 200);
    // nginx over TCP, by the two lines that the page names.
    let shipped = std::fs::read_to_string(example("lobby-nginx.conf")).unwrap();
    let edited = shipped
        .replace("unix:/run/terminal-lobby/http.sock", "127.0.0.1:7680")
        .replace("proxy_pass http://lobby;", "proxy_pass http://lobby; proxy_set_header X-Lobby-Secret 0123456789abcdef0123456789abcdef;");
    made.sh(&format!(
        "cat >/etc/nginx/conf.d/lobby.conf <<'END'\n{edited}END\nsystemctl reload nginx"
    ));
    wait_until("nginx has loaded it", || {
        client(&made, &format!("get {URL}/api/me {}", as_user("carol"))).0 == 200
    });
    let own = try_client(&made, "root", &format!("sessions {URL} {}", as_user("carol"))).ok();
    assert_eq!(own.out(), "of-carol\n");
    // The Unix socket is there as well, for the configured account alone.
    made.sh("test -S /run/terminal-lobby/http.sock");
}
