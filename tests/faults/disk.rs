//! Disks that are really full or read-only, in a mount namespace of their own; and directories
//! that their owner may not write.

use super::points::argv;
use super::state::{Prepared, prepared};
use crate::support::host::{Host, STATE};
use crate::support::lacks::lacks;
use crate::support::run;
use serde_json::Value;
use std::process::Command;

/// What was seen of a save that failed, and of one after the disk was mended.
struct Outcome {
    save: Value,
    error: String,
    list: Value,
    left: String,
    again: Value,
}

/// Runs a save in a state directory that `damage` has spoiled, and another after `mend`.
fn spoiled(test: &str, prepared: &Prepared, damage: &str, mend: &str) -> Option<Outcome> {
    let mountable = Command::new("unshare").args(["--mount", "true"]).output();
    if !nix::unistd::geteuid().is_root() || !mountable.is_ok_and(|o| o.status.success()) {
        lacks(test, "needs root and mount namespaces");
        return None;
    }
    let sandbox = &prepared.sandbox;
    let (state, out) = (prepared.old.copy(sandbox, "spoiled"), sandbox.root().join("out"));
    let _ = std::fs::remove_dir_all(&out);
    std::fs::create_dir(&out).unwrap();
    let script = format!(
        "state=$1 out=$2 old=$3; shift 3\n\
         {damage}\n\
         code=0; \"$@\" save --json >$out/save 2>$out/error || code=$?; [ $code = 1 ]\n\
         \"$@\" list --json >$out/list\n\
         find $state -name '.new-*' >$out/left\n\
         {mend}\n\
         \"$@\" save --json >$out/again\n"
    );
    let mut command = sandbox.command("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-euc", &script, "sh"]);
    command.arg(&state.0).arg(&out).arg(&prepared.old.0).arg(env!("CARGO_BIN_EXE_persist"));
    command.args(&argv(sandbox, &[], &state.0)[1..]);
    run(&mut command).ok();
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let json = |name: &str| serde_json::from_str::<Value>(&read(name)).unwrap();
    Some(Outcome {
        save: json("save")["users"][0].clone(),
        error: read("error"),
        list: json("list"),
        left: read("left"),
        again: json("again")["users"][0].clone(),
    })
}

/// One clear error with the path, nothing half-written, the old snapshot still the newest, and
/// all is well once the disk is.
#[track_caller]
fn failed_cleanly(outcome: Option<Outcome>, why: &str) {
    let Some(outcome) = outcome else { return };
    let said = outcome.save["error"].as_str().unwrap();
    assert!(said.contains("/spoiled") && said.contains(why), "{said}");
    assert_eq!(outcome.error.lines().count(), 1, "{}", outcome.error);
    let listed = outcome.list["snapshots"].as_array().unwrap();
    assert_eq!(listed.len(), 1, "{}", outcome.list);
    assert_eq!((&listed[0]["sound"], &listed[0]["newest"]), (&true.into(), &true.into()));
    assert_eq!(outcome.left, "");
    assert_eq!(outcome.again["result"], "saved", "{}", outcome.again);
}

const TMPFS: &str = "mount -t tmpfs -o size=256k,nr_inodes=40,mode=700 none $state; \
    cp -a $old/. $state;";

#[test]
fn a_save_on_a_full_disk_fails_cleanly() {
    let fill = format!("{TMPFS} cat /dev/zero >$state/fill 2>/dev/null || :");
    let name = "a_save_on_a_full_disk_fails_cleanly";
    failed_cleanly(spoiled(name, &prepared(), &fill, "rm $state/fill"), "No space left");
}

#[test]
fn a_save_that_fills_the_disk_half_way_fails_cleanly() {
    let prepared = prepared();
    // More than the one page that is left.
    for n in 0..25 {
        let name = format!("{n}{}", "x".repeat(198));
        prepared.sandbox.tmux(["new-session", "-d", "-s", &name, "--", "sleep", "100000"]).ok();
    }
    let fill = format!(
        "{TMPFS} cat /dev/zero >$state/fill 2>/dev/null || :; truncate -s -4096 $state/fill"
    );
    let name = "a_save_that_fills_the_disk_half_way_fails_cleanly";
    failed_cleanly(spoiled(name, &prepared, &fill, "rm $state/fill"), "No space left");
}

#[test]
fn a_save_on_a_disk_without_inodes_fails_cleanly() {
    let fill = format!("{TMPFS} n=0; while touch $state/fill$n 2>/dev/null; do n=$((n + 1)); done");
    let name = "a_save_on_a_disk_without_inodes_fails_cleanly";
    failed_cleanly(spoiled(name, &prepared(), &fill, "rm $state/fill*"), "No space left");
}

#[test]
fn a_save_on_a_read_only_disk_fails_cleanly() {
    let remount = "mount --bind $state $state; mount -o remount,bind,ro $state";
    let name = "a_save_on_a_read_only_disk_fails_cleanly";
    let outcome = spoiled(name, &prepared(), remount, "mount -o remount,bind,rw $state");
    failed_cleanly(outcome, "Read-only file system");
}

#[test]
fn a_save_of_a_user_who_may_not_write_the_store_fails_cleanly() {
    let name = "a_save_of_a_user_who_may_not_write_the_store_fails_cleanly";
    let Some(host) = Host::new(name) else { return };
    host.user("ann");
    host.sessions("ann", &["one"]);
    let first = host.persist(["save", "--json"]).ok().json()["users"][0]["snapshot"].clone();
    for (directory, session) in [("", "two"), ("/snapshots", "three")] {
        host.sessions("ann", &[session]);
        let path = format!("{STATE}/ann{directory}");
        host.sh(&format!("chmod 500 {path}"));
        let run = host.persist(["save", "--json"]).code(1);
        let said = run.json()["users"][0]["error"].as_str().unwrap().to_owned();
        assert!(said.contains(&path) && said.contains("Permission denied"), "{said}");
        assert_eq!(run.err().lines().count(), 1, "{}", run.err());
        host.sh(&format!("chmod 700 {path}"));
        assert_eq!(host.sh(&format!("find {STATE} -name '.new-*'")), "");
        // Under a name that the first failure may already have given to a whole snapshot.
        let newest = host.persist(["show", "--user", "ann", "--json"]).ok().json();
        let whole = newest["notes"].as_array().unwrap().is_empty();
        assert!(whole && newest["snapshot"].as_str() >= first.as_str(), "{newest}");
    }
    host.persist(["save"]).ok();
}
