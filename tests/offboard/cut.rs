//! The cut, and undoing it.

use super::{CUT, assert_cut, configure, everything, host, offboard, processes};
use crate::support::lacks::lacks;
use crate::support::wait_until;
use std::time::{Duration, Instant};

#[test]
fn nobody_gets_in_nothing_runs_and_all_of_it_comes_back() {
    let Some(host) = host("offboard::cut::nobody_gets_in_nothing_runs_and_all_of_it_comes_back")
    else {
        return;
    };
    let (ann, bob) = (host.uid("ann"), host.uid("bob"));
    let before = everything(&host);
    host.sh("echo ann:200000:65536 >/etc/subuid; echo bob:300000:65536 >>/etc/subuid");
    host.start_as("ann", &["sh", "-c", "trap '' TERM HUP INT; while :; do sleep 1000; done"]);
    host.start_as(
        "ann",
        &["setsid", "unshare", "--user", "--map-root-user", "--fork", "sleep", "1000"],
    );
    host.start_as("bob", &["sleep", "1000"]);
    host.sh("setpriv --reuid=200007 --clear-groups sleep 1000 >/dev/null 2>&1 &
             setpriv --reuid=300007 --clear-groups sleep 1000 >/dev/null 2>&1 &");
    // Real uid of another's, saved uid hers.
    host.sh(&format!(
        "setpriv --ruid={bob} --euid={ann} --clear-groups sleep 1000 >/dev/null 2>&1 &"
    ));
    wait_until("they run", || {
        processes(&host, &ann.to_string()) >= 4
            && processes(&host, &format!("{bob}|200007|300007")) == 4
    });
    let dry = offboard(&host, ["cut", "ann", "--dry-run"]).ok();
    assert!(dry.out().contains("would remove ann from group docker"), "{}", dry.out());
    assert_eq!(everything(&host), before, "a dry run changes nothing");

    let cut = offboard(&host, ["cut", "ann", "--why", "left", "--json"]).ok().json();
    assert_eq!(cut["stage"], "cut");
    assert_cut(&host);
    assert_eq!(processes(&host, "200007"), 0, "a subordinate uid is theirs");
    assert_eq!(processes(&host, &format!("{bob}|300007")), 2, "the others run on");
    let record = host.sh(&format!("cat {CUT}/ann.json"));
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!((&record["stage"], &record["why"]), (&"cut".into(), &"left".into()));
    assert!(!record.to_string().contains("hash"), "no hash of a password is kept");

    offboard(&host, ["cut", "ann"]).ok();
    assert_cut(&host);
    offboard(&host, ["uncut", "ann"]).ok();
    assert_eq!(everything(&host), before);
    let kept = host.sh(&format!("ls {CUT}"));
    assert!(kept.starts_with("ann.json.undone-") && kept.lines().count() == 1, "{kept}");
    let run = offboard(&host, ["uncut", "ann"]).code(3);
    assert!(run.err().contains("ann is not cut"), "{}", run.err());
}

#[test]
fn a_last_save_is_made_though_no_map_names_the_user_any_more() {
    let test = "offboard::cut::a_last_save_is_made_though_no_map_names_the_user_any_more";
    let Some(host) = host(test) else { return };
    host.sessions("ann", &["web"]);
    host.sh(": >/etc/ttyd-user-map");
    let run = offboard(&host, ["cut", "ann"]).ok();
    assert!(run.out().contains("sessions of ann: saved a last time"), "{}", run.out());
    let saved = host.sh("cat /var/lib/tmux-persist/ann.tsv");
    assert!(saved.contains("\nweb\t"), "{saved}");
    assert_cut(&host);
}

#[test]
fn a_fork_bomb_loses() {
    let Some(host) = host("offboard::cut::a_fork_bomb_loses") else { return };
    // Each of them starts another and ends, or stays: none is there for long, and all are many.
    let hop = "import os, time
while True:
    try:
        if os.fork(): os._exit(0) if os.getpid() % 3 else time.sleep(0.01)
    except OSError: pass";
    if !std::path::Path::new("/usr/bin/python3").exists() {
        lacks("offboard::cut::a_fork_bomb_loses", "python3");
        return;
    }
    host.start_as("ann", &["prlimit", "--nproc=150", "python3", "-c", hop]);
    let uid = host.uid("ann").to_string();
    wait_until("there are many", || processes(&host, &uid) > 30);
    let begin = Instant::now();
    offboard(&host, ["cut", "ann"]).ok();
    println!("the cut of a fork bomb took {:?}", begin.elapsed());
    assert_cut(&host);
    assert!(begin.elapsed() < Duration::from_secs(30));
}

#[test]
fn what_is_in_the_way_of_a_file_that_comes_back_is_not_overwritten() {
    let test = "offboard::cut::what_is_in_the_way_of_a_file_that_comes_back_is_not_overwritten";
    let Some(host) = host(test) else { return };
    offboard(&host, ["cut", "ann"]).ok();
    host.sh("echo NEW=1 >/etc/t3-serve/ann.env");
    let run = offboard(&host, ["uncut", "ann"]).ok();
    assert!(run.out().contains("/etc/t3-serve/ann.env: exists again"), "{}", run.out());
    assert_eq!(host.sh("cat /etc/t3-serve/ann.env"), "NEW=1\n");
    assert_eq!(host.sh(&format!("cat {CUT}/ann.d.undone-*/0-ann.env")), "TOKEN=x\n");
}

#[test]
fn a_login_comes_back_as_it_was_locked_open_or_empty() {
    let Some(host) = host("offboard::cut::a_login_comes_back_as_it_was_locked_open_or_empty")
    else {
        return;
    };
    for (password, expires) in [("!", ""), ("*", "20000"), ("!$y$x", "1"), ("", ""), ("$y$x", "0")]
    {
        let line = format!("ann:{password}:19000:0:99999:7::{expires}:");
        host.sh(&format!("sed -i 's|^ann:.*|{line}|' /etc/shadow"));
        offboard(&host, ["cut", "ann"]).ok();
        let cut = host.sh("grep ^ann: /etc/shadow");
        assert!(cut.starts_with("ann:!") && cut.ends_with("::1:\n"), "{cut}");
        offboard(&host, ["uncut", "ann"]).ok();
        let back = host.sh("grep ^ann: /etc/shadow");
        let fields: Vec<&str> = back.trim_end().split(':').collect();
        assert_eq!((fields[1], fields[7]), (password, expires), "{back}");
    }
}

#[test]
fn the_cluster_is_told_by_the_configured_command_and_one_that_fails_stops_nothing() {
    let test = "offboard::cut::the_cluster_is_told_by_the_configured_command";
    let Some(host) = host(test) else { return };
    host.install_bytes("cluster", b"#!/bin/sh\necho \"$@\" >>/root/told\ntest ! -e /root/fail\n");
    configure(
        &host,
        "revoke_cluster = [\"/opt/tl/cluster\", \"revoke\", \"{k8s_user}\"]\n\
         restore_cluster = [\"/opt/tl/cluster\", \"restore\", \"{k8s_user}\"]\n",
    );
    host.sh("mkdir -p /var/lib/terminal-lobby/applied; touch /root/fail
         echo 'users: {ann: {authentik_user: a, k8s_user: ann-k, tier: power-user}}' \
             >/var/lib/terminal-lobby/applied/roster.yaml");
    let run = offboard(&host, ["cut", "ann"]).code(1);
    assert!(
        run.err().contains("error: ann: revoke cluster access: /opt/tl/cluster exited with 1"),
        "{}",
        run.err()
    );
    assert_cut(&host);
    host.sh("rm /root/fail");
    offboard(&host, ["cut", "ann"]).ok();
    offboard(&host, ["cut", "ann"]).ok();
    offboard(&host, ["uncut", "ann"]).ok();
    let told = host.sh("cat /root/told");
    assert_eq!(told, "revoke ann-k\nrevoke ann-k\nrestore ann-k\n", "done is done");
}

/// Holds the lock of the account databases as a passwd(1) does that its user has stopped.
const HOLDER: &str = "import fcntl, os, sys, time
file = open('/etc/.pwd.lock', 'w')
fcntl.lockf(file, fcntl.LOCK_EX)
uid = int(sys.argv[1])
os.setresuid(uid, 0, 0)
open('/root/held', 'w').close()
time.sleep(1000)";

#[test]
fn one_who_holds_the_databases_is_locked_out_all_the_same() {
    let test = "offboard::cut::one_who_holds_the_databases_is_locked_out_all_the_same";
    let Some(host) = host(test) else { return };
    if !std::path::Path::new("/usr/bin/python3").exists() {
        lacks(test, "python3");
        return;
    }
    host.install_bytes("holder.py", HOLDER.as_bytes());
    host.sh("/usr/bin/env python3 -I /opt/tl/holder.py $(id -u ann) >/dev/null 2>&1 &");
    wait_until("it holds them", || host.root(["test", "-e", "/root/held"]).code == 0);
    let begin = Instant::now();
    host.patient(["/opt/tl/provision", "offboard", "cut", "ann"]).ok();
    assert_cut(&host);
    assert!(begin.elapsed() < Duration::from_mins(1), "{:?}", begin.elapsed());
}

/// So many that a record with a line for each was too large once.
const JOBS: usize = 70_000;

#[test]
fn somebody_with_very_many_at_jobs_is_cut_and_ends_no_later_run() {
    let test = "offboard::cut::somebody_with_very_many_at_jobs_is_cut_and_ends_no_later_run";
    let Some(host) = host(test) else { return };
    let uid = host.uid("ann");
    host.sh(&format!(
        "cd /var/spool/cron/atjobs; seq -f 'a%05.0f01c0ffee' {JOBS} | xargs touch; chown {uid} a*c0ffee"
    ));
    let begin = Instant::now();
    let run = host.patient(["/opt/tl/provision", "offboard", "cut", "ann"]).ok();
    println!("the cut of somebody with {JOBS} at jobs took {:?}", begin.elapsed());
    assert!(run.out().len() < 100_000, "{} bytes", run.out().len());
    assert_eq!(host.sh("ls /var/spool/cron/atjobs").lines().count(), 1, "bob's stays");
    // The record is read by every run.
    offboard(&host, ["cut", "ann", "--dry-run"]).ok();
    assert_eq!(host.sh(&format!("ls {CUT}/ann.d | wc -l")).trim(), (JOBS + 4).to_string());
}
