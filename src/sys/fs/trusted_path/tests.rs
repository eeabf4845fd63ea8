//! A hostile user beside root: links, swaps during the walk, directories that others may write.

use super::*;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

const OTHER: u32 = 12_345;

/// A directory of root's alone; none if this process is not root.
fn root() -> Option<tempfile::TempDir> {
    accounts::is_root().then(|| tempfile::tempdir().unwrap())
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn refused(path: &Path, why: &str) {
    let errors = [
        read(path, 99).unwrap_err(),
        open_file(path).map(drop).unwrap_err(),
        open_parent(path).map(drop).unwrap_err(),
        check(path).unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_untrusted() && error.to_string().ends_with(why), "{error}");
    }
}

#[test]
fn a_user_without_rights_finds_nothing_to_be_roots_but_reads_what_is_theirs() {
    if accounts::is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "text").unwrap();
    assert!(read(&dir.path().join("file"), 9).unwrap_err().is_untrusted());
    assert_eq!(read_as_caller(&dir.path().join("file"), 9).unwrap(), b"text");
}

#[test]
fn a_file_of_roots_is_read_within_its_limit() {
    let Some(root) = root() else { return };
    let file = root.path().join("file");
    std::fs::write(&file, "text").unwrap();
    assert_eq!(read(&file, 4).unwrap(), b"text");
    assert!(read(&file, 3).unwrap_err().to_string().ends_with("larger than 3 bytes"));
    let missing = read(&root.path().join("missing"), 4).unwrap_err();
    assert!(missing.is_not_found() && !missing.is_untrusted(), "{missing}");
    assert!(read(root.path(), 4).unwrap_err().to_string().ends_with("not a regular file"));
    assert!(read(&file.join("below"), 4).unwrap_err().to_string().ends_with("not a directory"));
    rustix::fs::mknodat(rustix::fs::CWD, root.path().join("fifo"), FileType::Fifo, Mode::RUSR, 0)
        .unwrap();
    assert!(read(&root.path().join("fifo"), 4).is_err());
}

#[test]
fn owners_and_modes_of_the_file_and_of_all_above_count() {
    let Some(root) = root() else { return };
    let dir = root.path().join("a");
    let file = dir.join("b/file");
    std::fs::create_dir_all(dir.join("b")).unwrap();
    std::fs::write(&file, "text").unwrap();
    let cannot = "others than root can write it";
    for (path, mode, good) in [(&file, 0o664, 0o644), (&file, 0o1666, 0o644), (&dir, 0o775, 0o755)]
    {
        set_mode(path, mode);
        refused(&file, cannot);
        set_mode(path, good);
        read(&file, 9).unwrap();
    }
    for path in [&file, &dir] {
        chown(path, Some(OTHER), None).unwrap();
        refused(&file, "belongs to uid 12345, not to root");
        chown(path, Some(0), None).unwrap();
    }
    // As /tmp: others may add names, and remove only their own.
    set_mode(&dir, 0o1777);
    assert_eq!(read(&file, 9).unwrap(), b"text");
    assert_eq!(open_dir(&dir).unwrap().path(), dir.canonicalize().unwrap());
    let below = open_dir_below(root.path(), Path::new("/a"), Missing::Refused).unwrap_err();
    assert!(below.is_untrusted(), "{below}");
}

