//! T3 Code with a real service manager: instances by their unit, credentials through the socket, and the watchdog.

mod changes;

use crate::support::{BootBox, On, wait_until};

const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/t3/stand-in-t3");
const ALICE: &str = "t3-serve@alice.service";
const ASK: &str = "python3 -c 'import socket; p = socket.socket(socket.AF_UNIX); p.connect(\"/run/terminal-lobby/t3-mint.sock\"); p.sendall(b\"{\\\"user\\\": \\\"alice\\\"}\\n\"); print(p.makefile().read())'";

/// A host on which alice has an instance, and bob another that is not enabled.
fn host(test: &str) -> Option<BootBox> {
    let made = BootBox::booted(test, On::Host)?;
    lay(&made);
    Some(made)
}

/// Lays the stand-in as version 0.0.26, gives alice and bob a port, and starts alice's instance.
pub(super) fn lay(made: &BootBox) {
    made.sh("mkdir -p /opt/t3/versions/0.0.26/bin /etc/t3-serve");
    made.copy_in(STAND_IN, "/opt/t3/versions/0.0.26/bin/t3");
    made.sh("cd /opt/t3; chmod 755 versions/0.0.26/bin/t3; echo 0.0.26 >versions/0.0.26/bin/stand-in-version
        echo 0.0.26 >versions/0.0.26/.install-complete; ln -s versions/0.0.26 current
        umask 077; echo T3_PORT=3780 >/etc/t3-serve/alice.env; echo T3_PORT=3781 >/etc/t3-serve/bob.env; umask 022
        echo '{\"alice@example.org\": {\"os_user\": \"alice\", \"port\": 3780}, \"bob@example.org\": {\"os_user\": \"bob\", \"port\": 3781}}' >/etc/t3-serve/dispatch.json");
    made.sh(&format!("systemctl enable --now {ALICE} t3-mint.socket"));
    answers(made);
}

/// Wants a version of all instances; what installs it copies the stand-in.
pub(super) fn want(made: &BootBox, version: &str) {
    made.copy_in(STAND_IN, "/usr/local/bin/stand-in-t3");
    made.sh(&format!(
        "chmod 755 /usr/local/bin/stand-in-t3; cat >/usr/local/bin/lay <<'END'
#!/bin/sh
set -eu
mkdir -p \"$1/bin\" \"$1/lib\"
cp /usr/local/bin/stand-in-t3 \"$1/lib/t3\"
printf %s \"$2\" >\"$1/lib/stand-in-version\"
id -un >\"$1/lib/laid-by\"
ln -s ../lib/t3 \"$1/bin/t3\"
END
        chmod 755 /usr/local/bin/lay
        printf '%s\\n' '[enforce]' 'version = \"{version}\"' 'allow_ended_sessions = true' \
            'install = [\"/usr/local/bin/lay\", \"{{dir}}\", \"{{version}}\"]' >/etc/terminal-lobby/t3.toml"
    ));
}

/// The version that an instance says it is; nothing if it does not answer.
pub(super) fn version(made: &BootBox, port: u16) -> String {
    let ask = format!(
        "python3 -c 'import json, urllib.request as r; print(json.load(r.urlopen(\"http://127.0.0.1:{port}/.well-known/t3/environment\", timeout=5))[\"serverVersion\"])'"
    );
    made.try_sh("root", &ask).out().trim().to_owned()
}

fn answers(made: &BootBox) {
    let ask = "python3 -c 'import urllib.request as r; r.urlopen(\"http://127.0.0.1:3780/api/auth/session\", timeout=5)'";
    wait_until("the instance answers", || made.try_sh("root", ask).code == 0);
}

#[test]
fn an_instance_is_its_users_alone_and_the_lobby_gets_credentials_for_it() {
    let test = "boot::t3::an_instance_is_its_users_alone_and_the_lobby_gets_credentials_for_it";
    let Some(made) = host(test) else { return };
    let modes = "cd /home/alice/.t3; stat -c '%U %a' . userdata userdata/state.sqlite";
    assert_eq!(made.sh(modes), "alice 700\nalice 700\nalice 600\n");
    // What it prints at its start is a credential.
    let journal = made.sh(&format!("journalctl -u {ALICE}; journalctl -t t3-serve"));
    assert!(!journal.contains("Pairing token"), "{journal}");
    let lobby = format!("setpriv --reuid=lobby --regid=lobby --init-groups -- {ASK}");
    let answer = made.sh(&lobby);
    assert!(answer.contains("\"credential\":\""), "{answer}");
    assert_ne!(made.try_sh("bob", ASK).code, 0, "another account cannot connect");
    let log = made.journal("-u t3-mint.service");
    assert!(log.contains("minted user=alice") && !log.contains("credential\""), "{log}");
    // A directory that the user replaces leads root nowhere.
    made.sh(&format!("systemctl stop {ALICE}; mkdir -m 755 /root/other"));
    assert_ne!(made.property(ALICE, "Result"), "exit-code", "it ends with 130");
    made.sh_as("alice", "rm -rf ~/.t3; ln -s /root/other ~/.t3");
    made.try_sh("root", &format!("systemctl start {ALICE}"));
    wait_until("it fails", || made.property(ALICE, "NRestarts") != "0");
    assert_eq!(made.sh("stat -c '%U %a' /root/other; ls -A /root/other"), "root 755\n");
    // A parked user's instance is disabled, whoever starts it.
    made.sh("systemctl start t3-serve@bob.service");
    assert_eq!(made.property("t3-serve@bob.service", "ActiveState"), "inactive");
    // What is left of the suite before is named.
    made.sh("cp /usr/lib/systemd/system/t3-watchdog.timer /etc/systemd/system/; touch /etc/t3-autoupdate.freeze
        printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/etc/systemd/system/t3-dispatch.service
        systemctl daemon-reload; systemctl start t3-dispatch.service");
    let doctor = made.try_sh("root", "persist doctor").out();
    for word in [
        "still active: t3-dispatch.service",
        "package's unit: /etc/systemd/system/t3-watchdog.timer",
        "/etc/t3-autoupdate.freeze counts no more",
    ] {
        assert!(doctor.contains(word), "{doctor}");
    }
}

#[test]
fn the_watchdog_restarts_an_instance_that_hangs() {
    let test = "boot::t3::the_watchdog_restarts_an_instance_that_hangs";
    let Some(made) = host(test) else { return };
    made.sh("printf '[watchdog]\\ngrace_seconds = 0.01\\ndeadline_seconds = 1\\n' >/etc/terminal-lobby/t3.toml");
    let pid = made.property(ALICE, "MainPID");
    made.sh("systemctl start t3-watchdog.service");
    made.sh_as("alice", "echo '{\"hang\": true}' >~/.t3/stand-in.json");
    for _ in 0..2 {
        made.sh("systemctl start t3-watchdog.service");
    }
    assert_eq!(made.property(ALICE, "MainPID"), pid);
    made.sh("systemctl start t3-watchdog.service");
    wait_until("it was restarted", || {
        !["0", pid.as_str()].contains(&made.property(ALICE, "MainPID").as_str())
    });
    wait_until("the restart is over", || {
        made.property("t3-restart@alice.service", "ActiveState") == "inactive"
    });
    let log = made.journal("-t t3-watchdog");
    assert!(log.contains("watchdog user=alice restart") && log.contains("backed up"), "{log}");
    made.sh_as("alice", "rm ~/.t3/stand-in.json");
    answers(&made);
}
