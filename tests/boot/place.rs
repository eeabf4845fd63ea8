//! Where restored processes live: in a session of their user's, with what a login has (lesson 22).

use super::{agent_runs, panes, snapshots, work_as};
use crate::support::{BootBox, On, wait_until};
use std::collections::BTreeSet;

/// Alice's session.
const UNIT: &str = "tmux-persist-session@1000.service";

/// What a shell of the user's has, a line each.
const HAS: &str = "id; id -u -n; umask; ulimit -S -n; ulimit -H -n; cat /proc/self/loginuid; echo
    env | grep -E '^(LANG|HOME|SHELL|USER|LOGNAME|PATH|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS|GREETING)=' | sort
    grep -E '^(NoNewPrivs|Seccomp|CapBnd):' /proc/self/status
    env | grep -cE '^(NOTIFY_SOCKET|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_EXEC_PID|MAINPID)=' || true";

#[test]
fn lesson_22_a_restored_pane_has_what_a_login_has() {
    let Some(made) = BootBox::booted("boot::place::a_restored_pane_has_what_a_login_has", On::Host)
    else {
        return;
    };
    made.sh("echo GREETING=hello >>/etc/environment
        mkdir -p /etc/systemd/system/user-1000.slice.d
        printf '[Slice]\\nMemoryMax=300M\\nTasksMax=333\\n' >/etc/systemd/system/user-1000.slice.d/limits.conf");
    work_as(&made, "alice");
    made.reboot();
    let script = format!("#!/bin/sh\n({HAS}) >/tmp/restored 2>&1; mv /tmp/restored /tmp/done\n");
    made.sh(&format!("cat >/tmp/has <<'END'\n{script}END\nchmod 755 /tmp/has"));
    made.without_login(
        "alice",
        "tmux send-keys -t =web:0.0 /tmp/has Enter; until [ -e /tmp/done ]; do sleep 0.02; done",
    );
    let restored = made.sh("cat /tmp/done");
    let login = made.sh_as("alice", &format!("({HAS}) 2>&1"));
    let without = |text: &str, what: &[&str]| {
        let kept = text.lines().filter(|line| !what.iter().any(|w| line.starts_with(w)));
        kept.map(str::to_owned).collect::<Vec<_>>()
    };
    // The test's own way to log in is a unit, and so has what a unit has.
    let units = ["0", "1", "2", "3", "4", "PATH="];
    assert_eq!(without(&restored, &units), without(&login, &units));
    assert!(restored.contains("GREETING=hello") && restored.contains("LANG=C.UTF-8"), "{restored}");
    assert!(restored.contains("devs") && restored.contains("XDG_RUNTIME_DIR=/run/user/1000"));
    assert!(restored.contains("\n4096\n") && restored.contains("0022\n"), "{restored}");
    assert!(restored.contains("NoNewPrivs:\t0"), "{restored}");
    assert!(restored.ends_with("\n0\n"), "a variable of the unit's leaked: {restored}");
    assert!(restored.lines().any(|line| line == "1000"), "loginuid: {restored}");

    made.without_login(
        "alice",
        "tmux send-keys -t =web:0.0 'sudo -n id -u >/tmp/sudo' Enter
        until [ -s /tmp/sudo ]; do sleep 0.02; done; grep -qx 0 /tmp/sudo",
    );
    let server = made.server("alice").unwrap();
    let pids = made.panes("alice", "#{pane_pid}").join(" ");
    for pid in std::iter::once(server.to_string()).chain(pids.split(' ').map(str::to_owned)) {
        let group = made.sh(&format!("grep '^0::' /proc/{pid}/cgroup"));
        assert!(group.trim().starts_with("0::/user.slice/user-1000.slice/session-"), "{group}");
        assert!(
            group.trim().split_once(".scope").is_some_and(|(_, rest)| rest.is_empty()),
            "{group}"
        );
    }
    assert_eq!(made.property("user-1000.slice", "TasksMax"), "333");
    assert_eq!(made.property("user-1000.slice", "MemoryMax"), "314572800");
    assert_eq!(made.property("user@1000.service", "ActiveState"), "active");
}

#[test]
fn sessions_are_added_to_a_server_that_the_user_started_first() {
    let Some(made) = BootBox::booted(
        "boot::place::sessions_are_added_to_a_server_that_the_user_started_first",
        On::Host,
    ) else {
        return;
    };
    work_as(&made, "bob");
    let before = panes(&made, "bob");
    // The restore waits for bob, as if it were late.
    made.crash_after("printf '%s\\n' '[Unit]' 'Before=tmux-persist-restore.service' \
        'After=systemd-user-sessions.service systemd-logind.service dbus.service' '[Service]' \
        Type=oneshot User=bob PAMName=login \
        'ExecStart=tmux new-session -d -s early -x 120 -y 40' KillMode=control-group '[Install]' \
        WantedBy=multi-user.target >/etc/systemd/system/early.service; systemctl enable early.service");
    made.boot();
    let now = panes(&made, "bob");
    assert!(before.iter().all(|pane| now.contains(pane)), "{now:?}");
    assert!(now.iter().any(|pane| pane.starts_with("early ")), "{now:?}");
    assert_eq!(made.property("tmux-persist-session@1001.service", "ActiveState"), "active");
}

#[test]
fn what_root_restores_by_hand_lives_in_a_session_of_the_users_own() {
    let Some(made) = BootBox::booted(
        "boot::place::what_root_restores_by_hand_lives_in_a_session_of_the_users_own",
        On::Host,
    ) else {
        return;
    };
    work_as(&made, "alice");
    let before = panes(&made, "alice");
    made.sh("systemctl start tmux-persist-save.service");
    made.without_login("alice", "tmux kill-server");
    wait_until("the server is gone", || made.server("alice").is_none());
    made.sh("persist restore --user alice");
    assert_eq!(panes(&made, "alice"), before);
    let group = made.sh(&format!("grep ^0:: /proc/{}/cgroup", made.server("alice").unwrap()));
    assert!(group.starts_with("0::/user.slice/user-1000.slice/session-"), "{group}");
    assert_eq!(made.property("tmux-persist-session@1000.service", "ActiveState"), "active");

    // Again, into the server that is there.
    made.without_login("alice", "tmux kill-session -t =web:");
    made.sh("persist restore --user alice");
    assert_eq!(panes(&made, "alice"), before);
}

/// Once a server that this started lived in the login of whoever called it.
#[test]
fn a_part_that_root_restores_by_hand_lives_in_a_session_of_the_users_own_too() {
    let Some(made) = BootBox::booted(
        "boot::place::a_part_that_root_restores_by_hand_lives_in_a_session_of_the_users_own_too",
        On::Host,
    ) else {
        return;
    };
    work_as(&made, "alice");
    let before = panes(&made, "alice");
    made.sh("systemctl start tmux-persist-save.service");
    let id = snapshots(&made, "alice").pop().unwrap().replace(".tsv", "");
    let sessions = || {
        let all = panes(&made, "alice");
        all.iter().map(|pane| pane.split(' ').next().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let end = || {
        made.without_login("alice", "tmux kill-server");
        wait_until("the keeper is gone", || made.property(UNIT, "ActiveState") == "inactive");
    };
    let lives_in_own_session = || {
        let group = made.sh(&format!("grep ^0:: /proc/{}/cgroup", made.server("alice").unwrap()));
        assert!(group.starts_with("0::/user.slice/user-1000.slice/session-"), "{group}");
        assert_eq!(made.property(UNIT, "ActiveState"), "active");
    };
    made.without_login("alice", "tmux kill-server");
    wait_until("the server is gone", || made.server("alice").is_none());

    // A mistake starts nothing, and is no failure of the unit's.
    let wrong = made.try_sh("root", "persist restore --user alice no-such-session");
    assert_eq!(wrong.code, 2, "{}", wrong.err());
    assert!(wrong.err().contains("no session 'no-such-session'"), "{}", wrong.err());
    assert_eq!(
        (made.server("alice"), made.property(UNIT, "ActiveState")),
        (None, "inactive".into())
    );

    // By name: that one alone, and what root reads is what was done.
    let said = made.sh("persist restore --user alice web");
    assert!(said.contains("web") && said.contains("restored"), "{said}");
    assert_eq!(sessions(), BTreeSet::from(["web".to_owned()]));
    lives_in_own_session();
    // Into the server that is there.
    made.sh("persist restore --user alice --mode lazy 'zürich 2'");
    assert_eq!(sessions().len(), 2);
    end();

    // From a snapshot, and in another mode: the agent waits.
    made.sh(&format!("persist restore --user alice --from {id} --mode lazy"));
    assert_eq!(panes(&made, "alice"), before);
    lives_in_own_session();
    assert!(!agent_runs(&made, "alice"), "lazy");
    end();

    // The unit by itself is not asked what somebody was asked before, and restores everything.
    made.sh(&format!("systemctl start {UNIT}"));
    assert_eq!(panes(&made, "alice"), before);
    end();

    // Where the unit may not be started nothing lands in root's login, and nothing is lost.
    made.sh("systemctl mask tmux-persist-session@.service; systemctl daemon-reload");
    let masked = made.try_sh("root", "persist restore --user alice web");
    assert_eq!(masked.code, 1, "{}", masked.err());
    assert!(masked.err().contains("as the user: persist restore"), "{}", masked.err());
    assert_eq!(made.server("alice"), None);
    made.sh_as("alice", "persist restore");
    assert_eq!(panes(&made, "alice"), before);
}
