//! `provision t3 restore` on a throw-away host.

use super::super::backup::Served;
use crate::faults::has_strace;
use crate::t3::step;

/// A service manager that knows one thing: whether the instance runs. It refuses to start what is held.
const MANAGER: &str = "#!/bin/sh
file=/run/$(basename \"$(for last; do :; done; echo \"$last\")\")
case \"$1\" in
    show) if [ -e \"$file\" ]; then state=active; else state=inactive; fi
        printf 'Id=%s\\nActiveState=%s\\nActiveEnterTimestampMonotonic=0\\n' \"${file#/run/}\" $state ;;
    stop) rm -f \"$file\" ;;
    start) user=${file#*@}; user=${user%.service}
        if [ -e \"/var/lib/t3/restoring/$user\" ]; then echo held >&2; exit 1; fi
        echo \"$(date +%s)\" >>/run/starts; touch \"$file\" ;;
esac
";

fn served(test: &str) -> Option<Served> {
    let here = Served::new(test, &["ann", "bob"])?;
    here.host.sh("mount -t tmpfs -o mode=755 tools /usr/local; mkdir -p /usr/local/sbin");
    here.host.sh(&format!(
        "cat >/usr/local/sbin/systemctl <<'END'\n{MANAGER}END\nchmod 755 /usr/local/sbin/systemctl"
    ));
    here.host.sh_as("ann", "echo old >~/.t3/userdata/settings.json");
    here.host.sh("printf '[backup]\\nanswer_seconds = 1\\n' >/etc/terminal-lobby/t3.toml");
    here.t3(&["backup"]).ok();
    here.host.sh_as("ann", "echo new >~/.t3/userdata/settings.json");
    Some(here)
}

const SYSTEMCTL: &str = "/usr/local/sbin/systemctl";
const SETTINGS: &str = "cat /home/ann/.t3/userdata/settings.json";

#[test]
fn a_users_data_come_back_and_can_be_put_aside_again() {
    let Some(here) = served("a_users_data_come_back_and_can_be_put_aside_again") else { return };
    let host = &here.host;
    let run = here.t3(&["restore", "ann"]).ok();
    assert!(
        run.out().starts_with("ann: restored 20") && run.out().contains("userdata.before-"),
        "{}",
        run.out()
    );
    assert_eq!(host.sh(SETTINGS), "old\n");
    let odd =
        "find /home/ann/.t3 -type f ! -user ann; stat -c %a /home/ann/.t3/userdata/state.sqlite";
    assert_eq!(host.sh(odd), "600\n");
    here.t3(&["restore", "ann", "--undo"]).ok();
    assert_eq!(host.sh(SETTINGS), "new\n");
    here.t3(&["restore", "ann", "--database"]).ok();
    assert_eq!(host.sh(SETTINGS), "new\n");
    assert_eq!(
        host.sh("ls /var/lib/t3/restore /var/lib/t3/restoring; ls /run/starts 2>/dev/null || :")
            .matches("ann")
            .count(),
        0
    );
    here.t3(&["restore", "ann", "--from", "20200101T000000Z-daily"]).code(1);
    here.t3(&["restore", "ann", "--from", "../x"]).code(2);
    here.t3(&["restore"]).code(2);
    // A backup that the user changed is not what was made.
    host.sh_as("ann", "cd /var/backups/t3/ann/*; sed -i s/migration_level/migration_level/ manifest.json; echo >>manifest.json");
    let run = here.t3(&["restore", "ann"]).code(1);
    assert!(run.err().contains("was changed since it was made"), "{}", run.err());
}

#[test]
fn a_restore_that_was_cut_off_keeps_the_instance_from_starting_until_it_is_finished() {
    let name = "a_restore_that_was_cut_off_keeps_the_instance_from_starting_until_it_is_finished";
    let Some(here) = served(name) else { return };
    let host = &here.host;
    // As a journal of a killed run has it: all was ready.
    host.sh_as("ann", "cd ~/.t3; cp -a userdata userdata.new-20261130T160000Z-1; echo ready >userdata.new-20261130T160000Z-1/settings.json");
    host.sh("umask 077; mkdir -p /var/lib/t3/restore /var/lib/t3/restoring; : >/var/lib/t3/restoring/ann
             echo '{\"from\":\"userdata.new-20261130T160000Z-1\",\"stamp\":\"20261130T160000Z-1\",\"ran\":true}' >/var/lib/t3/restore/ann.json");
    host.root([SYSTEMCTL, "start", "--", "t3-serve@ann.service"]).code(1);
    // It was started, and nothing listens on the port: that is an error, and the data are whole.
    let run = here.t3(&["restore", "--resume"]).code(1);
    assert!(run.err().contains("does not answer"), "{}", run.err());
    assert_eq!(host.sh(SETTINGS), "ready\n");
    assert_eq!(
        host.sh("ls /var/lib/t3/restore /var/lib/t3/restoring | grep -c ann || :").trim(),
        "0"
    );
    assert_eq!(host.sh("wc -l </run/starts").trim(), "1");
    here.t3(&["restore", "--resume"]).ok();
    // Nonsense in a journal, or a name that leads elsewhere, is refused.
    host.sh("echo '{\"from\":\"../.ssh\",\"stamp\":\"20261130T160000Z-2\",\"ran\":false}' >/var/lib/t3/restore/ann.json");
    here.t3(&["restore", "--resume", "ann"]).code(1);
    assert_eq!(host.sh(SETTINGS), "ready\n");
}

#[test]
fn a_run_of_roots_that_is_killed_at_any_step_is_finished_by_the_next() {
    let name = "a_run_of_roots_that_is_killed_at_any_step_is_finished_by_the_next";
    if !has_strace(name) {
        return;
    }
    let Some(here) = served(name) else { return };
    let host = &here.host;
    let unit = [SYSTEMCTL, "start", "--", "t3-serve@ann.service"];
    let mut points = 0;
    for call in ["renameat2", "unlinkat", "vfork,clone3,clone"] {
        for ordinal in (1..).step_by(step(2)) {
            host.root(unit).ok();
            host.sh_as("ann", "rm -rf ~/.t3/userdata.*; echo new >~/.t3/userdata/settings.json");
            let inject = format!("inject={call}:signal=KILL:when={ordinal}");
            let trace = format!("trace={call}");
            let strace = ["strace", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
            let restore = ["/opt/tl/provision", "t3", "restore", "ann"];
            if host.patient([&strace[..], &restore[..]].concat()).code != 128 + 9 {
                break;
            }
            points += 1;
            let point = format!("{call} {ordinal}");
            let begun = host.sh("ls /var/lib/t3/restore") == "ann.json\n";
            let held = host.sh("ls /var/lib/t3/restoring 2>/dev/null || :") == "ann\n";
            assert!(begun || !held, "{point}: held, and nothing would let it go");
            if held {
                host.root(["rm", "-f", "/run/t3-serve@ann.service"]).ok();
                host.root(unit).code(1);
            }
            let before = host.sh(SETTINGS);
            let resumed = here.t3(&["restore", "--resume"]);
            assert!([0, 1].contains(&resumed.code), "{point}: {}", resumed.err());
            let expected = if begun { "old\n" } else { before.as_str() };
            assert_eq!(host.sh(SETTINGS), expected, "{point}");
            let left = host.sh("ls /var/lib/t3/restore /var/lib/t3/restoring | grep ann || :");
            assert_eq!(left, "", "{point}");
            host.root(["test", "-e", "/run/t3-serve@ann.service"]).ok();
        }
    }
    assert!(points > 3, "{points}");
}
