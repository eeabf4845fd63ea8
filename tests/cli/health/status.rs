//! `persist status`: how saving goes, and when a person must look.

use crate::support::sandbox::user;
use crate::support::{Sandbox, metrics, run};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::SystemTime;

fn status(sandbox: &Sandbox, code: i32) -> Value {
    let json = sandbox.persist(["status", "--json"]).code(code).json();
    json.get("users").map_or(json.clone(), |users| users[0].clone())
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// Rewrites a number of the record of activity.
fn set(sandbox: &Sandbox, key: &str, value: u64) {
    let file = sandbox.user_state().join("activity.tsv");
    let text = std::fs::read_to_string(&file).unwrap();
    let change = |line: &str| match line.split_once('\t') {
        Some((name, _)) if name == key => format!("{key}\t{value}\n"),
        _ => format!("{line}\n"),
    };
    std::fs::write(&file, text.lines().map(change).collect::<String>()).unwrap();
}

/// Makes the tmux server look as if it had started a day ago.
fn age_the_server(sandbox: &Sandbox) {
    let socket = sandbox.root().join(format!("tmux/tmux-{}/default", nix::unistd::geteuid()));
    run(sandbox.command("touch").args(["-d", "yesterday"]).arg(socket)).ok();
}

#[test]
fn a_user_without_anything_is_no_alarm_and_nothing_is_made() {
    let sandbox = Sandbox::new();
    let status = status(&sandbox, 0);
    assert_eq!((&status["server"], &status["overdue"]), (&json!("none"), &json!(false)));
    assert_eq!((&status["last_good_save"], &status["snapshot"]), (&Value::Null, &Value::Null));
    assert_eq!(std::fs::read_dir(sandbox.state()).unwrap().count(), 0);
    assert!(!sandbox.root().join("xdg-state").exists());
}

#[test]
fn a_save_is_seen_with_its_sessions_and_panes() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.tmux(["split-window", "-t", "one"]).ok();
    let before = now();
    sandbox.persist(["save"]).ok();
    let seen = status(&sandbox, 0);
    assert_eq!((&seen["server"], &seen["last_result"]), (&json!("running"), &json!("saved")));
    assert_eq!((&seen["sessions"]["shell"], &seen["panes"]["shell"]), (&json!(1), &json!(2)));
    assert!(seen["last_good_save"].as_u64().unwrap() >= before);
    assert_eq!(seen["confirmed"], seen["last_good_save"]);
    assert_eq!((&seen["failures"], &seen["notes"]), (&json!(0), &json!([])));
    sandbox.persist(["save"]).ok();
    assert_eq!(status(&sandbox, 0)["last_result"], "unchanged");
    let table = sandbox.persist(["status"]).ok().out();
    let cells: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split("  ").filter(|c| !c.is_empty()).map(str::trim).collect())
        .collect();
    assert_eq!(cells[0][..4], ["USER", "LAST SAVE", "SESSIONS", "PANES"]);
    assert_eq!((cells[1][0], &cells[1][2..4]), (user().as_str(), &["1", "2"][..]), "{table}");
}

#[test]
fn an_old_save_is_an_alarm_only_while_there_is_something_to_save() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.persist(["save"]).ok();
    set(&sandbox, "last_good_save", now() - 3600);
    // The server is younger than the limit: the timer has not had its time.
    assert_eq!(status(&sandbox, 0)["overdue"], false);
    age_the_server(&sandbox);
    let seen = status(&sandbox, 1);
    assert_eq!(seen["overdue"], true);
    let complaint = sandbox.persist(["status"]).code(1).err();
    assert!(
        complaint.contains("last saved 60 min ago, although a tmux server is running"),
        "{complaint}"
    );
    sandbox.persist(["status", "--max-age", "90"]).ok();
    let config = sandbox.root().join("config.toml");
    std::fs::write(&config, "[status]\nmax_age_minutes = 90\n").unwrap();
    sandbox.persist(["status".as_ref(), "--config".as_ref(), config.as_os_str()]).ok();
    sandbox.crash();
    assert_eq!(status(&sandbox, 0)["overdue"], false);
}

#[test]
fn a_server_that_was_never_saved_is_an_alarm_once_it_is_old() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.persist(["status"]).ok();
    age_the_server(&sandbox);
    let complaint = sandbox.persist(["status"]).code(1).err();
    assert!(complaint.contains("never saved, although a tmux server is running"), "{complaint}");
}

#[test]
fn a_failure_is_counted_with_its_reason_until_a_save_is_good() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.persist(["save"]).ok();
    std::fs::remove_file(sandbox.user_state().join("lock")).unwrap();
    std::fs::create_dir(sandbox.user_state().join("lock")).unwrap();
    for _ in 0..2 {
        sandbox.persist(["save"]).code(1);
    }
    let seen = status(&sandbox, 0);
    assert_eq!((&seen["failures"], &seen["failures_since_good"]), (&json!(2), &json!(2)));
    assert!(seen["failure_reason"].as_str().unwrap().contains("/lock: "), "{seen}");
    assert_eq!(seen["last_result"], "failed");
    std::fs::remove_dir(sandbox.user_state().join("lock")).unwrap();
    sandbox.persist(["save"]).ok();
    let seen = status(&sandbox, 0);
    assert_eq!((&seen["failures"], &seen["failures_since_good"]), (&json!(2), &json!(0)));
}

