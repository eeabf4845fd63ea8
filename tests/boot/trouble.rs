//! One user's trouble at boot is that user's: it is told, it delays nobody for long, and what somebody who is
//! not back yet makes and had is in every save.

use super::{only_the_units_save, panes, snapshots, work_as};
use crate::support::boxes::USERS;
use crate::support::{BootBox, On, wait_until};

#[test]
fn a_missing_home_and_a_broken_configuration_keep_nobody_else_away() {
    let Some(made) = BootBox::booted(
        "boot::trouble::a_missing_home_and_a_broken_configuration_keep_nobody_else_away",
        On::Host,
    ) else {
        return;
    };
    for user in USERS {
        work_as(&made, user);
    }
    let before: Vec<_> = USERS.iter().map(|user| panes(&made, user)).collect();
    made.crash_after("mv /home/alice /home/away; echo kill-server >/home/bob/.tmux.conf");
    let kept: Vec<_> = [0, 1].map(|user| USERS[user]).to_vec();
    made.boot();
    assert_eq!(panes(&made, "carol"), before[2]);
    assert_eq!(panes(&made, "alice"), [""; 0]);
    assert_eq!(panes(&made, "bob"), [""; 0]);
    assert_eq!(made.property("tmux-persist-restore.service", "ActiveState"), "active");
    for uid in [1000, 1001] {
        let unit = format!("tmux-persist-session@{uid}.service");
        assert_eq!(made.property(&unit, "ActiveState"), "failed");
        wait_until("the failure is told at priority err", || {
            made.journal("-p err -t tmux-persist-failed").contains(&unit)
        });
    }
    let told = made.journal("-p err -t tmux-persist");
    assert!(told.contains("home /home/alice is missing"), "{told}");

    // With a file there one user could fill /run, and then nobody logs in.
    let files = "find /run/tmux-persist ! -type p ! -user root; ls /run/tmux-persist/pending";
    assert_eq!(made.sh(files), "1000\n1001\n1002\n");

    // What they make meanwhile is saved, and what they had stays in the newest snapshot, however it is saved.
    let seen = made.try_sh("root", "persist status");
    assert_eq!(seen.code, 1);
    assert!(seen.err().contains("alice: not restored since the host came up: 3 sessions missing"));
    made.sh("mv /home/away /home/alice; rm /home/bob/.tmux.conf");
    for user in &kept {
        made.sh_as(user, "tmux new-session -d -s meanwhile; persist save");
    }
    made.sh("systemctl start tmux-persist-save.service");
    for user in &kept {
        let rows = made.sh(&format!("grep -v '^#' /var/lib/tmux-persist/{user}.tsv | cut -f 1,5"));
        assert!(rows.contains("meanwhile\tshell"), "{user}: {rows}");
        assert_eq!(rows.matches("\tlost").count(), 4, "{user}: {rows}");
    }
    // Fixed: what the unit does, or the user.
    made.sh("systemctl start tmux-persist-session@1000.service");
    made.sh_as("bob", "persist restore");
    made.sh("systemctl start tmux-persist-save.service");
    for (user, before) in kept.iter().zip(&before) {
        let now = panes(&made, user);
        assert!(before.iter().all(|pane| now.contains(pane)), "{user}: {now:?}");
        assert!(now.iter().any(|pane| pane.starts_with("meanwhile ")), "{user}: {now:?}");
    }
    made.sh("persist status");
}

