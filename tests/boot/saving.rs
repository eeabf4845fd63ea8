//! The timer, and what the save unit sees.

use super::work_as;
use crate::support::boxes::USERS;
use crate::support::{BootBox, On, wait_until};

const SAVE: &str = "tmux-persist-save.service";
const FASTER: &str = "mkdir -p /etc/systemd/system/tmux-persist-save.timer.d
    printf '[Timer]\\nOnActiveSec=\\nOnActiveSec=1\\nOnUnitActiveSec=1\\nAccuracySec=100ms\\n' \
        >/etc/systemd/system/tmux-persist-save.timer.d/faster.conf
    systemctl daemon-reload; systemctl restart tmux-persist-save.timer";

#[test]
fn the_timer_fires_again_and_again_whoever_hangs() {
    let Some(made) =
        BootBox::booted("boot::saving::the_timer_fires_again_and_again_whoever_hangs", On::Host)
    else {
        return;
    };
    made.sh("sed -i '1i tmux_deadline_seconds = 0.5' /etc/terminal-lobby/config.toml");
    work_as(&made, "alice");
    work_as(&made, "bob");
    made.sh(FASTER);
    let saved = |user: &str, session: &str| {
        let script = format!("grep -qs '^{session}' /var/lib/tmux-persist/{user}.tsv");
        made.try_sh("root", &script).code == 0
    };
    wait_until("the timer saved", || saved("alice", "web"));
    // Whatever zone the host is in.
    made.sh("ln -sf /usr/share/zoneinfo/Asia/Tokyo /etc/localtime");
    let seen = made.try_sh("root", "persist doctor | grep save.timer").out();
    assert!(seen.contains("armed; last fired"), "{seen}");
    let server = made.server("alice").unwrap();
    made.sh(&format!("kill -STOP {server}"));
    for round in ["one", "two", "three"] {
        made.sh_as("bob", &format!("tmux new-session -d -s {round}"));
        wait_until("bob is saved beside alice, who hangs", || saved("bob", round));
    }
    let told = made.journal("-t tmux-persist -p warning");
    assert!(told.contains("alice: ") && !told.contains("bob: "), "{told}");
    made.sh(&format!("kill -CONT {server}"));
    made.sh_as("alice", "tmux new-session -d -s after");
    wait_until("alice is saved again", || saved("alice", "after"));
}

/// Lesson 27: `enable --now` on a persistent timer ran the missed job at once.
#[test]
fn lesson_27_arming_the_timer_never_fires_it() {
    let Some(made) = BootBox::booted("boot::saving::arming_the_timer_never_fires_it", On::Host)
    else {
        return;
    };
    // As if it had run long ago, and the host up for long.
    made.sh("mkdir -p /var/lib/systemd/timers
        touch -d '3 hours ago' /var/lib/systemd/timers/stamp-tmux-persist-save.timer");
    for arm in ["restart", "stop", "start", "enable --now", "reenable --now"] {
        made.try_sh("root", &format!("systemctl {arm} tmux-persist-save.timer"));
    }
    made.sh(
        "systemctl daemon-reload; systemctl daemon-reexec; systemctl start tmux-persist-save.timer",
    );
    assert_eq!(made.property("tmux-persist-save.timer", "ActiveState"), "active");
    assert_eq!(made.property(SAVE, "ExecMainStartTimestampMonotonic"), "0", "it has run");
    let timers = made.sh("systemctl show -P TimersMonotonic tmux-persist-save.timer");
    let next = made.sh("systemctl show -P NextElapseUSecMonotonic tmux-persist-save.timer");
    assert!(
        timers.contains("OnUnitActiveUSec=5min") && timers.contains("OnActiveUSec=5min"),
        "{timers}"
    );
    let minutes = made.sh(
        "t=$(systemctl list-timers --no-legend -o json 2>/dev/null | grep -o '\"left\":[0-9]*' | head -1)
        systemctl list-timers tmux-persist-save.timer --no-legend | grep -o '[0-9]*min'",
    );
    assert!(["4min", "5min"].iter().any(|m| minutes.contains(m)), "{next} {minutes}");
}

/// Lesson 24: with `PrivateTmp=yes` a watcher saw no session, and ended with 0.
#[test]
fn lesson_24_the_hardened_units_see_every_session() {
    let Some(made) =
        BootBox::booted("boot::saving::the_hardened_units_see_every_session", On::Host)
    else {
        return;
    };
    for user in USERS {
        work_as(&made, user);
    }
    // A new directory, as for a new user: the units may give it away.
    made.sh("rm -rf /var/lib/tmux-persist/*");
    let seen = |how: &str| {
        made.sh("rm -rf /var/lib/tmux-persist/*");
        made.sh(how);
        let rows = made.sh("for user in alice bob carol; do
                grep -v '^#' /var/lib/tmux-persist/$user.tsv 2>/dev/null | cut -f 1-5 || true
            done");
        rows.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let unhardened = seen("persist save --all-users");
    assert_eq!(unhardened.len(), 12, "{unhardened:?}");
    assert!(unhardened.iter().any(|row| row.contains("zürich")), "{unhardened:?}");
    assert_eq!(seen(&format!("systemctl start {SAVE}")), unhardened);
    assert_eq!(seen("systemctl stop tmux-persist-shutdown.service"), unhardened);
    // That this test would notice.
    made.sh("mkdir -p /etc/systemd/system/tmux-persist-save.service.d
        printf '[Service]\\nPrivateTmp=yes\\n' >/etc/systemd/system/tmux-persist-save.service.d/t.conf
        systemctl daemon-reload");
    assert_eq!(seen(&format!("systemctl start {SAVE}")), [""; 0]);
}

/// What docs/operations.md has for metrics, word for word.
#[test]
fn metrics_are_written_after_each_save_as_documented_also_when_one_fails() {
    let Some(made) = BootBox::booted(
        "boot::saving::metrics_are_written_after_each_save_as_documented_also_when_one_fails",
        On::Host,
    ) else {
        return;
    };
    let told = include_str!("../../docs/operations.md");
    let edit = format!("    systemctl edit {SAVE}\n");
    let (_, after) = told.split_once(&edit).unwrap();
    let lines = after.lines().take_while(|line| line.starts_with("        "));
    let drop_in = lines.map(str::trim).collect::<Vec<_>>().join("\n");
    made.sh(&format!(
        "mkdir -p /var/lib/prometheus/node-exporter /etc/systemd/system/{SAVE}.d
        cat >/etc/systemd/system/{SAVE}.d/metrics.conf <<'END'\n{drop_in}\nEND
        systemctl daemon-reload"
    ));
    made.sh_as("alice", "tmux new-session -d -s web");
    made.sh(&format!("systemctl start {SAVE}"));
    let metrics = || made.sh("cat /var/lib/prometheus/node-exporter/tmux-persist.prom");
    let sessions = |n: u32| {
        let of_alice = format!("tmux_persist_panes{{user=\"alice\",state=\"shell\"}} {n}");
        metrics().lines().any(|line| line == of_alice)
    };
    assert!(sessions(1), "{}", metrics());
    made.sh("echo nobody@example.org=gone >>/etc/ttyd-user-map");
    made.sh_as("alice", "tmux new-session -d -s two");
    assert_ne!(made.try_sh("root", &format!("systemctl start {SAVE}")).code, 0);
    assert!(sessions(2), "{}", metrics());
}
