//! Each user who was saved has a watch: from the boot on, and after a first save.

use super::{agent_runs, only_the_units_save, work_as};
use crate::support::{BootBox, On, wait_until};

const WATCH: &str = "tmux-persist-watch@1000.service";

#[test]
fn a_watch_runs_after_a_first_save_and_from_the_next_boot_on_and_brings_a_killed_server_back() {
    let Some(made) = BootBox::booted(
        "boot::watching::a_watch_runs_after_a_first_save_and_from_the_next_boot_on_and_brings_a_killed_server_back",
        On::Host,
    ) else {
        return;
    };
    only_the_units_save(&made);
    assert_eq!(made.sh("id -u alice"), "1000\n");
    work_as(&made, "alice");
    assert_eq!(made.property(WATCH, "ActiveState"), "inactive", "nothing was saved yet");
    made.sh("systemctl start tmux-persist-save.service");
    wait_until("the watch runs", || made.property(WATCH, "ActiveState") == "active");
    // One that an administrator masked stays off, and one that was stopped starts again.
    made.sh(&format!("systemctl mask --now {WATCH}; systemctl start tmux-persist-save.service"));
    assert_eq!(made.property(WATCH, "ActiveState"), "inactive");
    made.sh(&format!("systemctl unmask {WATCH}; systemctl start tmux-persist-save.service"));
    wait_until("the watch runs", || made.property(WATCH, "ActiveState") == "active");
    made.reboot();
    wait_until("the watch runs", || made.property(WATCH, "ActiveState") == "active");
    wait_until("the agent is back", || agent_runs(&made, "alice"));
    let user = made.sh(&format!("ps -o user= -p $(systemctl show -P MainPID {WATCH})"));
    assert_eq!(user.trim(), "alice");
    let server = made.server("alice").unwrap();
    let list = "grep -c '^agent' /var/lib/tmux-persist/alice/watched.tsv || true";
    wait_until("the agent is watched", || made.sh(list) == "1\n");
    made.sh(&format!("kill -9 {server}"));
    wait_until("another server runs", || made.server("alice").is_some_and(|new| new != server));
    wait_until("the agent is back", || agent_runs(&made, "alice"));
    let server = made.server("alice").unwrap();
    let group = made.sh(&format!("cat /proc/{server}/cgroup"));
    assert!(group.contains("/user.slice/user-1000.slice/session-"), "{group}");
    wait_until("the watch runs again", || made.property(WATCH, "ActiveState") == "active");
    let returns =
        "persist events --user alice --kind restored --json | grep -c '\"restored\"' || true";
    wait_until("the return is recorded", || made.sh(returns) == "1\n");
    // What a shutdown ends is not brought back, and nothing fails.
    made.poweroff();
    made.boot();
    wait_until("the agent is back", || agent_runs(&made, "alice"));
    assert_eq!(made.sh(returns), "1\n");
    assert_eq!(made.sh("systemctl list-units --failed --plain --no-legend"), "");
}
