//! The fake servers are real: each does to a plain tmux client what the other tests rely on.

use crate::support::Run;
use crate::support::fake_server::fake_server;
use crate::support::host::Host;

/// What a plain client of `user`'s does on this fake server; SIGKILL (137) after a second.
fn client(host: &Host, user: &str) -> Run {
    host.as_user(user, ["timeout", "-s", "KILL", "1", "tmux", "-u", "list-panes", "-a"])
}

#[test]
fn fake_servers_make_a_plain_client_run_read_and_write() {
    let Some(host) = Host::new("fake_servers_make_a_plain_client_run_read_and_write") else {
        return;
    };
    for (user, behaviour) in [
        ("lock", &["lock", "id -u >/tmp/ran-lock"][..]),
        ("exec", &["exec", "id -u >/tmp/ran-exec"]),
        ("shell", &["shell", "/tmp/script"]),
        ("write", &["write", "/tmp/ran-write", "written\n"]),
        ("read", &["read", "/home/read/secret", "/tmp/ran-read"]),
    ] {
        let uid = host.user(user);
        host.sh_as(user, "printf 'secret\n' >~/secret");
        if user == "shell" {
            host.sh_as(user, "printf '#!/bin/sh\nid -u >/tmp/ran-shell\n' >/tmp/script");
            host.sh_as(user, "chmod 755 /tmp/script");
        }
        fake_server(&host, user, behaviour);
        client(&host, user).ok();
        let left = host.root(["cat", &format!("/tmp/ran-{user}")]).ok().out();
        let expected = match user {
            "write" => "written\n".to_owned(),
            "read" => "secret\n".to_owned(),
            _ => format!("{uid}\n"),
        };
        assert_eq!(left, expected, "{user}");
    }
}

#[test]
fn fake_servers_hang_flood_and_mislead_a_plain_client() {
    let Some(host) = Host::new("fake_servers_hang_flood_and_mislead_a_plain_client") else {
        return;
    };
    let cases: [(&str, &[&str], i32, &str); 10] = [
        ("silent", &["silent"], 137, ""),
        ("backlog", &["backlog"], 137, ""),
        ("trickle", &["trickle"], 137, "....."),
        ("endless", &["endless"], 137, "AAAAA"),
        ("enderr", &["endless", "2"], 137, "AAAAA"),
        ("lie", &["lie", "any\u{1b}text\n"], 0, "any\u{1b}text\n"),
        ("version", &["version"], 1, "protocol version mismatch (client 8, server 99)"),
        ("garbage", &["garbage"], 1, "server exited unexpectedly"),
        ("http", &["http"], 1, "server exited unexpectedly"),
        ("close", &["close"], 1, "server exited unexpectedly"),
    ];
    for (user, behaviour, code, text) in cases {
        host.user(user);
        fake_server(&host, user, behaviour);
        let run = client(&host, user).code(code);
        let all = run.out() + &run.err();
        assert!(all.contains(text), "{user}: {}", &all[..all.len().min(500)]);
    }
}

#[test]
fn fake_servers_signal_a_plain_client_and_its_parent() {
    let Some(host) = Host::new("fake_servers_signal_a_plain_client_and_its_parent") else {
        return;
    };
    host.user("killer");
    fake_server(&host, "killer", &["detachkill"]);
    let run = host.as_user("killer", ["sh", "-c", "tmux list-panes -a; echo parent lives"]);
    assert!(!run.out().contains("parent lives"), "{run:?}");

    host.user("stopper");
    fake_server(&host, "stopper", &["suspend"]);
    let stopped = "tmux list-panes -a & \
        until grep -q '^State:.T' /proc/$!/status; do sleep 0.01; done; kill -KILL $!";
    host.as_user("stopper", ["timeout", "5", "sh", "-c", stopped]).ok();
}
