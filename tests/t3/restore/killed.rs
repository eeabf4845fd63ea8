//! The user's process is killed at each of its system calls: in a backup, while a restore is prepared, and while data
//! are exchanged. What is there is whole, and the next run does all.

use super::super::backup::{NOW, Place};
use super::super::instance::Instance;
use super::{STAMP, read};
use crate::faults::{Point, at_each, has_strace, traced_points};
use crate::t3::step;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use terminal_lobby::t3::backup::BackupId;

/// `provision t3 worker PART` of the home, under strace with these arguments.
fn worker(home: &Path, part: &str, request: &Value, strace: &[String]) -> (Option<i32>, String) {
    let mut command = if strace.is_empty() {
        Command::new("env")
    } else {
        let mut command = Command::new("strace");
        command.args(strace);
        command
    };
    command.arg(env!("CARGO_BIN_EXE_provision")).args(["t3", "worker", part]);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", home);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, request.to_string().as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// The system calls of a request from the first that names the home on. In `make test` some of them alone.
fn points(home: &Path, part: &str, request: &Value) -> Vec<Point> {
    let trace = home.with_extension("trace");
    let args = ["-qq", "-y", "-s", "300", "-o", trace.to_str().unwrap()].map(str::to_owned);
    let (code, said) = worker(home, part, request, &args);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("failed"), "{said}");
    let all = traced_points(&trace, home);
    let step = step(all.len().div_ceil(60));
    all.into_iter().step_by(step).collect()
}

/// Kills a request at a point; whether it died.
fn kill_at(home: &Path, part: &str, request: &Value, point: &Point) -> bool {
    let Point { call, ordinal, .. } = point;
    let inject = format!("inject={call}:signal=KILL:when={ordinal}");
    let args = ["-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject];
    let (code, said) = worker(home, part, request, &args.map(str::to_owned));
    assert!(code.is_none() || code == Some(0) || code == Some(137), "{code:?} {said}");
    code != Some(0)
}

/// A copy of a place, its links among files kept.
struct Copied(tempfile::TempDir);

impl Copied {
    fn of(place: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let copied = Command::new("cp").arg("-a").arg(place.join(".")).arg(dir.path()).status();
        assert!(copied.unwrap().success());
        Self(dir)
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    fn backups(&self) -> PathBuf {
        self.0.path().join("backups")
    }
}

fn a_place() -> (Place, BackupId) {
    let place = Place::new();
    drop(Instance::start("0.0.26", "127.0.0.1", &place.base()));
    std::fs::create_dir(place.data("attachments/deep")).unwrap();
    std::fs::write(place.data("attachments/deep/one"), "one").unwrap();
    std::fs::write(place.data("settings.json"), "old").unwrap();
    let (id, _) = place.back_up().unwrap();
    std::fs::write(place.data("attachments/two"), "two").unwrap();
    std::fs::write(place.data("settings.json"), "new").unwrap();
    (place, id)
}

#[test]
fn a_backup_that_is_killed_anywhere_leaves_the_older_one_and_the_next_is_whole() {
    if !has_strace("a_backup_that_is_killed_anywhere_leaves_the_older_one_and_the_next_is_whole") {
        return;
    }
    let (place, id) = a_place();
    let limits = json!({"keep_free_bytes": 0, "keep_daily": 1});
    let request = |backups: &Path, id: &str| json!({"make": {"place": backups, "id": id, "limits": limits, "protected": null, "now": NOW}});
    let first = Copied::of(place.dir.path());
    let points =
        points(&first.home(), "backup", &request(&first.backups(), "20261130T160000Z-daily"));
    at_each("backup", &points, |_, point| {
        let copy = Copied::of(place.dir.path());
        let asked = request(&copy.backups(), "20261130T160000Z-daily");
        let died = kill_at(&copy.home(), "backup", &asked, point);
        let list = json!({"list": {"place": copy.backups()}});
        let (_, said) = worker(&copy.home(), "backup", &list, &[]);
        let listed: Value = serde_json::from_str(&said).unwrap();
        let listed = listed["listed"].as_array().unwrap().clone();
        assert!(!listed.is_empty(), "{point:?}: {said}");
        let (code, said) = worker(
            &copy.home(),
            "backup",
            &request(&copy.backups(), "20261130T160001Z-daily"),
            &[],
        );
        assert!(code == Some(0) && said.contains("\"made\""), "{point:?}: {said}");
        let names: Vec<_> = std::fs::read_dir(copy.backups())
            .unwrap()
            .map(|one| one.unwrap().file_name())
            .collect();
        assert_eq!(names, ["20261130T160001Z-daily"], "{point:?}");
        died
    });
    assert_eq!(place.names(), [id.as_str()]);
}

#[test]
fn a_restore_that_is_killed_anywhere_leaves_old_or_new_data_and_the_next_run_finishes_it() {
    if !has_strace(
        "a_restore_that_is_killed_anywhere_leaves_old_or_new_data_and_the_next_run_finishes_it",
    ) {
        return;
    }
    let (place, id) = a_place();
    let prepare = |backups: &Path| {
        json!({"prepare": {"place": backups, "id": id, "what": "all", "stamp": STAMP, "sha256": null,
                           "seconds": 60, "keep_free_bytes": 0}})
    };
    let exchange = json!({"swap": {"from": format!("userdata.new-{STAMP}"), "stamp": STAMP}});
    let ready = Copied::of(place.dir.path());
    let trace_prepare = points(&ready.home(), "restore", &prepare(&ready.backups()));
    at_each("restore, prepared", &trace_prepare, |_, point| {
        let copy = Copied::of(place.dir.path());
        let died = kill_at(&copy.home(), "restore", &prepare(&copy.backups()), point);
        assert_eq!(read(&copy.home().join(".t3/userdata/settings.json")), "new", "{point:?}");
        finish(&copy, &prepare(&copy.backups()), &exchange, point);
        died
    });
    let swapped = Copied::of(ready.0.path());
    let trace_swap = points(&swapped.home(), "restore", &exchange);
    at_each("restore, exchanged", &trace_swap, |_, point| {
        let copy = Copied::of(ready.0.path());
        let died = kill_at(&copy.home(), "restore", &exchange, point);
        let settings = read(&copy.home().join(".t3/userdata/settings.json"));
        assert!(["old", "new"].contains(&settings.as_str()), "{point:?}: {settings}");
        finish(&copy, &Value::Null, &exchange, point);
        died
    });
}

/// Does what is left, and looks at it.
fn finish(copy: &Copied, prepare: &Value, exchange: &Value, point: &Point) {
    for request in [prepare, exchange].into_iter().filter(|request| !request.is_null()) {
        let (code, said) = worker(&copy.home(), "restore", request, &[]);
        assert!(code == Some(0) && said.trim() == "\"done\"", "{point:?}: {said}");
    }
    let base = copy.home().join(".t3");
    let new = base.join("userdata");
    assert_eq!(read(&new.join("settings.json")), "old", "{point:?}");
    assert_eq!(read(&new.join("attachments/deep/one")), "one", "{point:?}");
    assert_eq!(read(&new.join("attachments/two")), "absent", "{point:?}");
    assert!(new.join("logs").is_dir() && new.join("state.sqlite").is_file(), "{point:?}");
    let before = base.join(format!("userdata.before-{STAMP}"));
    assert_eq!(read(&before.join("settings.json")), "new", "{point:?}");
    assert_eq!(read(&before.join("attachments/two")), "two", "{point:?}");
    let mut names: Vec<_> =
        std::fs::read_dir(&base).unwrap().map(|one| one.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names.len(), 2, "{point:?}: {names:?}");
}
