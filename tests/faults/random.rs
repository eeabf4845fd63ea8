//! State directories filled at random with sound, torn, changed and foreign files: the newest sound
//! snapshot is found, everything else is named and left alone.

use crate::support::random::Random;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;
use terminal_lobby::snapshot::{Row, Snapshot, SnapshotId, Store, decode, encode};

/// Directories; each holds a dozen files.
const CASES: usize = 2500;
const FILES: usize = 12;

fn snapshot(random: &mut Random) -> Vec<u8> {
    let row = |n: usize| Row {
        session: format!("s{n}").into_bytes(),
        cwd: vec![b'/', 0xff, b'\t'],
        ..Row::default()
    };
    let rows = (0..=random.below(5)).map(row).collect();
    encode(&Snapshot { host: random.below(9).to_string(), rows, ..Snapshot::default() })
}

/// Makes something at `path`.
fn make(random: &mut Random, path: &Path) {
    let mut bytes = snapshot(random);
    let at = random.below(bytes.len());
    match random.below(11) {
        0 => bytes.truncate(at),
        1 => bytes[at] ^= 1 << random.below(8),
        2 => bytes.fill(0),
        3 => bytes.clear(),
        4 => bytes.extend_from_slice(b"more\n"),
        5 => bytes = String::from_utf8_lossy(&bytes).replace("version 1", "version 2").into(),
        6 => return std::fs::create_dir(path).unwrap(),
        7 => return std::os::unix::fs::symlink("/etc/passwd", path).unwrap(),
        8 => return drop(UnixListener::bind(path).unwrap()),
        _ => {}
    }
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn among_files_of_any_kind_the_newest_sound_snapshot_is_found() {
    let root = tempfile::Builder::new().prefix("tl-").tempdir_in("/tmp").unwrap();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let (mut files, mut found) = (0, 0);
    for case in 0..CASES {
        let state = root.path().join(case.to_string());
        std::fs::create_dir(&state).unwrap();
        let mut store = Store::create(&state, "u").unwrap();
        drop(store.lock(Duration::ZERO).unwrap());
        let dir = state.join("u/snapshots");
        let mut ids: Vec<SnapshotId> = Vec::new();
        for n in 0..random.below(FILES) {
            let id =
                SnapshotId::next(u64::try_from(1000 + n / 2).unwrap(), ids.last().copied(), None);
            make(&mut random, &dir.join(id.file_name()));
            ids.push(id);
        }
        files += ids.len();
        let is_sound = |id: &&SnapshotId| {
            let path = dir.join(id.file_name());
            let is_file = path.symlink_metadata().unwrap().is_file();
            is_file && decode(&std::fs::read(path).unwrap()).is_ok()
        };
        let expected = ids.iter().rev().find(is_sound).copied();
        let passed_over = ids.iter().rev().take_while(|id| Some(**id) != expected).count();
        let mut notes = Vec::new();
        let newest = store.newest(&mut notes).unwrap().map(|(_, stored)| stored.id);
        assert_eq!(newest, expected, "{}", dir.display());
        assert_eq!(notes.len(), passed_over, "each that is newer is named: {notes:?}");
        drop(store.lock(Duration::ZERO).unwrap());
        assert_eq!(store.ids().unwrap().0.len(), ids.len(), "all of them are left alone");
        found += usize::from(expected.is_some());
        std::fs::remove_dir_all(&state).unwrap();
    }
    println!("{CASES} directories with {files} files, a sound snapshot found in {found}");
    assert!(found > CASES / 2 && files > 10_000, "{found} {files}");
}
