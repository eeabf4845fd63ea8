//! What a backup holds.

use super::super::instance::{Instance, credential};
use super::{Place, query};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use terminal_lobby::t3::backup::protocol::Kind;

/// Adds events to a database until it is told to stop; gives how many it added.
fn writer(file: &std::path::Path, stop: &AtomicBool, written: &AtomicU64) {
    let mut database = rusqlite::Connection::open(file).unwrap();
    database.busy_timeout(Duration::from_secs(20)).unwrap();
    while !stop.load(Ordering::Relaxed) {
        // Two rows at once: a copy that has one of them alone is not of one moment.
        let add = database.transaction().unwrap();
        for _ in 0..2 {
            add.execute(
                "INSERT INTO orchestration_events (payload) VALUES (?1)",
                ["x".repeat(2000)],
            )
            .unwrap();
        }
        add.commit().unwrap();
        written.fetch_add(2, Ordering::Relaxed);
    }
}

#[test]
fn a_backup_of_a_live_instance_is_of_one_moment_and_has_all_that_is_needed() {
    let place = Place::new();
    let _instance = Instance::start("0.0.26", "127.0.0.1", &place.base());
    credential("0.0.26", &place.base());
    std::fs::create_dir(place.data("attachments/deep")).unwrap();
    for name in ["attachments/one.png", "attachments/deep/two.png", "logs/server.log"] {
        std::fs::write(place.data(name), name).unwrap();
    }
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
    let (id, made) = std::thread::scope(|scope| {
        scope.spawn(|| writer(&place.data("state.sqlite"), &stop, &written));
        crate::support::wait_until("it writes", || written.load(Ordering::Relaxed) > 100);
        let made = place.back_up().unwrap();
        stop.store(true, Ordering::Relaxed);
        made
    });
    assert_eq!((made.notes, made.removed), (Vec::<String>::new(), Vec::new()));
    let copy = place.copy(&id, "state.sqlite");
    let events = query(&copy, "SELECT count(*) FROM orchestration_events");
    assert!(events >= 100 && events % 2 == 0, "{events}");
    let manifest = place.manifest(&id);
    assert_eq!(manifest.migration_level, Some(32));
    assert_eq!((manifest.attachments, manifest.linked), (2, 0));
    let names: Vec<&String> = manifest.files.keys().collect();
    let expected = [
        "environment-id",
        "keybindings.json",
        "secrets/server-signing-key.bin",
        "settings.json",
        "state.sqlite",
    ];
    assert_eq!(names, expected);
    let environment = std::fs::read_to_string(place.data("environment-id")).unwrap();
    assert_eq!(manifest.environment, Some(environment));
    for name in expected.iter().chain(&["attachments/one.png", "attachments/deep/two.png"]) {
        let stat = place.copy(&id, name).metadata().unwrap();
        assert_eq!(stat.permissions().mode() & 0o777, 0o600, "{name}");
        let (original, copy) =
            (std::fs::read(place.data(name)), std::fs::read(place.copy(&id, name)));
        if *name == "state.sqlite" {
            assert_eq!(copy.unwrap().len() as u64, manifest.files[*name].bytes);
        } else {
            assert_eq!(original.unwrap(), copy.unwrap(), "{name}");
        }
    }
    assert!(!place.copy(&id, "logs").exists());
    for name in ["state.sqlite-wal", "state.sqlite-shm", "state.sqlite-journal"] {
        assert!(!place.copy(&id, name).exists(), "{name}");
    }
}

#[test]
fn attachments_that_have_not_changed_take_no_room_again() {
    let place = Place::new();
    drop(Instance::start("0.0.26", "127.0.0.1", &place.base()));
    for name in ["same", "changed", "removed"] {
        std::fs::write(place.data("attachments").join(name), "x".repeat(100_000)).unwrap();
    }
    let (first, made) = place.back_up().unwrap();
    assert!(made.bytes > 300_000);
    std::fs::write(place.data("attachments/changed"), "y".repeat(100_000)).unwrap();
    std::fs::remove_file(place.data("attachments/removed")).unwrap();
    let (second, made) = place.back_up().unwrap();
    assert!(made.bytes > 100_000 && made.bytes < 200_000, "{}", made.bytes);
    let inode = |id, name: &str| place.copy(id, name).metadata().unwrap().ino();
    assert_eq!(inode(&first, "attachments/same"), inode(&second, "attachments/same"));
    assert_ne!(inode(&first, "attachments/changed"), inode(&second, "attachments/changed"));
    assert!(!place.copy(&second, "attachments/removed").exists());
    assert_eq!(
        std::fs::read(place.copy(&second, "attachments/changed")).unwrap(),
        b"y".repeat(100_000)
    );
    let manifest = place.manifest(&second);
    assert_eq!((manifest.attachments, manifest.linked), (2, 1));
    // The original is never a link of a copy: what is written to it in place stays out of all backups.
    assert_ne!(
        place.data("attachments/same").metadata().unwrap().ino(),
        inode(&first, "attachments/same")
    );
}

#[test]
fn a_database_that_is_damaged_says_so_and_the_older_backup_stays() {
    let place = Place::new();
    drop(Instance::start("0.0.26", "127.0.0.1", &place.base()));
    let (first, _) = place.back_up().unwrap();
    let file = place.data("state.sqlite");
    query(&file, "PRAGMA wal_checkpoint(TRUNCATE)");
    let whole = std::fs::read(&file).unwrap();
    let page = usize::try_from(query(&file, "PRAGMA page_size")).unwrap();
    for damage in ["a page", "the header", "half of it"] {
        let mut bytes = whole.clone();
        match damage {
            "a page" => bytes[page..].fill(0xa5),
            "the header" => bytes[..16].fill(b'x'),
            _ => bytes.truncate(bytes.len() / 2),
        }
        std::fs::write(&file, bytes).unwrap();
        let error = place.back_up().unwrap_err();
        assert_eq!(error.kind(), Kind::Corrupt, "{damage}: {error}");
        assert_eq!(place.names(), [first.as_str()], "{damage}");
    }
}

#[test]
fn a_locked_database_is_waited_for_as_long_as_a_backup_may_take() {
    let mut place = Place::new();
    drop(Instance::start("0.0.26", "127.0.0.1", &place.base()));
    let file = place.data("state.sqlite");
    let locker = rusqlite::Connection::open(&file).unwrap();
    let lock = "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM auth_sessions;";
    locker.execute_batch(lock).unwrap();
    place.limits.seconds = 1;
    let begin = Instant::now();
    let error = place.back_up().unwrap_err();
    assert_eq!(error.kind(), Kind::Deadline, "{error}");
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    assert_eq!(place.names(), [""; 0]);
    place.limits.seconds = 60;
    let made = std::thread::scope(|scope| {
        let waits = scope.spawn(|| place.back_up().map_err(|error| error.to_string()));
        locker.execute_batch("COMMIT").unwrap();
        drop(locker);
        waits.join().unwrap()
    });
    made.unwrap();
}