#[test]
fn finding_nothing_to_save_is_a_good_check_but_confirms_no_snapshot() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    set(&sandbox, "last_good_save", 1000);
    set(&sandbox, "confirmed", 1000);
    sandbox.persist(["save"]).ok();
    let seen = status(&sandbox, 0);
    assert!(seen["last_good_save"].as_u64().unwrap() > 1000);
    assert_eq!((&seen["confirmed"], &seen["last_result"]), (&json!(1000), &json!("nothing")));
}

#[test]
fn restores_are_counted_by_what_became_of_each_pane() {
    let sandbox = Sandbox::new();
    for name in ["one", "two"] {
        sandbox.tmux(["new-session", "-d", "-s", name]).ok();
    }
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    sandbox.persist(["restore", "--dry-run"]).ok();
    assert_eq!(status(&sandbox, 0)["last_restore"], Value::Null);
    sandbox.persist(["restore", "one"]).ok();
    sandbox.persist(["restore"]).ok();
    sandbox.persist(["restore", "unknown"]).code(2);
    let seen = status(&sandbox, 0);
    let counts = json!({"new": 2, "skip": 1, "in_place": 0, "renamed": 0, "failed": 0});
    assert_eq!(seen["restored"], counts);
    assert!(seen["last_restore"].as_u64().is_some());
}

#[test]
fn a_record_that_is_torn_or_foreign_is_named_and_mended_by_the_next_save() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    let file = sandbox.user_state().join("activity.tsv");
    for damage in ["", "failures\t7\n", &"x\ty\n".repeat(100_000)] {
        sandbox.persist(["save"]).ok();
        std::fs::write(&file, damage).unwrap();
        let seen = status(&sandbox, 0);
        let note = seen["notes"][0].as_str().unwrap();
        assert!(note.contains("activity.tsv"), "{note}");
        assert_eq!((&seen["failures"], &seen["last_good_save"]), (&json!(0), &Value::Null));
        let saved = sandbox.persist(["save", "--json"]).ok().json();
        assert_eq!(saved["users"][0]["result"], "unchanged");
        assert_eq!(status(&sandbox, 0)["notes"], json!([]));
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let saved = sandbox.persist(["save", "--json"]).ok().json();
    assert!(saved["users"][0]["notes"].to_string().contains("not recorded"), "{saved}");
}

#[test]
fn lines_of_a_later_version_are_kept() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.persist(["save"]).ok();
    let file = sandbox.user_state().join("activity.tsv");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("# end", "later\tvalue\twith a tab\n# end")).unwrap();
    sandbox.persist(["save"]).ok();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("\nlater\tvalue\twith a tab\n"), "{text}");
}

#[test]
fn the_metrics_are_what_prometheus_reads_and_replaced_in_one_step() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.persist(["save"]).ok();
    let file = sandbox.work().join("persist.prom");
    std::os::unix::fs::symlink("elsewhere", &file).unwrap();
    for _ in 0..2 {
        sandbox.persist(["status".as_ref(), "--metrics".as_ref(), file.as_os_str()]).ok();
    }
    let kind = file.symlink_metadata().unwrap();
    assert_eq!((kind.is_file(), kind.permissions().mode() & 0o777), (true, 0o644));
    assert_eq!(std::fs::read_dir(sandbox.work()).unwrap().count(), 1, "nothing beside it");
    let samples = metrics::parse(&std::fs::read_to_string(&file).unwrap());
    let of_user = |name: &str, more: &str| {
        samples[&format!("tmux_persist_{name}{{user=\"{}\"{more}}}", user())].as_str()
    };
    assert_eq!(samples["tmux_persist_users"], "1");
    let ones = [
        of_user("last_save_success", ""),
        of_user("server_running", ""),
        of_user("sessions", ",state=\"shell\""),
    ];
    assert_eq!(ones, ["1"; 3]);
    let zeros = [
        of_user("save_overdue", ""),
        of_user("save_failures_total", ",seen_by=\"user\""),
        of_user("panes", ",state=\"lost\""),
        of_user("restored_panes_total", ",action=\"failed\""),
    ];
    assert_eq!(zeros, ["0"; 4]);
    for time in [
        of_user("last_good_save_timestamp_seconds", ""),
        &samples["tmux_persist_status_timestamp_seconds"],
    ] {
        assert!(time.parse::<u64>().unwrap() > now() - 60, "{time}");
    }
}

#[test]
fn metrics_that_cannot_be_written_say_why() {
    let sandbox = Sandbox::new();
    let absent = sandbox.work().join("absent/persist.prom");
    let run = sandbox.persist(["status".as_ref(), "--metrics".as_ref(), absent.as_os_str()]);
    assert!(run.code != 0 && run.err().contains("absent"), "{run:?}");
    let run = sandbox.persist(["status", "--metrics", "/"]).code(2);
    assert!(run.err().contains("--metrics /: not a file name"), "{run:?}");
}

#[test]
fn every_metric_is_documented() {
    let formats = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/output-formats.md");
    let formats = std::fs::read_to_string(formats).unwrap();
    let sandbox = Sandbox::new();
    let file = sandbox.work().join("persist.prom");
    sandbox.persist(["status".as_ref(), "--metrics".as_ref(), file.as_os_str()]).ok();
    let metrics = std::fs::read_to_string(&file).unwrap();
    for line in metrics.lines().filter_map(|line| line.strip_prefix("# TYPE tmux_persist_")) {
        let name = line.split(' ').next().unwrap();
        let documented = [format!("`{name}`"), format!("`{name}{{")];
        assert!(documented.iter().any(|text| formats.contains(text)), "{name}");
    }
}
