//! `persist events`: what happened by itself, as a person sees it, and the site's command.

use crate::support::sandbox::user;
use crate::support::{Sandbox, metrics, wait_for, wait_until};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use terminal_lobby::events::{self, Cause, Event, Kind};
use terminal_lobby::sys::clock;

/// A user with a state directory, and the events of an hour.
fn world() -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.user_state()).unwrap();
    let now = clock::now();
    record(&sandbox, now - 3000, Kind::Death, "web", Some(Cause::PaneLimit));
    record(&sandbox, now - 2990, Kind::Resumed, "web", None);
    record(&sandbox, now - 60, Kind::GaveUp, "a\u{1b}[2J\tb", None);
    sandbox
}

fn record(sandbox: &Sandbox, time: u64, kind: Kind, session: &str, cause: Option<Cause>) {
    let event = Event {
        time,
        kind,
        session: Some(session.into()),
        pane: Some(3),
        agent: Some(b"claude".to_vec()),
        cause,
        ..Event::default()
    };
    events::append(&sandbox.user_state(), &event).unwrap();
}

fn kinds(json: &Value) -> Vec<&str> {
    let events = json["events"].as_array().unwrap();
    events.iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

#[test]
fn events_are_listed_with_their_times_and_causes_and_no_control_character() {
    let sandbox = world();
    let out = sandbox.persist(["events"]).ok().out();
    assert!(out.contains("death") && out.contains("pane-limit") && out.contains("%3"), "{out}");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 5, "{out}");
    assert!(lines[4].contains("a\\x1b[2J\\tb"), "{out}");
    assert!(!out.contains('\u{1b}'), "{out}");
    let json = sandbox.persist(["events", "--json"]).ok().json();
    assert_eq!((&json["user"], &json["error"]), (&json!(user()), &Value::Null));
    assert_eq!(kinds(&json), ["death", "resumed", "gave-up"]);
    let first = &json["events"][0];
    assert_eq!((&first["number"], &first["pane"]), (&json!(1), &json!("%3")));
    assert_eq!(json["events"][2]["session"], "a\u{1b}[2J\tb");
}

#[test]
fn events_are_selected_by_time_session_and_kind() {
    let sandbox = world();
    let select = |options: &[&str]| {
        let options = ["events", "--json"].iter().chain(options);
        sandbox.persist(options).ok().json()
    };
    assert_eq!(kinds(&select(&["--since", "10m"])), ["gave-up"]);
    assert_eq!(kinds(&select(&["--since", "1h"])), ["death", "resumed", "gave-up"]);
    assert_eq!(kinds(&select(&["--session", "web"])), ["death", "resumed"]);
    assert_eq!(kinds(&select(&["--session", "a\u{1b}[2J\tb"])), ["gave-up"]);
    assert_eq!(kinds(&select(&["--kind", "death", "--kind", "gave-up"])), ["death", "gave-up"]);
    assert_eq!(kinds(&select(&["--session", "none"])), [""; 0]);
    for wrong in [["--since", "soon"], ["--kind", "end"]] {
        sandbox.persist(["events"].iter().chain(&wrong)).code(2);
    }
}

#[test]
fn without_a_time_the_last_fifty_are_listed_and_the_others_counted() {
    let sandbox = world();
    let now = clock::now();
    (0..57).for_each(|n| record(&sandbox, now - 57 + n, Kind::Woken, "web", None));
    let json = sandbox.persist(["events", "--json"]).ok().json();
    assert_eq!((kinds(&json).len(), &json["more"]), (50, &json!(10)));
    let out = sandbox.persist(["events"]).ok().out();
    assert!(out.contains("and 10 older ones"), "{out}");
}

#[test]
fn a_user_to_whom_nothing_happened_has_no_events_and_gets_no_file() {
    let sandbox = Sandbox::new();
    let out = sandbox.persist(["events"]).ok().out();
    assert_eq!(out, format!("{}: no events\n", user()));
    assert!(!sandbox.user_state().exists());
}

#[test]
fn a_record_that_is_a_fifo_or_a_link_is_an_error_and_delays_nothing() {
    let sandbox = Sandbox::new();
    let dir = sandbox.user_state();
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("events.tsv");
    std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
    let begin = Instant::now();
    let err = sandbox.persist(["events"]).code(1).err();
    assert!(err.contains("events.tsv: a link: not followed"), "{err}");
    std::fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let err = sandbox.persist(["events"]).code(1).err();
    assert!(err.contains("events.tsv: not a regular file"), "{err}");
    // The status of everything else is there.
    sandbox.persist(["status"]).ok();
    let doctor = sandbox.persist(["doctor"]).code(1).out();
    assert!(doctor.contains("events.tsv is not a regular file"), "{doctor}");
    assert!(begin.elapsed() < Duration::from_secs(30));
}

#[test]
fn the_metrics_count_events_deaths_and_memory_and_have_a_zero_for_each() {
    let sandbox = world();
    let given = Event {
        time: clock::now(),
        kind: Kind::Suspended,
        bytes: Some(300 << 20),
        ..Event::default()
    };
    events::append(&sandbox.user_state(), &given).unwrap();
    let warned = Event { time: 1234, kind: Kind::MemoryWarning, ..Event::default() };
    events::append(&sandbox.user_state(), &warned).unwrap();
    let file = sandbox.root().join("persist.prom");
    sandbox.persist(["status".as_ref(), "--metrics".as_ref(), file.as_os_str()]).ok();
    let samples = metrics::parse(&std::fs::read_to_string(file).unwrap());
    let value = |name: &str, label: &str| {
        samples[&format!("tmux_persist_{name}{{user=\"{}\"{label}}}", user())].clone()
    };
    assert_eq!(value("events_total", ",kind=\"death\""), "1");
    assert_eq!(value("events_total", ",kind=\"server-death\""), "0");
    assert_eq!(value("deaths_total", ",cause=\"pane-limit\""), "1");
    assert_eq!(value("deaths_total", ",cause=\"earlyoom\""), "0");
    assert_eq!(value("given_back_bytes_total", ""), (300 << 20).to_string());
    assert_eq!(value("memory_warning_timestamp_seconds", ""), "1234");
    assert_eq!(value("notifications_total", ",result=\"dropped\""), "0");
}

