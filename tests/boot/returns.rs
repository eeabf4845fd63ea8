//! After each way in which a host can go down, everything is back without a login.

use super::{everybody_is_back, only_the_units_save, panes, snapshots, work_as};
use crate::support::boxes::USERS;
use crate::support::{BootBox, On};

#[test]
fn three_boots_in_a_row_bring_everybody_back_without_a_login() {
    let Some(made) = BootBox::booted(
        "boot::returns::three_boots_in_a_row_bring_everybody_back_without_a_login",
        On::Host,
    ) else {
        return;
    };
    only_the_units_save(&made);
    for user in USERS {
        work_as(&made, user);
    }
    // Nothing was saved yet: the save at shutdown catches what was made just now.
    made.sh_as("alice", "tmux new-session -d -s 'just made' -c /usr -x 120 -y 40");
    let before: Vec<_> = USERS.iter().map(|user| panes(&made, user)).collect();
    made.poweroff();
    made.boot();
    everybody_is_back(&made, &before);
    made.reboot();
    everybody_is_back(&made, &before);
    made.crash();
    made.boot();
    everybody_is_back(&made, &before);
    let failed = made.sh("systemctl list-units --failed --plain --no-legend");
    assert_eq!(failed, "");
}

#[test]
fn after_a_power_loss_what_was_saved_a_moment_ago_is_back_and_sound() {
    let Some(made) = BootBox::booted(
        "boot::returns::after_a_power_loss_what_was_saved_a_moment_ago_is_back_and_sound",
        On::Disk,
    ) else {
        return;
    };
    only_the_units_save(&made);
    for user in USERS {
        work_as(&made, user);
    }
    made.sh("sync"); // the homes: what agents write is theirs to sync
    made.sh("systemctl start tmux-persist-save.service");
    let before: Vec<_> = USERS.iter().map(|user| panes(&made, user)).collect();
    made.sh_as("bob", "tmux new-session -d -s unsaved; echo lost >~/not-synced");
    made.crash();
    made.boot();
    assert_eq!(
        made.sh("cat /home/bob/not-synced 2>/dev/null || echo gone"),
        "gone\n",
        "the loss is real"
    );
    everybody_is_back(&made, &before);
}

#[test]
fn a_damaged_newest_snapshot_costs_one_save_and_is_told() {
    let Some(made) = BootBox::booted(
        "boot::returns::a_damaged_newest_snapshot_costs_one_save_and_is_told",
        On::Host,
    ) else {
        return;
    };
    only_the_units_save(&made);
    for user in USERS {
        work_as(&made, user);
    }
    made.sh("systemctl start tmux-persist-save.service");
    let before: Vec<_> = USERS.iter().map(|user| panes(&made, user)).collect();
    made.sh_as("carol", "tmux new-session -d -s later -x 120 -y 40");
    made.sh("systemctl start tmux-persist-save.service");
    let newest = snapshots(&made, "carol").pop().unwrap();
    made.sh(&format!("truncate -s 0 /var/lib/tmux-persist/carol/snapshots/{newest}"));
    made.crash();
    made.boot();
    everybody_is_back(&made, &before);
    let told = made.journal("-t tmux-persist _UID=1002");
    assert!(told.contains("skipped") && told.contains(&newest), "{told}");
}
