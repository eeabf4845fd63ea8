//! The enforcer, backups and restores by their units, as these are shipped.

use super::{ALICE, answers, host, version, want};
use crate::support::{BootBox, wait_until};

/// The names of alice's backups, the newest last.
fn backups(made: &BootBox) -> Vec<String> {
    let listed = made.sh("ls -A /var/backups/t3/alice 2>/dev/null || :");
    listed.lines().filter(|line| !line.starts_with('.')).map(str::to_owned).collect()
}

/// The highest migration of alice's database.
fn level(made: &BootBox) -> String {
    let sql = "import os, sqlite3; print(sqlite3.connect(os.path.expanduser(\"~/.t3/userdata/state.sqlite\")).execute(\"select max(migration_id) from effect_sql_migrations\").fetchone()[0])";
    made.sh_as("alice", &format!("python3 -c '{sql}'")).trim().to_owned()
}

#[test]
fn the_unit_of_the_enforcer_installs_tries_and_changes_a_version_and_undoes_a_bad_one() {
    let test = "boot::t3::changes::the_unit_of_the_enforcer_installs_tries_and_changes_a_version_and_undoes_a_bad_one";
    let Some(made) = host(test) else { return };
    want(&made, "0.0.34");
    made.sh("systemctl start t3-enforce.service");
    let log = made.journal("-t t3-enforce");
    assert_eq!(version(&made, 3780), "0.0.34", "{log}");
    assert_eq!(level(&made), "41");
    assert_eq!(
        made.sh("readlink /opt/t3/users/alice /opt/t3/current"),
        "../versions/0.0.34\nversions/0.0.34\n"
    );
    // The command ran as the account for it, and what it left is root's.
    assert_eq!(made.sh("cat /opt/t3/versions/0.0.34/lib/laid-by"), "t3-trial\n");
    assert_eq!(made.sh("find /opt/t3 ! -user root; ls -A /var/lib/t3-trial"), "");
    assert!(backups(&made).iter().any(|id| id.contains("before-0.0.34")), "{:?}", backups(&made));
    assert_eq!(made.property(ALICE, "ActiveState"), "active");
    // A reboot leaves the instance on its version.
    made.reboot();
    answers(&made);
    assert_eq!(version(&made, 3780), "0.0.34");
    // One whose sessions break: the trial finds it, and nothing of alice's is touched.
    let since = made.property(ALICE, "ActiveEnterTimestampMonotonic");
    made.sh("sed -i s/0.0.34/0.0.35/ /etc/terminal-lobby/t3.toml");
    let failed = made.try_sh("root", "systemctl start t3-enforce.service");
    assert_ne!(failed.code, 0);
    assert_eq!(version(&made, 3780), "0.0.34");
    assert_eq!(made.property(ALICE, "ActiveEnterTimestampMonotonic"), since);
    assert_eq!(made.sh("ls -A /var/lib/t3-trial; readlink /opt/t3/current"), "versions/0.0.34\n");
}

/// A host on which the enforcer's unit is just changing alice's instance.
fn changing(test: &str) -> Option<BootBox> {
    let made = host(test)?;
    want(&made, "0.0.34");
    // Alice's new instance is silent for a while: the run waits for it.
    made.sh_as("alice", "echo '{\"only\": \"0.0.34\", \"start_seconds\": 6}' >~/.t3/stand-in.json");
    made.sh("mkdir /etc/systemd/system/t3-enforce.service.d
        printf '[Service]\\nRestartSec=1\\n' >/etc/systemd/system/t3-enforce.service.d/soon.conf
        systemctl daemon-reload; systemctl start --no-block t3-enforce.service");
    wait_until("alice's instance is being changed", || {
        let chosen =
            made.try_sh("root", "test -e /var/lib/t3/changing && readlink /opt/t3/users/alice");
        chosen.out() == "../versions/0.0.34\n"
    });
    Some(made)
}

fn is_over(made: &BootBox) -> bool {
    made.try_sh("root", "test ! -e /var/lib/t3/changing").code == 0
}

#[test]
fn a_run_that_is_killed_is_finished_by_its_unit() {
    let test = "boot::t3::changes::a_run_that_is_killed_is_finished_by_its_unit";
    let Some(made) = changing(test) else { return };
    made.sh("systemctl kill --kill-whom=main --signal=KILL t3-enforce.service");
    wait_until("the unit has finished it", || is_over(&made) && version(&made, 3780) == "0.0.34");
    assert_eq!(level(&made), "41");
    assert_eq!(made.sh("readlink /opt/t3/current"), "versions/0.0.34\n");
}

#[test]
fn a_change_in_which_the_host_went_down_is_over_after_the_boot() {
    let test = "boot::t3::changes::a_change_in_which_the_host_went_down_is_over_after_the_boot";
    let Some(made) = changing(test) else { return };
    made.crash();
    made.boot();
    wait_until("the change is over", || is_over(&made));
    answers(&made);
    let (now, level) = (version(&made, 3780), level(&made));
    assert!(
        [("0.0.26", "32"), ("0.0.34", "41")].contains(&(now.as_str(), level.as_str())),
        "version {now} with data of level {level}"
    );
}

#[test]
fn the_units_back_up_and_finish_a_restore_that_a_crash_interrupted() {
    let test = "boot::t3::changes::the_units_back_up_and_finish_a_restore_that_a_crash_interrupted";
    let Some(made) = host(test) else { return };
    made.sh_as("alice", "echo '{\"mine\": 1}' >~/.t3/userdata/settings.json");
    made.sh("systemctl start t3-backup.service");
    assert_eq!(made.property("t3-backup.service", "Result"), "success");
    let kept = backups(&made);
    assert!(kept.len() == 1 && kept[0].ends_with("-daily"), "{kept:?}");
    let modes = made.sh(
        "cd /var/backups/t3/alice; stat -c '%U %a' . * */manifest.json */userdata/state.sqlite",
    );
    assert_eq!(modes, "alice 700\nalice 700\nalice 600\nalice 600\n");
    assert!(!made.sh("ls -A /var/backups/t3").contains("carol"));
    made.sh_as("alice", "echo '{\"mine\": 2}' >~/.t3/userdata/settings.json");
    // What a host that goes down during the exchange leaves: the record, the hold, and data made ready.
    let settings = || made.sh_as("alice", "cat ~/.t3/userdata/settings.json");
    made.sh("cat >/tmp/kill <<'END'
exec 2>/dev/null
while :; do [ -e /var/lib/t3/restoring/alice ] && pkill -KILL -f '^/usr/bin/provision t3 restore' && exit; done
END
        sh /tmp/kill & provision t3 restore alice || :
        kill $! 2>/dev/null || :");
    let held = made.try_sh("root", "test -e /var/lib/t3/restore/alice.json").code == 0;
    made.crash();
    made.boot();
    wait_until("the restore is finished", || {
        made.try_sh("root", "test ! -e /var/lib/t3/restore/alice.json").code == 0
    });
    answers(&made);
    assert_eq!(settings(), "{\"mine\": 1}\n", "held: {held}");
    let log = made.journal("-t t3-restore");
    assert!(!held || log.contains("alice"), "{log}");
    // And back.
    made.sh("provision t3 restore alice --undo");
    assert_eq!(settings(), "{\"mine\": 2}\n");
    answers(&made);
}
