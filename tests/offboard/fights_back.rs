//! A cut while the user fights back: watches the process list, stops what it can, leaves set-id copies,
//! holds locks.

use super::{CUT, assert_cut, everything, host, offboard, processes};
use crate::support::wait_until;
use std::time::Duration;

/// Looks for its name and for the reason in all command lines, and notes each hit. Its own does not count.
const WATCHER: &str = "cd /home/ann; echo up >up; while :; do
    grep -slE 'becausereason|offboard' /proc/[0-9]*/cmdline | grep -v /self/ | grep -v \"/proc/$$/\" >hits
    [ -s hits ] && cat hits >>warned; done";

#[test]
fn the_process_list_does_not_warn_whom_a_cut_is_about() {
    let Some(host) = host("offboard::fights_back::the_process_list_does_not_warn") else { return };
    host.sh("mount -t tmpfs -o mode=755 tools /usr/local; mkdir -p /usr/local/sbin
        cat >/usr/local/sbin/usermod <<'END'
#!/bin/sh
tr '\\0' ' ' </proc/$PPID/cmdline >>/root/seen; echo >>/root/seen
exec /usr/sbin/usermod \"$@\"
END
        chmod 755 /usr/local/sbin/usermod");
    offboard(&host, ["cut", "ann", "--why", "becausereason"]).ok();
    let seen = host.sh("cat /root/seen");
    assert!(!seen.trim().is_empty(), "usermod was not called");
    for word in ["ann", "becausereason", "cut"] {
        assert!(!seen.contains(word), "{seen}");
    }
    offboard(&host, ["uncut", "ann"]).ok();
    host.start_as("ann", &["sh", "-c", WATCHER]);
    wait_until("it watches", || host.root(["test", "-e", "/home/ann/up"]).code == 0);
    host.sh(
        "printf 'ann\\nbecausereason two\\n' | /opt/tl/provision offboard cut - >/root/out 2>&1",
    );
    assert_cut(&host);
    let record = host.sh(&format!("cat {CUT}/ann.json"));
    assert!(record.contains("\"why\": \"becausereason two\""), "{record}");
    let warned = host.sh("cat /home/ann/warned 2>/dev/null || :");
    assert!(!warned.contains("becausereason"), "{warned}");
}

/// How long it took, from the start of the command, until the login was locked, and until no process was left.
struct Timed {
    locked: Duration,
    ended: Duration,
}

/// Cuts ann off, and looks on from outside meanwhile.
#[track_caller]
fn cut_timed(host: &super::Host, more: &[&str], code: i32) -> Timed {
    let uid = host.uid("ann");
    let look_on = format!(
        "now() {{ cut -d' ' -f1 /proc/uptime; }}
        : >/root/seen_last; touch /root/looks_on
        while [ -e /root/looks_on ]; do
            case $(grep '^ann:' /etc/shadow) in *::1:) [ -e /root/locked_at ] || now >/root/locked_at ;; esac
            # As they are: a process that has ended is no directory or has no memory.
            for status in /proc/[0-9]*/status; do
                if grep -qE '^Uid:.*\\b{uid}\\b' $status 2>/dev/null && grep -q '^VmSize' $status 2>/dev/null
                then now >/root/seen_last; break; fi
            done
        done"
    );
    host.sh("rm -f /root/looks_on /root/locked_at");
    let mut looker = host.root_command(["sh", "-c", &look_on]).spawn().unwrap();
    wait_until("it looks on", || host.root(["test", "-e", "/root/looks_on"]).code == 0);
    let uptime = |file: &str| {
        let text = host.sh(&format!("cut -d' ' -f1 {file}"));
        Duration::from_secs_f64(text.trim().parse().unwrap())
    };
    let begin = uptime("/proc/uptime");
    offboard(host, ["cut", "ann"].iter().chain(more)).code(code);
    host.sh("rm /root/looks_on");
    looker.wait().unwrap();
    let since = |file: &str| uptime(file).saturating_sub(begin);
    let timed = Timed { locked: since("/root/locked_at"), ended: since("/root/seen_last") };
    println!("locked after {:?}, ended after {:?}", timed.locked, timed.ended);
    timed
}

/// As many seconds; on a machine with more to do than it has processors, as many more.
fn in_proportion(seconds: u64) -> Duration {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap();
    let load: f64 = load.split(' ').next().unwrap().parse().unwrap();
    let processors = std::thread::available_parallelism().unwrap().get();
    #[allow(clippy::cast_precision_loss, reason = "a small number")]
    let times = (load / processors as f64).max(1.0);
    Duration::from_secs(seconds).mul_f64(times)
}

