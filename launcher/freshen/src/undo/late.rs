//! Whether a tree that an update left half-way was changed since: then it is the user's, and nothing is
//! undone.

use crate::changes::Change;
use crate::git;
use shared::child::{self, Until};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// A file that the update was writing when it was killed is no older than this, compared with the newest
/// that it finished.
const CLOSE: Duration = Duration::from_secs(2);
/// How long git may take to name the files' contents.
const QUESTION: Duration = Duration::from_secs(10);

/// What an update left, and where the old files are.
pub(super) struct Kept<'a> {
    pub(super) clone: &'a Path,
    pub(super) changes: &'a [Change],
    pub(super) dir: &'a Path,
    pub(super) index: &'a Path,
    pub(super) lock: &'a Path,
    pub(super) absent: &'a BTreeSet<usize>,
}

impl Kept<'_> {
    /// Whether a file that differs from the old one can be the user's: it is neither what the update
    /// writes there, nor as old as what the update wrote.
    pub(super) fn changed_since(&self, environment: &[(OsString, OsString)]) -> bool {
        let Ok(begun) = self.dir.join("journal").metadata().and_then(|meta| meta.modified()) else {
            return true;
        };
        let changed: Vec<&Change> = self.differing().collect();
        let finished = self.finished(&changed, environment);
        let time = |path: &Path| path.symlink_metadata().and_then(|meta| meta.modified()).ok();
        let times = changed.iter().zip(&finished).filter(|(_, finished)| **finished);
        let times = times.filter_map(|(change, _)| time(&self.clone.join(&change.path)));
        let end = times.chain([begun]).max().unwrap_or(begun) + CLOSE;
        let is_late = |when: Option<SystemTime>| when.is_some_and(|when| when > end);
        let others = changed.iter().zip(&finished).filter(|(_, finished)| !**finished);
        let kept_index = self.dir.join(super::INDEX);
        let index_differs = !is_same(self.index, &kept_index);
        others.into_iter().any(|(change, _)| is_late(time(&self.clone.join(&change.path))))
            || (index_differs && is_late(time(self.index)))
            || is_late(time(self.lock))
    }

    /// The changes whose path has something other than the old file.
    fn differing(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().enumerate().filter_map(|(number, change)| {
            let path = self.clone.join(&change.path);
            let meta = path.symlink_metadata().ok().filter(|meta| !meta.is_dir())?;
            let is_old = !self.absent.contains(&number)
                && self.dir.join(number.to_string()).symlink_metadata().is_ok_and(|old| {
                    (old.dev(), old.ino()) == (meta.dev(), meta.ino()) || super::same(&old, &meta)
                });
            (!is_old).then_some(change)
        })
    }

    /// Which of the files have the content that the update writes there, one answer each.
    fn finished(&self, changed: &[&Change], environment: &[(OsString, OsString)]) -> Vec<bool> {
        let mut command = git::git(self.clone, environment);
        command.args(["hash-object", "--no-filters", "--"]);
        let is_plain = |change: &&&Change| !change.path.as_os_str().as_bytes().contains(&b'\n');
        let regular = |change: &&&Change| {
            self.clone.join(&change.path).symlink_metadata().is_ok_and(|meta| meta.is_file())
        };
        // What does not fit into one command line counts as unknown.
        let asked: Vec<&&Change> =
            changed.iter().filter(is_plain).filter(regular).take(900).collect();
        command.args(asked.iter().map(|change| &change.path));
        let until = Until { end: Instant::now() + QUESTION, cancel: None };
        let answer = match child::run(command, until) {
            Ok(output) if output.success && !asked.is_empty() => output.stdout,
            _ => Vec::new(),
        };
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let known: BTreeSet<&Path> = asked
            .iter()
            .zip(answer.lines())
            .filter(|(change, id)| change.new.as_deref() == Some(*id))
            .map(|(change, _)| change.path.as_path())
            .collect();
        changed.iter().map(|change| known.contains(change.path.as_path())).collect()
    }
}

fn is_same(a: &Path, b: &Path) -> bool {
    let id = |path: &Path| path.symlink_metadata().ok().map(|meta| (meta.dev(), meta.ino()));
    id(a) == id(b)
}