#[test]
fn a_user_who_hangs_is_bounded_and_an_expired_account_is_not_started() {
    let Some(made) = BootBox::booted(
        "boot::trouble::a_user_who_hangs_is_bounded_and_an_expired_account_is_not_started",
        On::Host,
    ) else {
        return;
    };
    for user in USERS {
        work_as(&made, user);
    }
    let before = panes(&made, "carol");
    made.sh("mkdir -p /etc/systemd/system/tmux-persist-session@.service.d
        printf '[Service]\\nTimeoutStartSec=20\\n' >/etc/systemd/system/tmux-persist-session@.service.d/t.conf");
    made.crash_after(
        "echo \"run-shell 'sleep 1000'\" >/home/alice/.tmux.conf; usermod --expiredate 1 bob",
    );
    // Up means that the restore is over; logins do not wait for that.
    std::thread::scope(|scope| {
        let boot = scope.spawn(|| made.boot());
        wait_until("carol is back", || {
            let count = "setpriv --reuid=carol --regid=carol --clear-groups --reset-env \
                tmux list-panes -a 2>/dev/null | wc -l";
            let seen = made.try_sh("root", count);
            seen.code == 0 && seen.out().trim() == before.len().to_string()
        });
        made.sh_as("carol", "test -n \"$XDG_RUNTIME_DIR\"");
        boot.join().unwrap();
    });
    let at = |unit: &str, what: &str| {
        made.property(unit, &format!("{what}TimestampMonotonic")).parse::<u64>().unwrap()
    };
    let given_up = at("tmux-persist-session@1000.service", "InactiveEnter");
    for others in ["systemd-user-sessions.service", "tmux-persist-session@1002.service"] {
        assert!(at(others, "ActiveEnter") < given_up, "{others} waited for alice");
    }
    assert!(at("tmux-persist-restore.service", "ActiveEnter") >= given_up);
    assert_eq!(panes(&made, "carol"), before);
    assert_eq!(made.property("tmux-persist-session@1000.service", "Result"), "timeout");
    assert_eq!(made.property("tmux-persist-session@1001.service", "Result"), "exit-code");
    // Nor when root asks for it.
    let asked = made.try_sh("root", "persist restore --user bob");
    assert_eq!(asked.code, 1, "{}", asked.err());
    assert_eq!(made.sh("ps -o pid=,args= -u bob || true"), "", "nothing of bob's runs");
    let watch = "tmux-persist-watch@1001.service";
    assert_ne!(made.property(watch, "Result"), "success", "his watch was not started");
    assert_eq!(made.property(watch, "ActiveState"), "inactive", "and that is no failure");
    let told = made.journal("-p err -t tmux-persist-failed");
    assert!(told.contains("session@1000") && told.contains("session@1001"), "{told}");
}

/// Once every save waited for the end of the restore, and so for whoever hangs.
#[test]
fn whoever_hangs_costs_nobody_else_a_save_even_when_the_host_goes_down() {
    let Some(made) = BootBox::booted(
        "boot::trouble::whoever_hangs_costs_nobody_else_a_save_even_when_the_host_goes_down",
        On::Host,
    ) else {
        return;
    };
    only_the_units_save(&made);
    for user in ["alice", "carol"] {
        work_as(&made, user);
    }
    let before = ["alice", "carol"].map(|user| panes(&made, user));
    made.crash_after(
        "touch /hang; echo \"if-shell 'test -e /hang' 'run-shell \\\"sleep 1000\\\"'\" >/home/alice/.tmux.conf",
    );
    let hung = std::thread::scope(|scope| {
        let boot = scope.spawn(|| made.try_boot());
        wait_until("carol is back, and marked so", || {
            let marked = "test \"$(stat -c %F,%a /run/tmux-persist/pending/1002)\" = fifo,400";
            made.try_sh("root", marked).code == 0
        });
        made.sh_as("carol", "tmux new-session -d -s tick");
        made.sh("systemctl start tmux-persist-save.service
            grep -q ^tick /var/lib/tmux-persist/carol.tsv");
        made.sh_as("carol", "tmux new-session -d -s last");
        let hung = made.property("tmux-persist-session@1000.service", "ActiveState");
        // Not poweroff(), which waits for the end of boot().
        made.sh("rm /hang; systemctl poweroff");
        boot.join().unwrap();
        hung
    });
    assert_eq!(hung, "activating", "alice hung until the host went down");
    made.boot();
    assert_eq!(panes(&made, "alice"), before[0], "nothing of hers was overwritten");
    let carol = panes(&made, "carol");
    assert!(before[1].iter().all(|pane| carol.contains(pane)), "{carol:?}");
    for session in ["tick ", "last "] {
        assert!(carol.iter().any(|pane| pane.starts_with(session)), "{session}: {carol:?}");
    }
}

#[test]
fn a_home_that_is_mounted_late_is_waited_for() {
    let Some(made) =
        BootBox::booted("boot::trouble::a_home_that_is_mounted_late_is_waited_for", On::Host)
    else {
        return;
    };
    work_as(&made, "alice");
    work_as(&made, "carol");
    let before = panes(&made, "alice");
    made.crash_after(
        "mkdir /srv/disk; printf '%s\\n' '[Unit]' DefaultDependencies=no 'After=slow.service' \
            'Requires=slow.service' '[Mount]' What=/srv/disk Where=/home/alice Type=none Options=bind \
            >/etc/systemd/system/home-alice.mount
        printf '%s\\n' '[Unit]' DefaultDependencies=no '[Service]' Type=oneshot RemainAfterExit=yes \
            'ExecStart=sh -c \"sleep 2; cp -a /home/alice/. /srv/disk; chown alice: /srv/disk\"' \
            >/etc/systemd/system/slow.service",
    );
    made.boot();
    assert_eq!(panes(&made, "alice"), before);
    assert_eq!(made.property("home-alice.mount", "ActiveState"), "active");
    let at = |unit: &str, what: &str| made.property(unit, what).parse::<u64>().unwrap();
    let mounted = at("home-alice.mount", "ActiveEnterTimestampMonotonic");
    assert!(at("tmux-persist-session@1000.service", "ExecMainStartTimestampMonotonic") >= mounted);
    let carol = at("tmux-persist-session@1002.service", "ActiveEnterTimestampMonotonic");
    assert!(carol < mounted, "carol did not wait for alice's disk");
}

/// A process of bob's from each way that he has to be early; each makes every directory that he wants
/// to keep others out of, again and again.
const SQUAT: &str = r#"cat >/usr/local/bin/squat <<'END'
#!/bin/sh
echo "$1" >>/var/tmp/squat-began
until [ -e /tmp/squat-is-over ]; do mkdir /tmp/tmux-1000 /tmp/tmux-1002 2>/dev/null; sleep 0.01; done
END
chmod 755 /usr/local/bin/squat
install -d -m 1777 /var/tmp
loginctl enable-linger bob
install -d -o bob -g bob /home/bob/.config /home/bob/.config/systemd /home/bob/.config/systemd/user \
    /home/bob/.config/systemd/user/default.target.wants
printf '%s\n' '[Unit]' DefaultDependencies=no '[Service]' 'ExecStart=/usr/local/bin/squat manager' \
    >/home/bob/.config/systemd/user/squat.service
ln -s ../squat.service /home/bob/.config/systemd/user/default.target.wants/
echo '@reboot /usr/local/bin/squat cron' | crontab -u bob -
printf '%s\n' '[Service]' User=bob 'ExecStart=/usr/local/bin/squat terminal' '[Install]' \
    WantedBy=multi-user.target >/etc/systemd/system/terminal-of-bob.service
systemctl enable terminal-of-bob.service"#;

#[test]
fn nobody_keeps_another_away_by_making_the_directory_of_that_ones_sockets() {
    let Some(made) = BootBox::booted(
        "boot::trouble::nobody_keeps_another_away_by_making_the_directory_of_that_ones_sockets",
        On::Host,
    ) else {
        return;
    };
    work_as(&made, "alice");
    let before = panes(&made, "alice");
    made.crash_after(SQUAT);
    made.boot();
    wait_until("bob has tried in every way", || {
        made.sh("sort -u /var/tmp/squat-began 2>/dev/null || true") == "cron\nmanager\nterminal\n"
    });
    let owners = "stat -c '%U %a' /tmp/tmux-1000 /tmp/tmux-1001 /tmp/tmux-1002";
    assert_eq!(made.sh(owners), "alice 700\nbob 700\ncarol 700\n");
    assert_eq!(panes(&made, "alice"), before);
    assert_eq!(made.property("tmux-persist-sockets.service", "ActiveState"), "active");
    assert_eq!(made.journal("_PID=1 | grep -i 'ordering cycle' || true"), "");

    // The attack is one: with the units off it wins, alice alone is away, and that is told.
    made.crash_after(
        "rm /var/tmp/squat-began
        systemctl mask tmux-persist-sockets.service tmux-persist-announce.service",
    );
    made.boot();
    let owners = "stat -c '%U' /tmp/tmux-1000";
    wait_until("bob has it", || made.try_sh("root", owners).out() == "bob\n");
    assert_eq!(panes(&made, "alice"), [""; 0]);
    made.sh("systemctl unmask tmux-persist-sockets.service");
    let told = made.try_sh("root", "persist boot --sockets");
    assert_eq!(told.code, 1, "{}", told.err());
    for user in ["alice", "carol"] {
        let why = format!("{user}: making directory /tmp/tmux-");
        assert!(told.err().contains(&why), "{}", told.err());
    }
    assert!(told.err().contains("exists and belongs to uid 1001"), "{}", told.err());
    let unit = "tmux-persist-sockets.service";
    assert_ne!(made.try_sh("root", &format!("systemctl start {unit}")).code, 0);
    wait_until("it is told at priority err", || {
        made.journal("-p err -t tmux-persist-failed").contains(unit)
    });
    assert_eq!(made.sh(owners), "bob\n", "root takes nothing away");
    let kept = snapshots(&made, "alice");

    // With the units on again the next boot has her back.
    made.sh("systemctl unmask tmux-persist-announce.service; sync");
    made.crash();
    made.boot();
    assert_eq!(panes(&made, "alice"), before);
    assert!(snapshots(&made, "alice").starts_with(&kept));
}

/// Cleaning takes old directories away, and then anybody could make them.
#[test]
fn an_empty_directory_of_sockets_is_not_cleaned_away() {
    let Some(made) = BootBox::booted(
        "boot::trouble::an_empty_directory_of_sockets_is_not_cleaned_away",
        On::Host,
    ) else {
        return;
    };
    made.sh("echo 'q /tmp 1777 root root 1s' >/etc/tmpfiles.d/tmp.conf
        mkdir -m 700 /tmp/other");
    wait_until("they are old enough", || {
        made.sh("systemd-tmpfiles --clean");
        made.try_sh("root", "test -e /tmp/other").code != 0
    });
    let owners = "stat -c '%U %a' /tmp/tmux-1000 /tmp/tmux-1001 /tmp/tmux-1002";
    assert_eq!(made.sh(owners), "alice 700\nbob 700\ncarol 700\n");
}