impl Timed {
    /// The bounds that docs/offboarding.md promises.
    #[track_caller]
    fn assert_bounds(&self) {
        assert!(self.locked < in_proportion(1), "locked after {:?}", self.locked);
        assert!(self.ended < in_proportion(5), "ended after {:?}", self.ended);
    }
}

/// Stops all that it may stop.
const STOPPER: &str =
    "while :; do for p in $(ps -e -o pid= -o euid= | awk -v u=$(id -u) '$2 == u {print $1}'); do
        [ $p = $$ ] || kill -STOP $p; done; done 2>/dev/null";

#[test]
fn one_who_stops_and_kills_all_that_it_can_is_locked_at_once_and_ended() {
    let Some(host) = host("offboard::fights_back::one_who_stops_and_kills_all_that_it_can") else {
        return;
    };
    host.sessions("ann", &["web"]);
    host.start_as("ann", &["sh", "-c", STOPPER]);
    super::wait_until_runs(&host);
    cut_timed(&host, &[], 0).assert_bounds();
    assert_cut(&host);
}

#[test]
fn one_who_stops_whatever_has_the_own_uid_faster_than_it_can_be_seen_does_not_hold_up_the_cut() {
    let name = "offboard::fights_back::one_who_stops_whatever_has_the_own_uid";
    let Some(host) = host(name) else { return };
    // kill(-1) by one who is not stopped by it: whatever takes the uid for a moment is stopped in that moment.
    let fight =
        "trap '' TERM HUP INT; echo up >/home/ann/up; while :; do kill -STOP -1; done 2>/dev/null";
    for _ in 0..3 {
        host.start_as("ann", &["sh", "-c", fight]);
    }
    wait_until("it fights", || host.root(["test", "-e", "/home/ann/up"]).code == 0);
    cut_timed(&host, &[], 0).assert_bounds();
    assert_cut(&host);
}

#[test]
fn one_who_forks_without_end_is_locked_at_once_and_ended() {
    let Some(host) = host("offboard::fights_back::one_who_forks_without_end") else { return };
    let forks = "echo up >/home/ann/up; f() { f & f & wait; }; ulimit -u 300; while :; do (f); done 2>/dev/null";
    host.start_as("ann", &["bash", "-c", forks]);
    wait_until("it forks", || processes(&host, &host.uid("ann").to_string()) > 100);
    cut_timed(&host, &[], 0).assert_bounds();
    assert_cut(&host);
}

