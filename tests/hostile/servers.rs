//! Users whose tmux server hangs, lies or attacks its client.

use super::report::{good_users, good_users_are_saved, nothing_is_left, root_wrote_nothing, save};
use crate::support::fake_server::fake_server;
use crate::support::host::{Host, persist_argv};

#[test]
fn a_stopped_server_costs_its_user_the_deadline_and_nobody_else_anything() {
    let Some(host) =
        Host::new("a_stopped_server_costs_its_user_the_deadline_and_nobody_else_anything")
    else {
        return;
    };
    good_users(&host);
    host.user("mallory");
    host.sessions("mallory", &["main"]);
    let server = host.tmux("mallory", ["display-message", "-p", "#{pid}"]).ok().out();
    host.sh(&format!("kill -STOP {server}"));

    let report = save(&host);
    good_users_are_saved(&report);
    report.failed("mallory").code(1).within(6);

    host.sh(&format!("kill -CONT {server}"));
    save(&host).saved("mallory", 1).code(0);
}

#[test]
fn a_server_that_attacks_its_client_gets_nothing_of_roots() {
    let Some(host) = Host::new("a_server_that_attacks_its_client_gets_nothing_of_roots") else {
        return;
    };
    good_users(&host);
    let cases: [(&str, &[&str]); 8] = [
        ("lock", &["lock", "id -u >>/tmp/ran; env >>/tmp/env"]),
        ("exec", &["exec", "id -u >>/tmp/ran; env >>/tmp/env; echo forged"]),
        ("shell", &["shell", "/tmp/script"]),
        ("read", &["read", "/etc/shadow", "/tmp/loot"]),
        ("write", &["write", "/etc/evil", "evil\n"]),
        ("writetmp", &["write", "/tmp/evil", "evil\n"]),
        ("detachkill", &["detachkill"]),
        ("suspend", &["suspend"]),
    ];
    for (user, behaviour) in cases {
        host.user(user);
        fake_server(&host, user, behaviour);
    }
    let script = "printf '#!/bin/sh\nid -u >>/tmp/ran\nenv >>/tmp/env\n' >/tmp/script";
    host.sh_as("shell", script);
    host.sh_as("shell", "chmod 755 /tmp/script; umask 0; : >/tmp/ran; : >/tmp/env");

    let report = save(&host);
    good_users_are_saved(&report);
    for (user, _) in cases {
        report.failed(user);
    }
    report.code(1).within(12);
    let ran = host.sh("cat /tmp/ran");
    assert!(!ran.lines().any(|uid| uid == "0"), "ran as root: {ran}");
    let leaked = host.sh("cat /tmp/env; cat /tmp/loot 2>/dev/null || :");
    assert!(!leaked.contains("hunter2") && !leaked.contains("root:"), "{leaked}");
    root_wrote_nothing(&host);
    nothing_is_left(&host);
}

#[test]
fn a_server_that_talks_nonsense_fails_its_user_alone() {
    let Some(host) = Host::new("a_server_that_talks_nonsense_fails_its_user_alone") else {
        return;
    };
    good_users(&host);
    let cases: [(&str, &[&str]); 9] = [
        ("silent", &["silent"]),
        ("backlog", &["backlog"]),
        ("trickle", &["trickle"]),
        ("endless", &["endless"]),
        ("enderr", &["endless", "2"]),
        ("version", &["version"]),
        ("garbage", &["garbage"]),
        ("http", &["http"]),
        ("lie", &["lie", "\u{1b}]0;owned\u{7}\t$0\t0\tx\n%begin 1 1 1\n"]),
    ];
    for (user, behaviour) in cases {
        host.user(user);
        fake_server(&host, user, behaviour);
    }
    // ru_maxrss: the largest of persist and the children that were waited for.
    let measure = "import resource, subprocess, sys\n\
        code = subprocess.run(sys.argv[1:]).returncode\n\
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)\n\
        sys.exit(code)";
    let mut argv: Vec<_> = ["python3", "-I", "-c", measure].map(Into::into).to_vec();
    argv.extend(persist_argv(["save", "--json"]));

    let report = super::report::Report::of(host.root(argv));
    good_users_are_saved(&report);
    for (user, _) in cases {
        report.failed(user);
    }
    report.code(1).within(12);
    let kib: u64 = report.run.err().lines().last().unwrap().parse().unwrap();
    assert!(kib < 128 * 1024, "{kib} KiB");
}

#[test]
fn a_server_that_closes_at_once_is_not_taken_for_no_server() {
    let Some(host) = Host::new("a_server_that_closes_at_once_is_not_taken_for_no_server") else {
        return;
    };
    good_users(&host);
    host.user("mallory");
    host.sessions("mallory", &["main"]);
    save(&host).saved("mallory", 1).code(0);
    host.tmux("mallory", ["kill-server"]).ok();
    host.sh_as("mallory", "rm /tmp/tmux-$(id -u)/default");
    fake_server(&host, "mallory", &["close"]);

    let report = save(&host);
    report.failed("mallory").code(1);
    let list = host.persist(["list", "--user", "mallory", "--json"]).ok().json();
    assert_eq!(list["snapshots"].as_array().unwrap().len(), 1, "history is left alone: {list}");
}
