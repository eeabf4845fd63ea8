//! Things that do not belong in a state directory: nothing hangs, nothing is followed, and what is left out is said.

use super::super::instance::Instance;
use super::Place;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use terminal_lobby::t3::backup::protocol::Kind;

fn fifo(path: &std::path::Path) {
    nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
}

#[test]
fn what_is_no_file_is_left_out_with_a_note_and_odd_names_are_kept() {
    let mut place = Place::new();
    drop(Instance::start("0.0.26", "127.0.0.1", &place.base()));
    place.limits.max_file_bytes = 1 << 20;
    let secret = place.dir.path().join("secret");
    std::fs::write(&secret, "not yours").unwrap();
    let at = |name: &str| place.data("attachments").join(name);
    fifo(&at("fifo"));
    symlink(&secret, at("link")).unwrap();
    symlink("/", at("root")).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    std::fs::File::create(at("sparse")).unwrap().set_len(200 << 30).unwrap();
    let odd = OsStr::from_bytes(b"new\nline \xff\x1b[31m\t\\");
    std::fs::write(at("").join(odd), "odd").unwrap();
    let mut deep = at("deep");
    for _ in 0..30 {
        std::fs::create_dir(&deep).unwrap();
        std::fs::write(deep.join("file"), "").unwrap();
        deep.push("deep");
    }
    std::fs::remove_file(place.data("settings.json")).unwrap();
    fifo(&place.data("settings.json"));
    std::fs::remove_file(place.data("keybindings.json")).unwrap();
    symlink(&secret, place.data("keybindings.json")).unwrap();
    std::fs::File::create(place.data("anonymous-id")).unwrap().set_len(1 << 40).unwrap();
    symlink(&secret, place.data("secrets/key")).unwrap();
    let (id, made) = place.back_up().unwrap();
    let notes = made.notes.join("\n");
    for wanted in [
        "attachments/fifo: neither",
        "attachments/link: neither",
        "attachments/root: neither",
        "attachments/socket: neither",
        "attachments/sparse: larger than",
        "directories deep",
        "settings.json: not a regular file",
        "keybindings.json: a link",
        "anonymous-id: larger than",
        "secrets/key: a link",
    ] {
        assert!(notes.contains(wanted), "{wanted}: {notes}");
    }
    assert!(!notes.contains('\x1b'));
    assert_eq!(std::fs::read(place.copy(&id, "attachments").join(odd)).unwrap(), b"odd");
    let (second, _) = place.back_up().unwrap();
    assert!(place.manifest(&second).linked > 1, "the odd name is known again");
}

#[test]
fn a_database_that_is_none_is_refused_and_no_link_leads_to_another() {
    let place = Place::new();
    assert_eq!(place.back_up().unwrap_err().kind(), Kind::NoData);
    std::fs::create_dir_all(place.data("")).unwrap();
    assert_eq!(place.back_up().unwrap_err().kind(), Kind::NoData);
    let file = place.data("state.sqlite");
    fifo(&file);
    assert_eq!(place.back_up().unwrap_err().kind(), Kind::Other);
    std::fs::remove_file(&file).unwrap();
    let other = Place::new();
    drop(Instance::start("0.0.26", "127.0.0.1", &other.base()));
    symlink(other.data("state.sqlite"), &file).unwrap();
    assert_eq!(place.back_up().unwrap_err().kind(), Kind::Other);
    std::fs::remove_dir_all(place.data("")).unwrap();
    symlink(other.data(""), place.base().join("userdata")).unwrap();
    let error = place.back_up().unwrap_err().to_string();
    assert!(error.contains("not followed"), "{error}");
    assert_eq!(place.names(), [""; 0]);
    // The base directory itself may be on another disk.
    std::fs::remove_dir_all(place.base()).unwrap();
    symlink(other.base(), place.base()).unwrap();
    place.back_up().unwrap();
}

#[test]
fn more_files_than_there_may_be_are_left_out_with_a_note() {
    let mut place = Place::new();
    drop(Instance::start("0.0.26", "127.0.0.1", &place.base()));
    place.limits.max_files = 100;
    let flood = place.data("attachments/flood");
    std::fs::create_dir(&flood).unwrap();
    for number in 0..150 {
        std::fs::write(flood.join(number.to_string()), "").unwrap();
    }
    std::fs::write(place.data("attachments/kept"), "").unwrap();
    let (id, made) = place.back_up().unwrap();
    assert!(made.notes[0].contains("flood: more than 100 entries"), "{:?}", made.notes);
    assert_eq!(place.manifest(&id).attachments, 1);
    place.limits.max_bytes = 10;
    for name in ["a", "b"] {
        std::fs::write(place.data("attachments").join(name), "123456").unwrap();
    }
    let (id, made) = place.back_up().unwrap();
    assert!(made.notes[0].contains("altogether"), "{:?}", made.notes);
    assert_eq!(place.manifest(&id).attachments, 1);
}
