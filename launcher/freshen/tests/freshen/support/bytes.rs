//! Every byte of a clone, before and after.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// All files below a directory, but for what fetching is for: objects, remote-tracking refs and
/// `FETCH_HEAD`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bytes(BTreeMap<PathBuf, Entry>);

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    mode: u32,
    /// Of working files: touched is not left alone.
    modified: Option<(i64, i64)>,
    content: Vec<u8>,
}

impl Bytes {
    pub(crate) fn of(directory: &Path) -> Self {
        let mut entries = BTreeMap::new();
        collect(directory, Path::new(""), &mut entries);
        Self(entries)
    }

    /// Fails with the names of what differs.
    #[track_caller]
    pub(crate) fn assert_same(&self, after: &Self) {
        let names: std::collections::BTreeSet<_> = self.0.keys().chain(after.0.keys()).collect();
        let differ: Vec<_> =
            names.into_iter().filter(|name| self.0.get(*name) != after.0.get(*name)).collect();
        assert!(differ.is_empty(), "not left alone: {differ:?}");
    }
}

fn collect(root: &Path, below: &Path, entries: &mut BTreeMap<PathBuf, Entry>) {
    for entry in std::fs::read_dir(root.join(below)).unwrap() {
        let name = below.join(entry.unwrap().file_name());
        let path = root.join(&name);
        let meta = path.symlink_metadata().unwrap();
        if is_bookkeeping(&name) {
            continue;
        }
        let content = if meta.is_symlink() {
            path.read_link().unwrap().into_os_string().into_encoded_bytes()
        } else if meta.is_dir() {
            collect(root, &name, entries);
            Vec::new()
        } else {
            content(&path)
        };
        let is_working_file = !name.starts_with(".git") && !meta.is_dir();
        // Made by git for the first remote-tracking ref.
        if [".git/logs", ".git/logs/refs"].iter().any(|parent| name == Path::new(parent)) {
            continue;
        }
        let modified = is_working_file.then(|| (meta.mtime(), meta.mtime_nsec()));
        entries.insert(name, Entry { mode: meta.mode(), modified, content });
    }
}

fn content(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    if path.file_name() != Some("packed-refs".as_ref()) {
        return bytes;
    }
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let others = |line: &&[u8]| !line.windows(14).any(|part| part == b" refs/remotes/");
    lines.filter(others).flatten().copied().collect()
}

fn is_bookkeeping(name: &Path) -> bool {
    let below = ["objects", "refs/remotes", "logs/refs/remotes"];
    name.strip_prefix(".git").is_ok_and(|name| {
        name.file_name() == Some("FETCH_HEAD".as_ref()) || below.iter().any(|b| name.starts_with(b))
    })
}

/// The lock files below a directory.
pub(crate) fn locks(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    let below = paths.iter().filter(|path| path.is_dir() && !path.is_symlink());
    let mut found: Vec<PathBuf> = below.flat_map(|path| locks(path)).collect();
    found.extend(paths.into_iter().filter(|path| path.extension() == Some("lock".as_ref())));
    found
}
