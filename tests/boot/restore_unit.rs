//! Nothing that happens to units, managers and logins ends a restored session (lesson 22).

use super::{panes, work_as};
use crate::support::{BootBox, On, wait_until};

const UNIT: &str = "tmux-persist-restore.service";

/// The pids of the server and of the first processes of its panes.
fn pids(made: &BootBox, user: &str) -> Vec<String> {
    made.panes(user, "#{pid} #{pane_pid}")
}

#[test]
fn lesson_22_whatever_happens_to_the_restore_unit_sessions_live_on() {
    let Some(made) = BootBox::booted(
        "boot::restore_unit::whatever_happens_to_the_restore_unit_sessions_live_on",
        On::Host,
    ) else {
        return;
    };
    work_as(&made, "alice");
    made.reboot();
    let before = pids(&made, "alice");
    assert_eq!(before.len(), 4, "{before:?}");
    let steps = [
        format!("systemctl restart {UNIT}"),
        format!("systemctl stop {UNIT}; systemctl start {UNIT}"),
        format!("systemctl kill -s KILL {UNIT} || true; systemctl restart {UNIT}"),
        // It fails, and is run again.
        "mv /usr/bin/systemctl /usr/bin/systemctl.away; /usr/bin/systemctl.away restart \
         tmux-persist-restore.service || true; mv /usr/bin/systemctl.away /usr/bin/systemctl"
            .to_owned(),
        "systemctl daemon-reload; systemctl daemon-reexec".to_owned(),
        "systemctl stop tmux-persist-session@1000.service 2>/dev/null && exit 1; true".to_owned(),
        "systemctl restart tmux-persist-session@1000.service 2>/dev/null && exit 1; true"
            .to_owned(),
        "systemctl kill -s KILL tmux-persist-session@1000.service".to_owned(),
    ];
    for step in steps {
        made.sh(&step);
        assert_eq!(pids(&made, "alice"), before, "after: {step}");
    }
    assert_eq!(made.property(UNIT, "ActiveState"), "active");
}

#[test]
fn rescue_and_back_and_a_login_and_logout_leave_sessions_alone() {
    let Some(made) = BootBox::booted(
        "boot::restore_unit::rescue_and_back_and_a_login_and_logout_leave_sessions_alone",
        On::Host,
    ) else {
        return;
    };
    // Without a console sulogin would end at once, and the host come back by itself.
    made.sh("mkdir -p /etc/systemd/system/rescue.service.d
        printf '[Service]\\nStandardInput=null\\nExecStartPre=\\nExecStart=\\nExecStart=sleep 1000\\n' >/etc/systemd/system/rescue.service.d/t.conf");
    work_as(&made, "alice");
    made.reboot();
    let before = pids(&made, "alice");
    let restored = made.property(UNIT, "ExecMainStartTimestampMonotonic");
    // A login attaches to the same server, and its end ends nothing.
    for _ in 0..2 {
        let seen = made.sh_as("alice", "tmux display-message -p '#{pid}'");
        assert!(before[0].starts_with(seen.trim()), "{seen}");
    }
    wait_until("the login's session is gone", || {
        made.sh("loginctl list-sessions --no-legend | grep -c alice").trim() == "1"
    });
    assert_eq!(pids(&made, "alice"), before);
    made.sh("systemctl isolate --no-block rescue.target");
    wait_until("the rescue", || {
        made.try_sh(
            "root",
            "systemctl is-active -q rescue.target && ! systemctl is-active -q multi-user.target",
        )
        .code
            == 0
    });
    assert_eq!(pids(&made, "alice"), before);
    made.sh("systemctl isolate multi-user.target");
    assert_eq!(pids(&made, "alice"), before);
    assert_eq!(made.property("tmux-persist-save.timer", "ActiveState"), "active");
    assert_eq!(made.property("tmux-persist-shutdown.service", "ActiveState"), "active");
    assert_eq!(
        made.property(UNIT, "ExecMainStartTimestampMonotonic"),
        restored,
        "it did not run again"
    );
}

#[test]
fn with_kill_user_processes_restored_sessions_outlive_a_login() {
    let Some(made) = BootBox::booted(
        "boot::restore_unit::with_kill_user_processes_restored_sessions_outlive_a_login",
        On::Host,
    ) else {
        return;
    };
    made.sh("mkdir -p /etc/systemd/logind.conf.d
        printf '[Login]\\nKillUserProcesses=yes\\nUserStopDelaySec=1\\n' >/etc/systemd/logind.conf.d/t.conf");
    work_as(&made, "alice");
    let seen = panes(&made, "alice");
    made.reboot();
    let before = pids(&made, "alice");
    assert_eq!(panes(&made, "alice"), seen);
    made.sh_as("alice", "tmux display-message -p '#{pid}'; sleep 4321 >/dev/null 2>&1 & sleep 0.1");
    wait_until("what the login left is killed with it", || {
        made.try_sh("root", "pgrep -f -u alice 'sleep 432[1]'").code == 1
    });
    assert_eq!(pids(&made, "alice"), before);

    // The user's own end of it all is the end of the session, too.
    made.without_login("alice", "tmux kill-server");
    wait_until("the keeper has gone with the server", || {
        made.property("tmux-persist-session@1000.service", "ActiveState") == "inactive"
    });
    wait_until("the session is closed", || {
        made.try_sh("root", "loginctl list-sessions --no-legend | grep -q alice").code == 1
    });
}
