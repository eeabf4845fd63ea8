//! How much is in each user's own state directory: nothing bounds it, since the user may write there, so root says it.

use super::task::{TaskResult, UserReport};
use crate::persist::Report;
use crate::sys::Dir;
use rustix::fs::FileType;

/// A sound directory is far below: snapshots are thinned, and each is some KB.
const MAX_BYTES: u64 = 1 << 30;
/// Maximum number of entries that are counted; more than that are too many.
const MAX_ENTRIES: usize = 50_000;
/// Below the user's directory.
const MAX_DEPTH: usize = 3;

/// Adds a note to the reports of `status` on users whose directory is too large.
pub(crate) fn enter(done: &mut TaskResult) {
    if !done.by_root {
        return;
    }
    let Ok(state) = Dir::open(&done.state_dir) else { return };
    for UserReport { user, report, .. } in &mut done.reports {
        let Report::Status(standing) = report else { continue };
        let dir = state.open_dir(user.as_str()).ok();
        standing.notes.extend(dir.and_then(|dir| too_large(&dir, MAX_BYTES)));
    }
}

/// What there is to say about a directory with more than `max` bytes on disk, or too many files.
fn too_large(dir: &Dir, max: u64) -> Option<String> {
    let mut found = Found::default();
    count(dir, 0, &mut found);
    let path = crate::text::shown(dir.path());
    if found.entries >= MAX_ENTRIES {
        return Some(format!(
            "{path} has more than {MAX_ENTRIES} files; a quota bounds what users write"
        ));
    }
    (found.bytes > max).then(|| {
        format!(
            "{path} takes {} MiB of the disk; a quota bounds what users write",
            found.bytes >> 20
        )
    })
}

#[derive(Default)]
struct Found {
    entries: usize,
    bytes: u64,
}

/// Only inodes are looked at, by descriptors; no link is followed.
fn count(dir: &Dir, depth: usize, found: &mut Found) {
    let left = MAX_ENTRIES.saturating_sub(found.entries);
    let Ok(Some(names)) = dir.names(left) else {
        found.entries = MAX_ENTRIES;
        return;
    };
    for name in names {
        found.entries += 1;
        let Ok(Some(stat)) = dir.stat(&name) else { continue };
        found.bytes = found.bytes.saturating_add(512 * u64::try_from(stat.st_blocks).unwrap_or(0));
        if FileType::from_raw_mode(stat.st_mode).is_dir()
            && depth < MAX_DEPTH
            && let Ok(below) = dir.open_dir(&name)
        {
            count(&below, depth + 1, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_takes_too_much_is_named_and_links_are_not_followed() {
        let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::create_dir_all(root.path().join("a/b")).unwrap();
        std::fs::write(root.path().join("a/b/large"), vec![1; 200 << 10]).unwrap();
        std::fs::write(other.path().join("larger"), vec![1; 2 << 20]).unwrap();
        std::os::unix::fs::symlink(other.path(), root.path().join("link")).unwrap();
        let dir = Dir::open(root.path()).unwrap();
        assert_eq!(too_large(&dir, 1 << 20), None);
        let said = too_large(&dir, 100 << 10).unwrap();
        assert!(said.contains("MiB of the disk"), "{said}");
    }

    #[test]
    fn too_many_files_are_counted_no_further() {
        let root = tempfile::tempdir().unwrap();
        let dir = Dir::open(root.path()).unwrap();
        let mut found = Found { entries: MAX_ENTRIES - 2, bytes: 0 };
        for name in ["a", "b", "c"] {
            std::fs::write(root.path().join(name), "").unwrap();
        }
        count(&dir, 0, &mut found);
        assert_eq!(found.entries, MAX_ENTRIES);
    }
}
