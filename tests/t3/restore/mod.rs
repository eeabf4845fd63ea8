//! Restores of instances: what comes back, and what a kill at any moment leaves.

mod killed;
mod whole;

use super::backup::Place;
use super::instance::{Instance, credential, mint};
use super::transcripts::BROWSER_SESSION;
use std::path::Path;
use terminal_lobby::sys::Dir;
use terminal_lobby::t3::backup::BackupId;
use terminal_lobby::t3::backup::protocol::Kind;
use terminal_lobby::t3::backup::user::UserError;
use terminal_lobby::t3::restore::What;
use terminal_lobby::t3::restore::user::{Order, prepare, set_aside, swap};

const STAMP: &str = "20261130T160000Z-1";

fn base(place: &Place) -> Dir {
    Dir::open(&place.base()).unwrap()
}

fn prepared(place: &Place, id: &BackupId, what: What, stamp: &str) -> Result<(), UserError> {
    let order = Order { id, what, stamp, sha256: None, seconds: 60, keep_free_bytes: 0 };
    prepare(&base(place), &place.shelf(), &order)
}

fn restore(place: &Place, id: &BackupId, what: What, stamp: &str) {
    prepared(place, id, what, stamp).unwrap();
    swap(&base(place), &format!("userdata.new-{stamp}"), stamp).unwrap();
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|_| "absent".to_owned())
}

/// The outage of June, and the way back: a newer program's command line makes an older server useless until its
/// database is restored.
#[test]
fn a_cookie_from_before_is_valid_again_after_the_database_is_restored() {
    for what in [What::Database, What::All] {
        let place = Place::new();
        let instance = Instance::start("0.0.26", "127.0.0.1", &place.base());
        let given = instance.exchange(BROWSER_SESSION, &credential("0.0.26", &place.base()));
        let cookie = given.cookie().unwrap().to_owned();
        std::fs::write(place.data("attachments/one"), "one").unwrap();
        std::fs::write(place.data("settings.json"), "old").unwrap();
        let (id, _) = place.back_up().unwrap();
        std::fs::write(place.data("attachments/two"), "two").unwrap();
        std::fs::write(place.data("settings.json"), "new").unwrap();
        rusqlite::Connection::open(place.data("state.sqlite"))
            .unwrap()
            .execute_batch("DELETE FROM auth_sessions")
            .unwrap();
        assert!(!instance.is_session(&cookie));
        prepared(&place, &id, what, STAMP).unwrap();
        assert!(!instance.is_session(&cookie), "nothing has changed yet");
        instance.stop();
        swap(&base(&place), &format!("userdata.new-{STAMP}"), STAMP).unwrap();
        let instance = Instance::start("0.0.26", "127.0.0.1", &place.base());
        assert!(instance.is_session(&cookie) && mint("0.0.26", &place.base()).status.success());
        let expected = match what {
            What::Database => ("new", "two"),
            What::All => ("old", "absent"),
        };
        let (settings, two) = (place.data("settings.json"), place.data("attachments/two"));
        assert_eq!((read(&settings).as_str(), read(&two).as_str()), expected);
        assert_eq!(read(&place.data("attachments/one")), "one");
        // And back: the set-aside data are whole.
        instance.stop();
        let base = base(&place);
        assert_eq!(set_aside(&base).unwrap(), [format!("userdata.before-{STAMP}")]);
        swap(&base, &format!("userdata.before-{STAMP}"), "20261130T160001Z-2").unwrap();
        assert_eq!((read(&settings).as_str(), read(&two).as_str()), ("new", "two"));
        let instance = Instance::start("0.0.26", "127.0.0.1", &place.base());
        assert!(!instance.is_session(&cookie));
    }
}

#[test]
fn a_backup_that_is_not_as_it_was_made_is_not_restored() {
    let place = Place::new();
    drop(Instance::start("0.0.26", "127.0.0.1", &place.base()));
    std::fs::create_dir(place.data("attachments/deep")).unwrap();
    std::fs::write(place.data("attachments/deep/one"), "one").unwrap();
    let (id, _) = place.back_up().unwrap();
    for name in ["state.sqlite", "secrets/server-signing-key.bin", "attachments/deep/one"] {
        let file = place.copy(&id, name);
        let whole = std::fs::read(&file).unwrap();
        let mut other = whole.clone();
        other[0] ^= 1;
        for bytes in [other, [&whole[..], b"more"].concat(), whole[1..].to_vec()] {
            std::fs::write(&file, bytes).unwrap();
            let error = prepared(&place, &id, What::All, STAMP).unwrap_err();
            assert_eq!(error.kind(), Kind::Corrupt, "{name}: {error}");
            assert!(!place.base().join(format!("userdata.new-{STAMP}")).exists());
        }
        std::fs::write(&file, whole).unwrap();
    }
    let order = Order {
        id: &id,
        what: What::All,
        stamp: STAMP,
        sha256: Some("other"),
        seconds: 60,
        keep_free_bytes: 0,
    };
    let error = prepare(&base(&place), &place.shelf(), &order).unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt, "{error}");
    let order = Order { sha256: None, keep_free_bytes: u64::MAX, ..order };
    let error = prepare(&base(&place), &place.shelf(), &order).unwrap_err();
    assert_eq!(error.kind(), Kind::Full, "{error}");
    restore(&place, &id, What::All, STAMP);
    // No name leads out of the base directory.
    for from in ["userdata", "..", "userdata.new-", "userdata.new-../../x", "userdata.before-x y"] {
        assert!(swap(&base(&place), from, STAMP).is_err(), "{from}");
    }
}

#[test]
fn the_last_two_that_were_set_aside_are_kept() {
    let place = Place::new();
    drop(Instance::start("0.0.26", "127.0.0.1", &place.base()));
    let (id, _) = place.back_up().unwrap();
    for second in 0..4 {
        restore(&place, &id, What::All, &format!("20261130T16000{second}Z-1"));
    }
    let kept = ["userdata.before-20261130T160003Z-1", "userdata.before-20261130T160002Z-1"];
    assert_eq!(set_aside(&base(&place)).unwrap(), kept);
}
