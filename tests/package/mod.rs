//! The scripts of the package, with a systemctl that takes notes; tests/boot has the package on a running host.

use crate::support::host::{BIN, Host};

/// A host with a systemctl that notes its arguments and lists what is in `/tmp/active`.
fn host(test: &str) -> Option<Host> {
    let host = Host::new(test)?;
    let systemctl =
        b"#!/bin/sh\necho \"$*\" >>/tmp/calls\n[ \"$1\" != list-units ] || cat /tmp/active\n";
    host.install_bytes("systemctl", systemctl);
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/units/packaging/debian");
    for script in ["postinst", "prerm", "postrm"] {
        let path = format!("{root}/{script}");
        host.install(script, std::path::Path::new(&path));
    }
    host.sh("mkdir -p /run/systemd/system; : >/tmp/active; : >/tmp/calls");
    Some(host)
}

/// Runs a script as dpkg does; what it says.
fn runs(host: &Host, script: &str, words: &str) -> String {
    let path = format!("PATH={BIN}:/usr/sbin:/usr/bin:/sbin:/bin");
    host.root(["sh", "-c", &format!("{path} {BIN}/{script} {words}")]).ok().err()
}

fn calls(host: &Host) -> Vec<String> {
    let calls = host.sh("cat /tmp/calls; : >/tmp/calls");
    calls.lines().map(str::to_owned).collect()
}

const ACTIVE: &str = "provision.timer loaded active waiting Make this host agree
t3-serve@ann.service loaded active running Web terminal of ann
t3-serve@bob.service loaded failed failed Web terminal of bob
playwright-mcp@ann.service loaded active running Browser tool of ann
playwright-snapshot-refresh@ann.timer loaded active waiting Refresh
lobby.socket loaded active running Where the web server connects
lobby.service loaded active running The lobby
lobby-agent@ann.socket loaded active listening Agent of ann";

#[test]
fn removing_stops_what_it_started_for_users_and_leaves_no_failed_unit_behind() {
    let Some(host) = host("removing_stops_what_it_started_for_users") else { return };
    host.sh(&format!("printf '%s\n' '{}' >/tmp/active", ACTIVE.replace('\n', "' '")));
    runs(&host, "prerm", "remove");
    let calls = calls(&host);
    let stops = calls.iter().filter_map(|call| call.strip_prefix("stop "));
    let stops: Vec<&str> = stops.collect();
    for unit in [
        "provision.timer",
        "t3-serve@ann.service",
        "playwright-mcp@ann.service",
        "lobby.socket",
        "lobby.service",
        "lobby-agent@ann.socket",
    ] {
        assert!(stops.contains(&unit), "{unit}: {calls:?}");
    }
    // The save at shutdown is the last but the places of the sockets.
    let place = |unit: &str| stops.iter().position(|stopped| *stopped == unit).unwrap();
    assert!(place("t3-serve@ann.service") < place("tmux-persist-shutdown.service"));
    assert!(stops.iter().all(|unit| !unit.contains("session@")), "{stops:?}");
    let last = calls.last().unwrap();
    assert!(last.starts_with("reset-failed ") && last.contains("provision"), "{calls:?}");
    assert!(last.contains("lobby*"), "{calls:?}");
}

#[test]
fn upgrading_stops_nothing() {
    let Some(host) = host("upgrading_stops_nothing") else { return };
    runs(&host, "prerm", "upgrade 99.0");
    assert_eq!(calls(&host), [""; 0]);
}

#[test]
fn a_reinstallation_starts_again_what_ran_and_nothing_else() {
    let Some(host) = host("a_reinstallation_starts_again_what_ran") else { return };
    host.sh(&format!("printf '%s\n' '{}' >/tmp/active", ACTIVE.replace('\n', "' '")));
    runs(&host, "prerm", "remove");
    runs(&host, "postrm", "remove");
    calls(&host);
    let configure = |host: &Host| {
        let script = host.read(&format!("{BIN}/postinst")).replace("persist import", "true");
        host.install_bytes("policy-rc.d", b"#!/bin/sh\n");
        host.install_bytes("configure", script.as_bytes());
        runs(host, "configure", "configure 0.1.0-1");
        calls(host)
    };
    let started = configure(&host);
    for unit in [
        "provision.timer",
        "t3-serve@ann.service",
        "t3-serve@bob.service",
        "lobby.socket",
        "lobby-agent@ann.socket",
    ] {
        let call = format!("start --no-block {unit}");
        assert!(started.contains(&call), "{call}: {started:?}");
    }
    assert!(started.contains(&"start tmux-persist-save.timer".to_owned()), "{started:?}");
    let again = configure(&host);
    assert!(again.iter().all(|call| !call.contains("--no-block")), "{again:?}");
    // An upgrade: the sockets stay.
    let restarts: Vec<_> = again.iter().filter(|call| call.contains("lobby")).collect();
    assert_eq!(restarts, ["try-restart lobby-agent@*.service lobby.service"]);
}

