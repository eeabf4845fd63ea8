//! A server that was killed, a disk that is full or read-only, limits that are reached: each is reported, and
//! stops no more than it must.

use super::{announce, doctor, is_pending, live, metric, not_restored, of, saved, status};
use crate::support::host::{Host, STATE, persist_argv};
use crate::support::{Run, wait_until};
use serde_json::{Value, json};
use terminal_lobby::snapshot::{self, State};

#[test]
fn a_server_that_was_killed_is_reported_once_in_the_journal_and_by_status() {
    let test = "a_server_that_was_killed_is_reported_once_in_the_journal_and_by_status";
    let Some(host) = Host::new(test) else { return };
    host.user("ann");
    host.sessions("ann", &["one", "two"]);
    host.persist(["save"]).ok();
    host.end_all_of("ann"); // as the out-of-memory killer does
    let why = "ann: the tmux server has ended, or was killed, with 2 sessions not closed";
    let said = host.persist(["save", "--all-users", "--quiet"]).ok().err();
    assert!(said.contains("warning: ") && said.contains(why), "{said}");
    let again = host.persist(["save", "--all-users", "--quiet"]).ok().err();
    assert_eq!(again, "", "once is enough");
    assert!(host.persist(["status"]).ok().err().contains(why));
    let seen = status(&host, 0);
    assert_eq!((&seen["ended_sessions"], &seen["panes"]["lost"]), (&json!(2), &json!(2)));
    assert_eq!(seen["panes"]["shell"], 0, "{seen}");
    assert_eq!(metric(&host, "ended_sessions", 0), "2");
    assert_eq!(doctor(&host, 0, "restored")["state"], "warn");
    host.persist(["restore"]).ok();
    host.persist(["save"]).ok();
    assert_eq!(metric(&host, "ended_sessions", 0), "0");
    // It is told again of the next one.
    host.end_all_of("ann");
    assert!(host.persist(["save", "--all-users", "--quiet"]).ok().err().contains(why));
}

#[test]
fn a_server_whose_sessions_were_all_closed_is_not_reported() {
    let test = "a_server_whose_sessions_were_all_closed_is_not_reported";
    let Some(host) = Host::new(test) else { return };
    host.user("ann");
    host.sessions("ann", &["one", "two"]);
    host.persist(["save"]).ok();
    host.persist(["forget", "--user", "ann", "--kill", "one", "two"]).ok();
    wait_until("the server has ended", || live(&host, "ann").is_empty());
    let said = host.persist(["save", "--all-users", "--quiet"]).ok().err();
    assert_eq!(said, "");
    assert_eq!(status(&host, 0)["ended_sessions"], 0);
}

#[test]
fn a_host_that_went_down_since_killed_no_server() {
    let test = "a_host_that_went_down_since_killed_no_server";
    let Some(host) = Host::new(test) else { return };
    host.user("ann");
    host.sessions("ann", &["one"]);
    host.persist(["save"]).ok();
    host.end_all_of("ann");
    let boot = host.sh("cat /proc/sys/kernel/random/boot_id");
    host.sh(&format!("sed -i s/{}/another/ {STATE}/ann/snapshots/*.tsv", boot.trim()));
    assert_eq!(host.persist(["save", "--all-users", "--quiet"]).ok().err(), "");
    assert_eq!(status(&host, 0)["ended_sessions"], 0);
}

/// A host whose state is on a small disk of its own.
fn on_a_small_disk(test: &str, options: &str) -> Option<Host> {
    let host = Host::new(test)?;
    host.sh(&format!("mkdir -p {STATE}; mount -t tmpfs -o mode=755,{options} state {STATE}"));
    host.user("ann");
    host.sessions("ann", &["one", "two"]);
    host.persist(["save"]).ok();
    Some(host)
}

/// The failures that `status` and the metrics count.
#[track_caller]
fn failures(host: &Host) -> (Value, String) {
    let seen = host.persist(["status", "--json"]).json()["users"][0].clone();
    host.persist(["status", "--quiet", "--metrics", "/run/it.prom"]);
    let text = host.read("/run/it.prom");
    let line = "tmux_persist_save_failures_since_good{user=\"ann\"} ";
    let metric = text.lines().find_map(|found| found.strip_prefix(line)).unwrap_or(&text);
    (seen["failures_since_good"].clone(), metric.to_owned())
}

