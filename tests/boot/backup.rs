//! Backups of homes by their units, with the real restic: what the units close does not keep them from
//! their work.

use crate::support::lacks::lacks;
use crate::support::{BootBox, On};

const RESTIC: &str = "/usr/bin/restic";

#[test]
fn the_units_back_homes_up_and_verify_and_a_home_comes_back() {
    let test = "boot::backup::the_units_back_homes_up_and_verify_and_a_home_comes_back";
    if !std::path::Path::new(RESTIC).exists() {
        return lacks(test, "needs restic");
    }
    let Some(made) = BootBox::booted(test, On::Host) else { return };
    made.copy_in(RESTIC, "/usr/local/bin/restic");
    made.sh("chmod 755 /usr/local/bin/restic; mkdir -p /etc/terminal-lobby /srv/backup
        sed -i '1i [provision.backup]\\nrepositories = [\"/srv/backup/homes\"]\\n' /etc/terminal-lobby/config.toml
        (umask 077; echo secret >/etc/terminal-lobby/backup.password)
        echo 'users:
  alice: {authentik_user: alice@example.org, k8s_user: alice, tier: power-user}
  bob: {authentik_user: bob@example.org, k8s_user: bob, tier: power-user}' >/etc/terminal-lobby/roster.yaml
        provision apply --quiet || true; provision backup init");
    made.sh_as("alice", "mkdir -m 700 ~/private; echo mine >~/private/file; ln -s /etc/shadow ~/link; chmod 600 ~/private/file");
    let look = "cd /home/alice; find . -printf '%p %y %m %u %g %l %T@\\n' | sort";
    let before = made.sh(look);
    // Arming the timers starts nothing.
    made.sh("systemctl enable -q --now provision-backup.timer provision-backup-verify.timer");
    assert_eq!(made.property("provision-backup.service", "ActiveState"), "inactive");
    for unit in ["provision-backup.service", "provision-backup-verify.service"] {
        let run = made.try_sh("root", &format!("systemctl start {unit}"));
        let log = made.sh(&format!("journalctl -u {unit} --no-pager"));
        assert_eq!((run.code, made.property(unit, "Result").as_str()), (0, "success"), "{log}");
    }
    made.sh("provision backup status; rm -rf /home/alice; provision backup restore alice");
    assert_eq!(made.sh(look), before);
    assert_eq!(made.sh_as("alice", "cat ~/private/file"), "mine\n");
}