#[test]
fn a_policy_against_starting_holds_for_the_users_units_as_well() {
    let Some(host) = host("a_policy_against_starting") else { return };
    host.sh(&format!("printf '%s\n' '{}' >/tmp/active", ACTIVE.replace('\n', "' '")));
    runs(&host, "prerm", "remove");
    calls(&host);
    let script = host.read(&format!("{BIN}/postinst")).replace("persist import", "true");
    host.install_bytes("configure", script.as_bytes());
    host.install_bytes("policy-rc.d", b"#!/bin/sh\nexit 101\n");
    runs(&host, "configure", "configure");
    assert!(calls(&host).iter().all(|call| !call.starts_with("start")));
}

#[test]
fn purging_removes_what_would_fail_later_and_says_what_it_keeps() {
    let Some(host) = host("purging_removes_what_would_fail_later") else { return };
    host.sh("cd /etc; rm terminal-lobby/*; mkdir -p systemd/system/multi-user.target.wants systemd/system/timers.target.wants
        mkdir -p claude-code/managed-settings.d t3-serve terminal-lobby systemd/system/user-.slice.d
        mkdir -p /run/tmux-persist/pending /var/lib/tmux-persist/ann /var/lib/terminal-lobby
        ln -s /usr/lib/systemd/system/provision.timer systemd/system/timers.target.wants/provision.timer
        for unit in t3-serve playwright-mcp other; do
            ln -s /usr/lib/systemd/system/$unit@.service systemd/system/multi-user.target.wants/$unit@ann.service
        done
        mkdir systemd/system/sockets.target.wants /run/terminal-lobby /var/lib/lobby; echo x >/var/lib/lobby/logins
        ln -s /usr/lib/systemd/system/lobby.service systemd/system/multi-user.target.wants/lobby.service
        for unit in lobby.socket lobby-link.socket lobby-agent@ann.socket; do
            ln -s /usr/lib/systemd/system/$unit systemd/system/sockets.target.wants/$unit
        done
        echo {} >claude-code/managed-settings.d/50-terminal-lobby.json
        echo {} >claude-code/managed-settings.d/60-own.json
        echo TOKEN=x >t3-serve/ann.env; echo users: >terminal-lobby/roster.yaml
        echo >systemd/system/user-.slice.d/50-terminal-lobby.conf
        echo t3-serve@ann.service >/var/lib/terminal-lobby/stopped-units; echo x >/var/lib/terminal-lobby/uids");
    let said = runs(&host, "postrm", "purge");
    let left = host.sh("cd /etc; find systemd claude-code t3-serve terminal-lobby ! -type d | sort; find /run/tmux-persist /run/terminal-lobby /var/lib/lobby /var/lib/terminal-lobby 2>/dev/null || :");
    let left: Vec<&str> = left.lines().collect();
    let expected = [
        "claude-code/managed-settings.d/60-own.json",
        "systemd/system/multi-user.target.wants/other@ann.service",
        "systemd/system/user-.slice.d/50-terminal-lobby.conf",
        "t3-serve/ann.env",
        "terminal-lobby/roster.yaml",
        "/var/lib/terminal-lobby",
        "/var/lib/terminal-lobby/uids",
    ];
    assert_eq!(left, expected);
    for kept in [
        "/var/lib/tmux-persist is kept: the users' snapshots",
        "/var/lib/terminal-lobby is kept: what provision applied",
        "/etc/terminal-lobby is kept: the roster",
        "/etc/t3-serve is kept: ports and tokens",
        "/etc/systemd/system/user-.slice.d/50-terminal-lobby.conf is kept: limits",
        "accounts, homes",
    ] {
        assert!(said.contains(kept), "{kept}: {said}");
    }
}

#[test]
fn purging_a_host_that_was_never_used_leaves_nothing_and_names_no_data() {
    let Some(host) = host("purging_a_host_that_was_never_used") else { return };
    host.sh("mkdir -p /var/lib/tmux-persist /etc/terminal-lobby; rm -f /etc/ttyd-user-map /etc/terminal-lobby/*");
    let said = runs(&host, "postrm", "purge");
    assert!(!said.contains("is kept"), "{said}");
    host.sh("! test -e /var/lib/tmux-persist && ! test -e /etc/terminal-lobby");
}

#[test]
fn where_no_systemd_runs_the_scripts_call_none() {
    let Some(host) = host("where_no_systemd_runs") else { return };
    host.sh("rmdir /run/systemd/system");
    runs(&host, "prerm", "remove");
    runs(&host, "postrm", "remove");
    runs(&host, "postrm", "purge");
    assert_eq!(calls(&host), [""; 0]);
}

/// systemd ignores what is no link there, and says so only in the journal.
#[test]
fn what_a_target_wants_is_a_link_to_a_unit_of_ours() {
    let units = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/units/system"));
    let mut links = 0;
    for dir in std::fs::read_dir(units).unwrap().map(|entry| entry.unwrap().path()) {
        if dir.extension().is_none_or(|extension| extension != "wants") {
            continue;
        }
        for entry in std::fs::read_dir(&dir).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            let to = std::fs::read_link(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            assert_eq!(to, std::path::Path::new("..").join(&name), "{path:?}");
            assert!(units.join(&name).is_file(), "{path:?}");
            links += 1;
        }
    }
    assert!(links >= 6, "{links}");
}