#[test]
fn saves_that_fail_on_a_full_disk_count() {
    let test = "saves_that_fail_on_a_full_disk_count";
    let Some(host) = on_a_small_disk(test, "size=256k") else { return };
    host.sh(&format!("dd if=/dev/zero of={STATE}/fill bs=4k 2>/dev/null || true"));
    host.sessions("ann", &["three"]);
    for count in 1..=3 {
        let run: Run = host.persist(["save", "--all-users", "--quiet"]).code(1);
        assert!(run.err().contains("No space left on device"), "{}", run.err());
        assert_eq!(failures(&host), (json!(count), count.to_string()));
    }
    let seen = host.persist(["status", "--json"]).json()["users"][0].clone();
    assert!(seen["failure_reason"].as_str().unwrap().contains("No space left"), "{seen}");
    host.sh(&format!("rm {STATE}/fill"));
    host.persist(["save"]).ok();
    assert_eq!(failures(&host), (json!(0), "0".to_owned()));
    assert_eq!(saved(&host, "ann").len(), 3);
}

#[test]
fn saves_that_fail_on_a_read_only_disk_count() {
    let test = "saves_that_fail_on_a_read_only_disk_count";
    let Some(host) = on_a_small_disk(test, "size=1m") else { return };
    host.sh(&format!("mount -o remount,ro {STATE}"));
    host.sessions("ann", &["three"]);
    for count in 1..=3 {
        host.persist(["save", "--all-users", "--quiet"]).code(1);
        assert_eq!(failures(&host), (json!(count), count.to_string()));
    }
    host.sh(&format!("mount -o remount,rw {STATE}"));
    host.persist(["save"]).ok();
    assert_eq!(failures(&host).0, 0);
}

#[test]
fn a_restore_from_a_read_only_disk_brings_everything_back() {
    let test = "a_restore_from_a_read_only_disk_brings_everything_back";
    let Some(host) = on_a_small_disk(test, "size=1m") else { return };
    for has_lock in [true, false] {
        host.end_all_of("ann");
        announce(&host, "ann");
        if !has_lock {
            host.sh(&format!("mount -o remount,rw {STATE}; rm {STATE}/ann/lock"));
        }
        host.sh(&format!("mount -o remount,ro {STATE}"));
        let run = host.persist(["restore"]).ok();
        assert_eq!(live(&host, "ann"), ["one", "two"], "{}", run.err());
        assert!(run.err().contains("Read-only file system"), "a note: {}", run.err());
        assert!(!is_pending(&host, "ann"));
    }
}

#[test]
fn a_restore_from_a_disk_without_room_for_a_lock_brings_everything_back() {
    let test = "a_restore_from_a_disk_without_room_for_a_lock_brings_everything_back";
    let Some(host) = on_a_small_disk(test, "size=1m,nr_inodes=40") else { return };
    host.end_all_of("ann");
    host.sh(&format!(
        "rm {STATE}/ann/lock; n=0
        while touch {STATE}/fill$n 2>/dev/null && [ $n -lt 100 ]; do n=$((n + 1)); done
        ! touch {STATE}/ann/lock 2>/dev/null"
    ));
    let run = host.persist(["restore"]).ok();
    assert_eq!(live(&host, "ann"), ["one", "two"], "{}", run.err());
    assert!(run.err().contains("restoring without a lock"), "{}", run.err());
}

#[test]
fn two_restores_at_once_restore_everything_once() {
    let test = "two_restores_at_once_restore_everything_once";
    let Some(host) = not_restored(test, &["one", "two"]) else { return };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let mut command = host.root_command(persist_argv(["restore"]));
            scope.spawn(move || crate::support::run(&mut command).ok());
        }
    });
    assert_eq!(live(&host, "ann"), ["one", "two"]);
    host.persist(["save"]).ok();
    assert_eq!(saved(&host, "ann"), [of("one", &[State::Shell]), of("two", &[State::Shell])]);
}

