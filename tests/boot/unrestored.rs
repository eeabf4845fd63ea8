//! A boot at which a user's sessions do not come back: nothing that is made afterwards is lost, nor what was
//! there before, and it is reported.

use super::{only_the_units_save, panes, work_as};
use crate::support::{BootBox, On};

fn names(made: &BootBox, user: &str) -> Vec<String> {
    let mut names = made.panes(user, "#{session_name}");
    names.sort();
    names.dedup();
    names
}

fn tick(made: &BootBox) {
    made.sh("systemctl start tmux-persist-save.service");
}

#[test]
fn work_made_after_a_home_came_back_too_late_survives_the_next_reboot() {
    let Some(made) = BootBox::booted(
        "boot::unrestored::work_made_after_a_home_came_back_too_late_survives_the_next_reboot",
        On::Host,
    ) else {
        return;
    };
    only_the_units_save(&made);
    work_as(&made, "alice");
    let before = panes(&made, "alice");
    made.crash_after("mv /home/alice /home/away");
    made.boot();
    made.sh("mv /home/away /home/alice");
    let seen = made.try_sh("root", "persist status; persist doctor");
    assert!(seen.err().contains("alice: not restored since the host came up: 3 sessions missing"));
    assert_eq!(seen.code, 1);
    made.sh_as("alice", "tmux new-session -d -s day1");
    for _ in 0..3 {
        tick(&made);
    }
    assert_eq!(made.try_sh("root", "persist status").code, 1, "a person must look");
    made.reboot();
    let now = panes(&made, "alice");
    assert!(now.iter().any(|pane| pane.starts_with("day1 ")), "{now:?}");
    assert!(before.iter().all(|pane| now.contains(pane)), "{now:?}");
    made.sh("persist status; persist doctor --quiet");
}

#[test]
fn a_restore_that_is_started_in_the_middle_of_a_day_holds_no_save_back() {
    let Some(made) = BootBox::booted(
        "boot::unrestored::a_restore_that_is_started_in_the_middle_of_a_day_holds_no_save_back",
        On::Host,
    ) else {
        return;
    };
    only_the_units_save(&made);
    made.sh_as("alice", "tmux new-session -d -s old");
    tick(&made);
    made.sh_as("alice", "tmux kill-server");
    made.sh("rm -rf /run/tmux-persist/pending; persist restore --user alice");
    made.sh("systemctl restart tmux-persist-restore.service");
    made.sh_as("alice", "tmux new-session -d -s day1");
    tick(&made);
    made.sh("persist status; persist doctor --quiet");
    made.reboot();
    assert_eq!(names(&made, "alice"), ["day1", "old"]);
}

#[test]
fn a_state_directory_that_is_read_only_keeps_nobody_away() {
    let Some(made) = BootBox::booted(
        "boot::unrestored::a_state_directory_that_is_read_only_keeps_nobody_away",
        On::Host,
    ) else {
        return;
    };
    work_as(&made, "alice");
    let before = panes(&made, "alice");
    made.crash_after(
        "printf '%s\\n' '[Unit]' DefaultDependencies=no 'Before=local-fs.target' '[Service]' \
            Type=oneshot 'ExecStart=mount --bind -o ro /var/lib/tmux-persist /var/lib/tmux-persist' \
            'ExecStart=mount -o remount,bind,ro /var/lib/tmux-persist' '[Install]' \
            WantedBy=local-fs.target >/etc/systemd/system/read-only.service
        systemctl enable read-only.service",
    );
    made.boot();
    assert_ne!(made.try_sh("root", "touch /var/lib/tmux-persist/x").code, 0, "it is read-only");
    assert_eq!(panes(&made, "alice"), before);
    // And the saves that fail count.
    for _ in 0..3 {
        made.try_sh("root", "systemctl start tmux-persist-save.service");
    }
    let failures = made.try_sh("root", "persist status --user alice --json").out();
    assert!(failures.contains("\"failures_since_good\":3"), "{failures}");
}

#[test]
fn nobodys_tmux_holds_up_the_host() {
    let Some(made) = BootBox::booted("boot::unrestored::nobodys_tmux_holds_up_the_host", On::Host)
    else {
        return;
    };
    made.sh_as("alice", "tmux new-session -d -s one");
    tick(&made);
    made.crash_after("echo \"run-shell 'sleep 12'\" >/home/alice/.tmux.conf");
    made.boot();
    let at =
        |unit: &str| made.property(unit, "ActiveEnterTimestampMonotonic").parse::<u64>().unwrap();
    let (host, restore) = (at("multi-user.target"), at("tmux-persist-restore.service"));
    assert!(host + 5_000_000 < restore, "multi-user.target at {host}, the restore at {restore}");
    assert_eq!(names(&made, "alice"), ["one"]);
    assert_eq!(made.journal("_PID=1 | grep -i 'ordering cycle' || true"), "");
}
