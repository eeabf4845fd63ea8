//! What systemd says of the units.

use crate::support::{BootBox, On};
use std::fmt::Write;

/// The exposure that each may have at most, in tenths (`systemd-analyze security`). Only the one
/// whose processes are the user's is open, on purpose.
const EXPOSURE: [(&str, u32); 21] = [
    ("tmux-persist-save.service", 22),
    ("tmux-persist-shutdown.service", 22),
    ("tmux-persist-restore.service", 15),
    ("tmux-persist-announce.service", 15),
    ("tmux-persist-sockets.service", 15),
    ("tmux-persist-failed@x.service", 12),
    ("tmux-persist-watch@1000.service", 22),
    ("tmux-persist-session@1000.service", 92),
    ("provision.service", 40),
    ("provision-membership.service", 35),
    ("provision-backup.service", 32),
    ("provision-backup-verify.service", 32),
    ("t3-backup.service", 30),
    ("t3-serve@alice.service", 92),
    ("t3-mint.service", 40),
    ("t3-watchdog.service", 19),
    ("t3-restart@alice.service", 40),
    ("playwright-mcp@alice.service", 29),
    ("playwright-snapshot-refresh@alice.service", 20),
    ("lobby.service", 19),
    ("lobby-agent@alice.service", 92),
];

#[test]
fn every_unit_is_sound_documented_and_as_closed_as_it_can_be() {
    let Some(made) = BootBox::booted(
        "boot::units::every_unit_is_sound_documented_and_as_closed_as_it_can_be",
        On::Host,
    ) else {
        return;
    };
    // What a site's services are, the site has.
    let said = made.try_sh(
        "root",
        "cd /usr/local/bin; for program in t3 playwright-mcp playwright-snapshot-refresh; do
            ln -s /bin/true $program
        done
        cd /lib/systemd/system; systemd-analyze verify --man=no tmux-persist-*.service \
            tmux-persist-*.timer provision.* provision-membership.* provision-backup* provision-codex-login.* t3-* playwright-* lobby*",
    );
    assert_eq!((said.code, said.out() + &said.err()), (0, String::new()));
    let mut table = String::new();
    for (unit, most) in EXPOSURE {
        let last = made.sh(&format!("systemd-analyze security --no-pager {unit} | tail -n 1"));
        let number = last.split_whitespace().find_map(|word| word.parse::<f64>().ok());
        let exposure = number.unwrap_or_else(|| panic!("{last}"));
        let _ = writeln!(table, "{unit:<36} {exposure:>4}");
        assert!(exposure * 10.0 <= f64::from(most) + 0.01, "{last}");
        assert_ne!(made.property(unit, "Documentation"), "", "{unit}");
        assert!(unit.contains("failed") || made.property(unit, "OnFailure").contains("failed@"));
    }
    println!("{table}");
    for unit in
        ["tmux-persist-session@1000.service", "t3-serve@alice.service", "lobby-agent@alice.service"]
    {
        let text = made.sh(&format!("systemctl cat {unit}"));
        for directive in [
            "Protect",
            "Private",
            "RestrictN",
            "RestrictS",
            "NoNew",
            "SystemCall",
            "Capab",
            "Limit",
            "Slice=",
        ] {
            let set = text.lines().any(|line| line.starts_with(directive));
            assert!(!set, "{unit}: {directive}: it would be inherited by every shell");
        }
    }
}

#[test]
fn disabling_changes_nothing_and_masking_switches_off() {
    let Some(made) = BootBox::booted(
        "boot::units::disabling_changes_nothing_and_masking_switches_off",
        On::Host,
    ) else {
        return;
    };
    let units = [
        "tmux-persist-save.timer",
        "tmux-persist-restore.service",
        "tmux-persist-shutdown.service",
    ];
    for unit in units {
        made.try_sh("root", &format!("systemctl disable {unit}"));
    }
    made.reboot();
    for unit in units {
        assert_eq!(made.property(unit, "ActiveState"), "active", "{unit}");
        made.sh(&format!("systemctl mask {unit}"));
    }
    made.sh_as("alice", "tmux new-session -d -s a");
    made.sh("persist save --all-users");
    made.reboot();
    for unit in units {
        assert_eq!(made.property(unit, "ActiveState"), "inactive", "{unit}");
    }
    assert_eq!(made.server("alice"), None);
    // Where nobody restores a save is not held back.
    made.sh_as("alice", "tmux new-session -d -s b");
    assert!(made.sh("persist save --all-users").contains("alice: saved"));
}