#[test]
fn a_run_directory_that_cannot_be_written_stops_neither_saves_nor_restores() {
    let test = "a_run_directory_that_cannot_be_written_stops_neither_saves_nor_restores";
    let Some(host) = Host::new(test) else { return };
    host.user("ann");
    host.sessions("ann", &["one"]);
    host.sh("mount -o remount,ro /run");
    host.persist(["save"]).ok();
    assert_eq!(host.persist(["boot", "--announce"]).code, 1, "it says that it failed");
    host.end_all_of("ann");
    host.persist(["restore"]).ok();
    assert_eq!(live(&host, "ann"), ["one"]);
}

#[test]
fn a_state_directory_of_an_earlier_uid_is_named_at_boot() {
    let test = "a_state_directory_of_an_earlier_uid_is_named_at_boot";
    let Some(host) = Host::new(test) else { return };
    host.user("ann");
    host.sessions("ann", &["one"]);
    host.persist(["save"]).ok();
    host.sh(&format!("chown -R 4711 {STATE}/ann"));
    let said = host.persist(["boot", "--announce"]).err();
    let why = format!("restoring from {STATE}/ann: belongs to uid 4711, not to ann");
    assert!(said.contains(&why), "{said}");
    assert!(host.persist(["save"]).code(1).err().contains("belongs to uid 4711"));
    assert_eq!(doctor(&host, 1, "state")["state"], "fault");
}

#[test]
fn a_limit_of_processes_that_is_reached_is_named() {
    let test = "a_limit_of_processes_that_is_reached_is_named";
    let Some(host) = Host::new(test) else { return };
    host.user("ann");
    host.sessions("ann", &["one", "two", "three"]);
    let mut limited = vec!["prlimit".into(), "--nproc=2".into()];
    limited.extend(persist_argv(["save"]));
    let why = "the user has as many processes as are allowed";
    let said = host.root(&limited).code(1).err();
    assert!(said.contains(why), "{said}");
    let said = host.as_user("ann", &limited).code(1).err();
    assert!(said.contains(why), "{said}");
    assert_eq!(failures(&host).0, 1, "it counts");
    host.persist(["save"]).ok();
    assert_eq!(saved(&host, "ann").len(), 3);
}

#[test]
fn agents_records_that_a_power_cut_left_empty_are_one_line() {
    let test = "agents_records_that_a_power_cut_left_empty_are_one_line";
    let Some(host) = Host::new(test) else { return };
    host.user("ann");
    let id = "0d0a8f5e-0000-4000-8000-000000000001";
    host.sh_as(
        "ann",
        "mkdir -p ~/.claude/sessions; cd ~/.claude/sessions
        for pid in $(ls /proc | grep '^[0-9]'); do : >$pid.json; done
        for pid in $(seq 99); do : >$pid.json; done",
    );
    host.sessions("ann", &["one"]);
    host.persist(["save"]).ok();
    // A conversation that is gone makes a save look for it everywhere.
    let newest = format!("{STATE}/ann/snapshots/$(ls {STATE}/ann/snapshots | tail -1)");
    let snapshot = host.sh(&format!("cat {newest}"));
    let mut with_agent = snapshot::decode(snapshot.as_bytes()).unwrap();
    let mut row = with_agent.rows[0].clone();
    row.session = b"gone".to_vec();
    (row.agent, row.conversation) = (Some(b"claude".to_vec()), Some(id.into()));
    row.state = State::Live;
    with_agent.rows.push(row);
    with_agent.rows.sort_by(|a, b| a.session.cmp(&b.session));
    let bytes = String::from_utf8(snapshot::encode(&with_agent)).unwrap();
    host.sh(&format!("cat >{newest} <<'END'\n{bytes}END"));
    for command in ["save", "restore"] {
        let said = host.persist([command]).err();
        let lines = said.lines().filter(|line| line.contains(".claude/sessions")).count();
        assert!(lines <= 1, "{command}: {said}");
    }
}