#[test]
fn links_are_followed_only_where_they_are_roots() {
    let Some(root) = root() else { return };
    let at = |name: &str| root.path().join(name);
    std::fs::create_dir_all(at("real/deep")).unwrap();
    std::fs::write(at("real/deep/file"), "text").unwrap();
    symlink("real/deep", at("relative")).unwrap();
    symlink(at("relative/../deep/file"), at("absolute")).unwrap();
    symlink("loop", at("loop")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    for path in ["relative/file", "absolute", "real/../relative/./file"] {
        assert_eq!(read(&at(path), 9).unwrap(), b"text", "{path}");
    }
    let (dir, name) = open_parent(&at("absolute")).unwrap();
    assert_eq!(
        (dir.path(), name.to_str()),
        (at("real/deep").canonicalize().unwrap().as_path(), Some("file"))
    );
    assert_eq!(check(&at("absolute")).unwrap(), at("real/deep/file").canonicalize().unwrap());
    assert!(read(&at("loop"), 9).unwrap_err().to_string().contains("Too many levels"));
    assert!(read(&at("dangling"), 9).unwrap_err().is_not_found());
    // A link of another user in a directory for all, to a file of root's.
    std::fs::create_dir(at("tmp")).unwrap();
    set_mode(&at("tmp"), 0o1777);
    symlink(at("real/deep/file"), at("tmp/theirs")).unwrap();
    std::os::unix::fs::lchown(at("tmp/theirs"), Some(OTHER), None).unwrap();
    refused(&at("tmp/theirs"), "belongs to uid 12345, not to root");
    // A link of root's into a place of another user's.
    std::fs::create_dir(at("theirs")).unwrap();
    std::fs::write(at("theirs/file"), "evil").unwrap();
    chown(at("theirs"), Some(OTHER), None).unwrap();
    symlink(at("theirs/file"), at("into")).unwrap();
    refused(&at("into"), "belongs to uid 12345, not to root");
    let below = open_dir_below(root.path(), Path::new("/relative"), Missing::Made).unwrap_err();
    assert!(below.to_string().ends_with("a link: not followed"), "{below}");
}

#[test]
fn missing_directories_are_made_for_all_to_pass_and_only_below_roots() {
    let Some(root) = root() else { return };
    let before = nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    let created = ensure_dir(&root.path().join("a/b"));
    nix::sys::stat::umask(before);
    created.unwrap();
    for dir in ["a", "a/b"] {
        let mode = root.path().join(dir).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o755, "{dir}");
    }
    chown(root.path().join("a"), Some(OTHER), None).unwrap();
    assert!(ensure_dir(&root.path().join("a/c")).unwrap_err().is_untrusted());
    assert!(!root.path().join("a/c").exists());
}

/// Exchanges two entries for as long as `read` runs.
fn while_swapped(one: &Path, two: &Path, check: impl Fn()) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let flags = rustix::fs::RenameFlags::EXCHANGE;
            while !done.load(Ordering::Relaxed) {
                rustix::fs::renameat_with(rustix::fs::CWD, one, rustix::fs::CWD, two, flags)
                    .unwrap();
            }
        });
        for _ in 0..2_000 {
            check();
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn what_is_swapped_during_the_check_is_never_read() {
    let Some(root) = root() else { return };
    let at = |name: &str| root.path().join(name);
    for (dir, text) in [("ours", "good"), ("theirs", "evil")] {
        std::fs::create_dir(at(dir)).unwrap();
        std::fs::write(at(dir).join("file"), text).unwrap();
    }
    // Only the directory is another user's: by the file alone nobody could tell.
    chown(at("theirs"), Some(OTHER), None).unwrap();
    std::fs::write(at("file"), "good").unwrap();
    std::fs::write(at("other"), "evil").unwrap();
    chown(at("other"), Some(OTHER), None).unwrap();
    std::fs::write(at("plain"), "good").unwrap();
    symlink("theirs/file", at("link")).unwrap();
    let never_evil = |path: &Path| match read(path, 9) {
        Ok(bytes) => assert_eq!(bytes, b"good"),
        Err(error) => {
            let text = error.to_string();
            assert!(error.is_untrusted() || text.contains("a link: not followed"), "{text}");
        }
    };
    while_swapped(&at("ours"), &at("theirs"), || never_evil(&at("ours/file")));
    while_swapped(&at("file"), &at("other"), || never_evil(&at("file")));
    while_swapped(&at("plain"), &at("link"), || never_evil(&at("plain")));
}