#[test]
fn set_id_copies_that_another_user_runs_without_end_hold_up_nothing_and_are_disarmed() {
    let Some(host) = host("offboard::fights_back::set_id_copies_that_another_user_runs") else {
        return;
    };
    host.sh("mount -t tmpfs -o mode=1777 vartmp /var/tmp
        chmod 755 /home/ann");
    let uid = host.uid("ann");
    for copy in ["/var/tmp/copy", "/home/ann/copy"] {
        host.sh(&format!("cp /bin/sleep {copy}; chown {uid} {copy}; chmod 4755 {copy}"));
        for _ in 0..2 {
            let run = format!("while :; do {copy} 0.01 & {copy} 1000 & done 2>/dev/null");
            host.start_as("bob", &["bash", "-c", &format!("ulimit -u 60; {run}")]);
        }
    }
    wait_until("they run", || {
        host.sh(&format!("ps -e -o euid= | grep -c {uid} || :")).trim() != "0"
    });
    let before = host.sh("stat -c %a /var/tmp/copy");
    assert_eq!(before, "4755\n");
    cut_timed(&host, &[], 0).assert_bounds();
    assert_cut(&host);
    assert_eq!(host.sh("stat -c '%a %u' /var/tmp/copy"), format!("755 {uid}\n"));
    assert_eq!(host.sh(&format!("ps -e -o euid= | grep -c {uid} || :")), "0\n");
}

#[test]
fn set_id_programs_of_others_keep_their_bits_when_the_user_runs_them() {
    let Some(host) = host("offboard::fights_back::set_id_programs_of_others_keep_their_bits")
    else {
        return;
    };
    host.sh("mount -t tmpfs -o mode=1777 vartmp /var/tmp; cp /bin/sleep /var/tmp/roots
        cp /bin/sleep /var/tmp/bobs; chown bob /var/tmp/bobs; chmod 4755 /var/tmp/roots /var/tmp/bobs");
    for copy in ["/var/tmp/roots", "/var/tmp/bobs"] {
        host.start_as("ann", &[copy, "1000"]);
    }
    wait_until("they run", || host.sh("ps -e -o args= | grep -c '^/var/tmp/' || :").trim() == "2");
    cut_timed(&host, &[], 0).assert_bounds();
    assert_cut(&host);
    assert_eq!(host.sh("stat -c '%a %U' /var/tmp/roots /var/tmp/bobs"), "4755 root\n4755 bob\n");
}

#[test]
fn one_who_fights_back_with_all_of_it_at_once_while_the_run_lock_is_held_is_ended() {
    let Some(host) = host("offboard::fights_back::one_who_fights_back_with_all_of_it") else {
        return;
    };
    host.sh("mount -t tmpfs -o mode=1777 vartmp /var/tmp
        mkdir -p -m 755 /var/lib/terminal-lobby; touch /var/lib/terminal-lobby/lock
        flock /var/lib/terminal-lobby/lock sh -c 'touch /root/locked; while [ -e /root/locked ]; do sleep 0.1; done' \
            >/dev/null 2>&1 &");
    wait_until("it is locked", || host.root(["test", "-e", "/root/locked"]).code == 0);
    let uid = host.uid("ann");
    host.sh(&format!(
        "cp /bin/sleep /var/tmp/copy; chown {uid} /var/tmp/copy; chmod 4755 /var/tmp/copy"
    ));
    host.start_as(
        "bob",
        &["bash", "-c", "ulimit -u 60; while :; do /var/tmp/copy 0.01; done 2>/dev/null"],
    );
    host.sessions("ann", &["web"]);
    host.start_as("ann", &["sh", "-c", WATCHER]);
    host.start_as(
        "ann",
        &["bash", "-c", "f() { f & f & wait; }; ulimit -u 200; while :; do (f); done 2>/dev/null"],
    );
    wait_until("it fights", || processes(&host, &uid.to_string()) > 50);
    // Last: it stops what still begins, too.
    host.start_as("ann", &["sh", "-c", STOPPER]);
    let timed = cut_timed(&host, &["--wait", "0"], 1);
    timed.assert_bounds();
    assert_eq!(processes(&host, &uid.to_string()), 0);
    host.sh("rm /root/locked");
    wait_until("it is free", || offboard(&host, ["cut", "ann"]).code == 0);
    assert_cut(&host);
}

#[test]
fn everything_is_stopped_and_the_login_locked_before_the_last_save() {
    let Some(host) = host("offboard::fights_back::everything_is_stopped_before_the_last_save")
    else {
        return;
    };
    host.sh("printf '#!/bin/sh\\nps -e -o ruid= -o stat= >/root/states; grep ^ann: /etc/shadow >/root/shadow\\n' \
        >/opt/tl/persist.new; chmod 755 /opt/tl/persist.new; mv /opt/tl/persist.new /opt/tl/persist");
    let uid = host.uid("ann").to_string();
    host.start_as("ann", &["sh", "-c", "while :; do sleep 0.01; done"]);
    super::wait_until_runs(&host);
    offboard(&host, ["cut", "ann"]).ok();
    let states = host.sh("cat /root/states");
    let theirs: Vec<&str> =
        states.lines().map(str::trim).filter(|line| line.starts_with(&format!("{uid} "))).collect();
    assert!(!theirs.is_empty(), "{states}");
    let is_still =
        |line: &&str| line.split_whitespace().nth(1).is_some_and(|s| s.starts_with(['T', 'Z']));
    assert!(theirs.iter().all(is_still), "{theirs:?}");
    assert!(host.sh("cat /root/shadow").contains(":1:"), "the login is locked by then");
    assert_eq!(processes(&host, &uid), 0);
}

#[test]
fn a_last_save_that_hangs_holds_up_a_cut_for_a_few_seconds_only() {
    let Some(host) = host("offboard::fights_back::a_last_save_that_hangs") else { return };
    host.sh("printf '#!/bin/sh\\nexec sleep 1000\\n' >/opt/tl/persist.new; chmod 755 /opt/tl/persist.new
        mv /opt/tl/persist.new /opt/tl/persist");
    host.start_as("ann", &["sh", "-c", "while :; do sleep 0.01; done"]);
    super::wait_until_runs(&host);
    cut_timed(&host, &[], 0).assert_bounds();
    assert!(host.sh(&format!("cat {CUT}/../journal.jsonl")).contains("not saved a last time"));
    assert_cut(&host);
}

#[test]
fn the_home_is_roots_and_set_id_copies_are_listed_until_the_cut_is_undone() {
    let Some(host) = host("offboard::fights_back::the_home_is_roots_and_set_id_copies_are_listed")
    else {
        return;
    };
    let uid = host.uid("ann");
    host.sh("mount -t tmpfs -o mode=1777 vartmp /var/tmp; chmod 755 /home/ann");
    host.sh(&format!(
        "cp /bin/true /var/tmp/copy; chown {uid} /var/tmp/copy; chmod 4755 /var/tmp/copy
         cp /bin/true /var/tmp/group; chown {uid}:900 /var/tmp/group; chmod 2755 /var/tmp/group
         cp /bin/true /var/tmp/bobs; chown bob /var/tmp/bobs; chmod 4755 /var/tmp/bobs
         cp /bin/true /home/ann/own; chown {uid} /home/ann/own; chmod 4755 /home/ann/own"
    ));
    let before = everything(&host);
    let run = offboard(&host, ["cut", "ann"]).ok();
    for file in ["/var/tmp/copy (4755)", "/var/tmp/group (2755)", "/home/ann/own (4755)"] {
        assert!(run.out().contains(&format!("set-id file of ann: {file}")), "{}", run.out());
    }
    assert!(!run.out().contains("bobs"), "{}", run.out());
    assert_eq!(host.sh("stat -c '%U %a' /home/ann").trim(), "root 700");
    assert!(host.as_user("bob", ["/home/ann/own"]).code != 0, "no other user reaches it");
    offboard(&host, ["cut", "ann"]).ok();
    offboard(&host, ["uncut", "ann"]).ok();
    assert_eq!(everything(&host), before);
    assert!(host.sh("stat -c '%u %a' /home/ann").starts_with(&format!("{uid} 755")));
}

#[test]
fn a_home_that_the_cut_closed_is_archived_and_put_back_as_it_was() {
    let Some(host) = host("offboard::fights_back::a_home_that_the_cut_closed_is_archived") else {
        return;
    };
    host.sh("chmod 751 /home/ann");
    let before = everything(&host);
    offboard(&host, ["cut", "ann"]).ok();
    let json = offboard(&host, ["archive", "ann", "--json", "--to", "/root/archives"]).ok().json();
    let file = json["archive"]["file"].as_str().unwrap();
    let uid = host.uid("ann").to_string();
    let listed = host.sh(&format!("tar --numeric-owner -tvf {file} | head -1"));
    assert!(listed.starts_with("drwxr-x--x") && listed.contains(&uid), "{listed}");
    offboard(&host, ["uncut", "ann"]).ok();
    assert_eq!(everything(&host), before);
}

#[test]
fn a_run_that_holds_the_lock_does_not_hold_up_the_cut() {
    let Some(host) = host("offboard::fights_back::a_run_that_holds_the_lock") else { return };
    host.sh("mkdir -p -m 755 /var/lib/terminal-lobby; touch /var/lib/terminal-lobby/lock
        flock /var/lib/terminal-lobby/lock sh -c 'touch /root/locked; while [ -e /root/locked ]; do sleep 0.1; done' \
            >/dev/null 2>&1 &");
    wait_until("it is locked", || host.root(["test", "-e", "/root/locked"]).code == 0);
    host.start_as("ann", &["sleep", "1000"]);
    super::wait_until_runs(&host);
    let run = offboard(&host, ["cut", "ann", "--wait", "1"]).code(1);
    assert!(run.err().contains("ann is cut off first"), "{}", run.err());
    assert!(run.err().contains("waiting for another provision run"), "{}", run.err());
    assert_eq!(processes(&host, &host.uid("ann").to_string()), 0);
    assert!(host.sh("grep ^ann: /etc/shadow").ends_with("::1:\n"), "the login is locked");
    host.sh("rm /root/locked");
    wait_until("it is free", || offboard(&host, ["cut", "ann"]).code == 0);
    assert_cut(&host);
}

#[test]
fn what_a_person_must_still_do_is_printed_and_kept_on_record() {
    let Some(host) = host("offboard::fights_back::what_a_person_must_still_do") else { return };
    host.sh("mkdir -p /var/lib/terminal-lobby/applied
         echo 'users: {ann: {authentik_user: ann.x, k8s_user: ann-k, tier: power-user}}' \
             >/var/lib/terminal-lobby/applied/roster.yaml");
    let run = offboard(&host, ["cut", "ann"]).ok();
    let record = host.sh(&format!("cat {CUT}/ann.json"));
    for line in [
        "rotate the agents' shared token",
        "deactivate ann (ann.x) at the identity provider",
        "revoke keys and tokens of ann at the forge",
        "revoke the cluster access of ann-k",
    ] {
        assert!(run.out().contains(&format!("to do: {line}")), "{}", run.out());
        assert!(record.contains(line), "{record}");
    }
}