/// Ends a follower at the end of a test.
struct Follower(Child);

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_follower_prints_new_events_and_ends_with_its_reader() {
    let sandbox = world();
    let mut command = sandbox.persist_command(["events", "--follow", "--json"]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut follower = Follower(child);
    let mut lines = BufReader::new(follower.0.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let numbers: Vec<Value> = (0..3).map(|_| next()["number"].clone()).collect();
    assert_eq!(numbers, [1, 2, 3].map(Value::from));
    record(&sandbox, clock::now(), Kind::ServerDeath, "later", None);
    let new = next();
    assert_eq!((&new["kind"], &new["user"]), (&json!("server-death"), &json!(user())));
    drop(lines);
    wait_until("the follower ends", || follower.0.try_wait().unwrap().is_some());
}

/// A site's command, and what it wrote.
struct Site {
    sandbox: Sandbox,
}

impl Site {
    /// `script` runs with its output file as `$1`.
    fn new(script: &str) -> Self {
        let sandbox = Sandbox::new();
        std::fs::create_dir_all(sandbox.user_state()).unwrap();
        let program = sandbox.root().join("announce");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let site = Self { sandbox };
        let words = [program.as_path(), &site.out()].map(|p| format!("{:?}", p.to_str().unwrap()));
        site.sandbox.configure(&format!("[watch]\nnotify = [{}]\n", words.join(", ")));
        site
    }

    fn out(&self) -> PathBuf {
        self.sandbox.root().join("out")
    }

    /// Hands an event over, as an announcement does; returns how long that took.
    fn notify(&self, event: &str) -> Duration {
        let begin = Instant::now();
        let mut command = self.sandbox.persist_command(["notify"]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(event.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        begin.elapsed()
    }

    fn counts(&self) -> [u64; 3] {
        let counts = events::counts(&self.sandbox.user_state()).unwrap();
        counts.named().map(|(_, number)| number)
    }
}

#[test]
fn the_sites_command_gets_the_event_and_no_terminal_and_nobody_waits_for_it() {
    let site = Site::new("cat >\"$1.new\"; pwd >>\"$1.new\"; mv \"$1.new\" \"$1\"");
    site.notify("{\"kind\":\"death\"}\n");
    let out = wait_for("the command ran", || std::fs::read_to_string(site.out()).ok());
    assert_eq!(out, "{\"kind\":\"death\"}\n/\n");
    wait_until("it is counted", || site.counts() == [1, 0, 0]);
}

#[test]
fn while_the_sites_command_runs_other_events_are_dropped_and_counted() {
    let site = Site::new("echo >>\"$1\"; while [ ! -e \"$1.end\" ]; do sleep 0.02; done");
    site.notify("{}");
    wait_until("the first one runs", || site.out().exists());
    (0..3).for_each(|_| {
        site.notify("{}");
    });
    wait_until("the others are dropped", || site.counts() == [0, 0, 3]);
    std::fs::write(site.sandbox.root().join("out.end"), "").unwrap();
    wait_until("the first one is done", || site.counts() == [1, 0, 3]);
    assert_eq!(std::fs::read_to_string(site.out()).unwrap(), "\n");
}

#[test]
fn a_command_that_hangs_is_ended_with_all_it_started() {
    let site = Site::new("sleep 1000 & echo $! $$ >\"$1.new\"; mv \"$1.new\" \"$1\"; wait");
    let took = site.notify("{}");
    assert!(took < Duration::from_secs(9), "{took:?}: it was waited for");
    let pids = wait_for("it runs", || std::fs::read_to_string(site.out()).ok());
    wait_until("it is ended after ten seconds, and counted", || site.counts() == [0, 1, 0]);
    for pid in pids.split_whitespace() {
        let stat = PathBuf::from(format!("/proc/{pid}/stat"));
        let runs = || std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
        wait_until("nothing of it is left", || !runs());
    }
}

#[test]
fn the_doctor_names_a_command_that_cannot_run_and_agents_that_were_given_up() {
    let site = Site::new("exit 0");
    let doctor = || site.sandbox.persist(["doctor"]).out();
    assert!(doctor().contains("/announce"), "{}", doctor());
    let program = site.sandbox.root().join("announce");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o644)).unwrap();
    let out = site.sandbox.persist(["doctor"]).code(1).out();
    assert!(out.contains("announce is not a program that this user can run"), "{out}");
    record(&site.sandbox, clock::now(), Kind::GaveUp, "web", None);
    let out = doctor();
    assert!(out.contains("persist events --kind gave-up"), "{out}");
}

#[test]
fn a_command_is_a_path_and_never_looked_for() {
    let sandbox = Sandbox::new();
    for words in ["\"announce\"", "\"./announce\"", "\"\""] {
        sandbox.configure(&format!("[watch]\nnotify = [{words}]\n"));
        let err = sandbox.persist(["events"]).code(2).err();
        assert!(err.contains("watch.notify = "), "{err}");
    }
    assert!(Path::new("/bin/true").exists());
    sandbox.configure("[watch]\nnotify = [\"/bin/true\"]\n");
    sandbox.persist(["events"]).ok();
}
