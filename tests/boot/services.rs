//! The units of users' services and of the provisioner: what runs in them can do its work and no more
//! than it must, and arming a timer fires nothing.

use crate::support::{BootBox, On, wait_until};

const STUB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/boot/stub-service");
const T3: &str = "t3-serve@alice.service";
const BROWSER: &str = "playwright-mcp@alice.service";

/// A host that has the programs which the units start, and alice's environments.
fn host(test: &str) -> Option<BootBox> {
    let made = BootBox::booted(test, On::Host)?;
    for program in ["t3", "playwright-mcp"] {
        made.copy_in(STUB, &format!("/usr/local/bin/{program}"));
    }
    made.sh("chmod 755 /usr/local/bin/t3 /usr/local/bin/playwright-mcp
        printf '#!/bin/sh\\necho \"$@\" >>~/refreshed\\n' >/usr/local/bin/playwright-snapshot-refresh
        chmod 755 /usr/local/bin/playwright-snapshot-refresh
        mkdir -p /etc/systemd/system/playwright-snapshot-refresh@.service.d
        printf '[Service]\\nExecStart=\\nExecStart=playwright-snapshot-refresh --port ${PLAYWRIGHT_PORT}\\n' \
            >/etc/systemd/system/playwright-snapshot-refresh@.service.d/site.conf
        systemctl daemon-reload
        umask 077; mkdir -m 755 /etc/t3-serve
        printf 'T3_PORT=3780\\nT3_SECRET=s3cret\\n' >/etc/t3-serve/alice.env
        printf 'PLAYWRIGHT_PORT=8940\\nTOKEN=t0ken\\n' >/etc/t3-serve/playwright-alice.env");
    Some(made)
}

/// Runs a script in what the service at a port starts; gives its exit code and what it printed.
#[track_caller]
fn inside(made: &BootBox, port: u16, script: &str) -> (i32, String) {
    let ask = format!(
        "import sys, urllib.request as r
print(r.urlopen('http://127.0.0.1:{port}', data=sys.stdin.buffer.read()).read().decode(), end='')"
    );
    let run = format!("python3 -c \"{ask}\" <<'END'\n{script}\nEND");
    wait_until("the service answers", || {
        let any = format!(
            "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}))'"
        );
        made.try_sh("root", &any).code == 0
    });
    let said = made.sh(&run);
    let (code, text) = said.split_once('\n').unwrap();
    (code.parse().unwrap(), text.to_owned())
}

#[test]
fn a_web_terminal_is_the_users_own_and_what_it_starts_outlives_it() {
    let test = "boot::services::a_web_terminal_is_the_users_own_and_what_it_starts_outlives_it";
    let Some(made) = host(test) else { return };
    // Disabled: whoever starts it, it does not run.
    made.sh(&format!("systemctl start {T3}"));
    assert_eq!(made.property(T3, "ActiveState"), "inactive");
    made.sh(&format!("systemctl enable --now {T3}"));
    let look =
        "id -un; pwd; umask; echo $T3_SECRET; sudo -n id -u; grep ^NoNewPrivs: /proc/self/status
        cat /proc/self/loginuid; echo; grep ^0:: /proc/self/cgroup
        env | grep -cE '^(INVOCATION_ID|JOURNAL_STREAM|NOTIFY_SOCKET)=' || true";
    let (code, seen) = inside(&made, 3780, look);
    assert_eq!(code, 0, "{seen}");
    let start = "alice\n/home/alice\n0077\ns3cret\n0\nNoNewPrivs:\t0\n1000\n\
        0::/user.slice/user-1000.slice/session-";
    let rest = seen.strip_prefix(start);
    assert!(rest.is_some_and(|rest| rest.ends_with(".scope\n0\n")), "{seen}");
    assert_eq!(made.sh("grep -c ':0EC4 .* 0A ' /proc/net/tcp"), "1\n");
    assert_eq!(made.sh("grep -c '0100007F:0EC4 .* 0A ' /proc/net/tcp"), "1\n", "only from here");
    assert_ne!(made.try_sh("bob", "cat /etc/t3-serve/alice.env").code, 0);

    // Lesson 22: the terminal's restart once killed every session of its user.
    let (code, said) = inside(&made, 3780, "tmux -f /dev/null new-session -d -s web");
    assert_eq!(code, 0, "{said}");
    let server = made.server("alice").unwrap();
    let main = made.property(T3, "MainPID");
    made.sh(&format!("systemctl restart {T3}"));
    assert_ne!(made.property(T3, "MainPID"), main);
    assert_eq!(inside(&made, 3780, "true").0, 0);
    made.sh(&format!("kill -9 $(systemctl show -P MainPID {T3})"));
    wait_until("it is there again", || made.property(T3, "NRestarts") == "1");
    assert_eq!(inside(&made, 3780, "true").0, 0);
    made.sh(&format!("systemctl stop {T3}"));
    assert_eq!(made.server("alice"), Some(server));

    // Parked, and locked out.
    made.sh(&format!("systemctl disable --now {T3}; systemctl start {T3}"));
    assert_eq!(made.property(T3, "ActiveState"), "inactive");
    made.sh(&format!("usermod --expiredate 1 alice; systemctl enable {T3}"));
    made.try_sh("root", &format!("systemctl start {T3}"));
    wait_until("PAM refuses", || made.property(T3, "ActiveState") == "failed");
    assert_eq!(made.property(T3, "NRestarts"), "0");
}

#[test]
fn a_browser_tool_can_do_its_work_and_no_more_and_its_timer_is_armed_not_fired() {
    let test = "boot::services::a_browser_tool_can_do_its_work_and_no_more_and_its_timer_is_armed_not_fired";
    let Some(made) = host(test) else { return };
    made.sh(&format!("systemctl start {BROWSER}"));
    assert_eq!(made.property(BROWSER, "ActiveState"), "inactive", "disabled");
    // A stamp of long ago: a persistent timer would fire at once.
    made.sh("install -d /var/lib/systemd/timers
        touch -d '3 days ago' /var/lib/systemd/timers/stamp-playwright-snapshot-refresh@alice.timer");
    let timer = "playwright-snapshot-refresh@alice.timer";
    let refresh = "playwright-snapshot-refresh@alice.service";
    made.sh(&format!("systemctl enable --now {timer}"));
    assert_eq!(made.property(timer, "ActiveState"), "active");
    assert_ne!(made.property(timer, "NextElapseUSecRealtime"), "");
    assert_eq!(made.property(timer, "LastTriggerUSec"), "");
    // Without the tool there is nothing to refresh, and that is no failure.
    made.sh(&format!("systemctl start {refresh}"));
    assert_ne!(made.try_sh("root", "test -e /home/alice/refreshed").code, 0);
    made.sh(&format!("systemctl enable --now {BROWSER}"));
    let works = "id -un; pwd; echo $TOKEN; echo x >~/profile; echo x >/tmp/for-the-agent
        unshare --user --map-root-user --pid --fork --net chroot / true
        grep -c '' ~/.bashrc";
    let (code, seen) = inside(&made, 8940, works);
    assert_eq!((code, seen.as_str()), (0, "alice\n/home/alice\nt0ken\n1\n"));
    made.sh("test -e /tmp/for-the-agent");
    for forbidden in [
        "sudo -n id",
        "echo x >/etc/x",
        "unshare --user --mount true",
        "chmod u+s ~/profile",
        "test -e /dev/kmsg",
        "ls /proc/1",
    ] {
        assert_ne!(inside(&made, 8940, forbidden).0, 0, "{forbidden}");
    }
    assert_eq!(
        made.sh("grep -lz 't0ke[n]' /proc/[0-9]*/cmdline || true"),
        "",
        "arguments are public"
    );
    made.sh(&format!("systemctl start {refresh}; grep -qx -- '--port 8940' /home/alice/refreshed"));
}

/// A roster of somebody who is not there yet.
const ROSTER: &str = "umask 022; mkdir -p /etc/terminal-lobby
    echo 'users:
  dora: {authentik_user: dora@example.org, k8s_user: dora, tier: namespace-owner, namespaces: [dora]}
  alice: {authentik_user: alice@example.org, k8s_user: alice, tier: power-user}
  bob: {authentik_user: bob@example.org, k8s_user: bob, tier: power-user}
  carol: {authentik_user: carol@example.org, k8s_user: carol, tier: power-user}' \
        >/etc/terminal-lobby/roster.yaml";

#[test]
fn provisioning_is_armed_by_a_person_fires_nothing_and_works_in_its_unit() {
    let test =
        "boot::services::provisioning_is_armed_by_a_person_fires_nothing_and_works_in_its_unit";
    let Some(made) = host(test) else { return };
    let ran = || made.property("provision.service", "ExecMainStartTimestampMonotonic");
    // The package does not arm it, and without a roster there is nothing to do.
    assert_eq!(made.property("provision.timer", "UnitFileState"), "disabled");
    assert_eq!(made.property("provision.timer", "ActiveState"), "inactive");
    made.sh("systemctl start provision.service");
    assert_eq!(
        (ran().as_str(), made.property("provision.service", "Result").as_str()),
        ("0", "success")
    );

    made.sh(ROSTER);
    made.sh("install -d /var/lib/systemd/timers
        touch -d '3 days ago' /var/lib/systemd/timers/stamp-provision.timer
        systemctl enable --now provision.timer");
    assert_eq!(made.property("provision.timer", "ActiveState"), "active");
    assert_ne!(made.property("provision.timer", "NextElapseUSecRealtime"), "");
    made.reboot();
    assert_eq!(made.property("provision.timer", "ActiveState"), "active");
    assert_eq!(ran(), "0", "armed, not fired");

    // The real program, as closed as its unit has it.
    made.try_sh("root", "systemctl start provision.service");
    let told = made.journal("-t provision");
    assert_ne!(ran(), "0");
    let home = "stat -c '%U %a' /home/dora; getent passwd dora | cut -d: -f6-";
    assert_eq!(made.sh(home), "dora 700\n/home/dora:/bin/bash\n", "{told}");
    made.sh("test -e /home/dora/.bashrc; grep -q '^T3_PORT=' /etc/t3-serve/dora.env");
    assert_eq!(made.property("t3-serve@dora.service", "UnitFileState"), "enabled", "{told}");
    assert_eq!(made.property("t3-serve@dora.service", "ActiveState"), "active", "{told}");
    assert_eq!(made.property(T3, "ActiveState"), "active", "{told}");
    let group =
        made.sh("grep ^0:: /proc/$(systemctl show -P MainPID t3-serve@dora.service)/cgroup");
    assert!(group.starts_with("0::/user.slice/user-"), "not the provisioner's: {group}");
}
