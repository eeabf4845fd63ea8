//! Killed wherever something is put on disk, moved or removed: the next run ends it, or undoes it.

use super::{CUT, SAYS_NOTHING, assert_cut, configure, everything, host, offboard};
use crate::support::host::Host;
use crate::support::lacks::lacks;

/// Searching the file systems takes long under strace.
const QUICK: &str = "set_id_search_seconds = 0\n";

/// Runs a stage and kills it at its `point`th such call; whether it was killed.
fn killed_at(host: &Host, point: usize, args: &[&str]) -> bool {
    let calls = "fsync,renameat2,unlinkat";
    let (trace, inject) =
        (format!("trace={calls}"), format!("inject={calls}:signal=KILL:when={point}"));
    let strace = ["strace", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    let words = strace.iter().chain(&["/opt/tl/provision", "offboard"]).chain(args);
    let run = host.root(words);
    assert!(run.code == 0 || run.code == 137, "{} {}", run.code, run.err());
    run.code == 137
}

#[track_caller]
fn same(now: &str, before: &str, point: usize) {
    let gone: Vec<&str> = before.lines().filter(|line| !now.lines().any(|l| l == *line)).collect();
    let new: Vec<&str> = now.lines().filter(|line| !before.lines().any(|l| l == *line)).collect();
    assert!(now == before, "point {point}: gone {gone:#?}, new {new:#?}");
}

fn has_strace(test: &str) -> bool {
    let has = std::path::Path::new("/usr/bin/strace").exists();
    if !has {
        lacks(test, "strace");
    }
    has
}

#[test]
fn a_cut_and_its_undoing_are_ended_or_undone_wherever_they_were_killed() {
    let test =
        "offboard::killed::a_cut_and_its_undoing_are_ended_or_undone_wherever_they_were_killed";
    let Some(host) = host(test).filter(|_| has_strace(test)) else { return };
    configure(&host, QUICK);
    let before = everything(&host);
    let mut points = 0;
    while killed_at(&host, points + 1, &["cut", "ann"]) {
        points += 1;
        if points % 2 == 0 {
            offboard(&host, ["cut", "ann"]).ok();
            assert_cut(&host);
            offboard(&host, ["uncut", "ann"]).ok();
        } else {
            // Before the record there is nothing to undo.
            let run = offboard(&host, ["uncut", "ann"]);
            assert!(run.code == 0 || run.err().contains("ann is not cut"), "{}", run.err());
        }
        same(&everything(&host), &before, points);
    }
    assert_cut(&host);
    let mut undone = 0;
    while killed_at(&host, undone + 1, &["uncut", "ann"]) {
        undone += 1;
        if undone % 2 == 0 {
            offboard(&host, ["cut", "ann"]).ok();
            assert_cut(&host);
            continue;
        }
        let run = offboard(&host, ["uncut", "ann"]);
        assert!(run.code == 0 || run.err().contains("ann is not cut"), "{}", run.err());
        same(&everything(&host), &before, undone);
        offboard(&host, ["cut", "ann"]).ok();
    }
    assert_eq!(everything(&host), before);
    println!("killed at {points} points of a cut and {undone} of its undoing");
    assert!(points > 30 && undone > 10, "{points} {undone}");
}

#[test]
fn an_archive_and_a_removal_are_ended_wherever_they_were_killed() {
    let test = "offboard::killed::an_archive_and_a_removal_are_ended_wherever_they_were_killed";
    let Some(host) = host(test).filter(|_| has_strace(test)) else { return };
    configure(&host, &format!("{SAYS_NOTHING}{QUICK}"));
    host.sh_as("ann", "cd; mkdir -p a/b; echo x >a/b/c; echo y >d; ln -s /etc/shadow s");
    let before = everything(&host);
    let archive = ["archive", "ann", "--to", "/root/archives", "-q"];
    let mut points = 0;
    offboard(&host, ["cut", "ann"]).ok();
    while killed_at(&host, points + 1, &archive) {
        points += 1;
        // Either way goes on from there: the home comes back, or the archive is made.
        if points % 2 == 0 {
            offboard(&host, ["uncut", "ann"]).ok();
            assert_eq!(everything(&host), before, "point {points}");
            offboard(&host, ["cut", "ann"]).ok();
        } else {
            offboard(&host, archive).ok();
        }
        assert_eq!(host.sh("find /root/archives -name '*.part'"), "");
    }
    let record: serde_json::Value =
        serde_json::from_str(&host.sh(&format!("cat {CUT}/ann.json"))).unwrap();
    let last = record["archives"].as_array().unwrap().last().unwrap();
    let (file, digest) = (last["file"].as_str().unwrap(), last["digest"].as_str().unwrap());
    let confirm = format!("ann@{digest}");
    let remove = ["remove", "ann", "--archive", file, "--confirm", &confirm];
    let mut removed = 0;
    // Each kill leaves more done: the same command goes on, until it ends by itself.
    while host.root(["test", "-e", &format!("{CUT}/ann.json")]).code == 0 {
        killed_at(&host, removed + 1, &remove);
        removed += 1;
        assert!(removed < 60, "it does not end");
    }
    println!("killed at {points} points of an archive, {} of a removal", removed - 1);
    assert!(points > 10 && removed > 3, "{points} {removed}");
    assert_eq!(
        host.sh("ls -A /home /home/.terminal-lobby-frozen"),
        "/home:\n.terminal-lobby-frozen\nbob\n\n/home/.terminal-lobby-frozen:\n"
    );
    assert_eq!(
        host.sh("grep -c ann /etc/passwd /etc/shadow || :"),
        "/etc/passwd:0\n/etc/shadow:0\n"
    );
    let written = host.sh("cat /var/lib/terminal-lobby/applied/written.json");
    let written: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written["uids"], serde_json::json!({host.uid("ann").to_string(): "ann"}));
}
