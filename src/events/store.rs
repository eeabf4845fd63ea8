//! The record of events on disk, bounded: read by anyone who is the user, appended to under a lock.

use super::codec::{self, Log};
use super::event::Event;
use crate::sys::clock::Epoch;
use crate::sys::fs::{Dir, Existing, FileError};
use crate::sys::locks::{self, Lock};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) const EVENTS: &str = "events.tsv";
pub(super) const LOCK: &str = "events.lock";
/// Maximum size of the record, in lines and bytes. When it is reached, a fifth is dropped at once, so that
/// not every event makes the file anew.
const MAX_LINES: usize = 5_000;
const MAX_BYTES: usize = 1 << 20;
const KEPT_LINES: usize = MAX_LINES / 5 * 4;
const KEPT_BYTES: usize = MAX_BYTES / 5 * 4;
/// What is read at most: another program of the user's may have made the file bigger.
const READ: u64 = 2 * MAX_BYTES as u64;
/// How long to wait for another process that appends.
const WAIT: Duration = Duration::from_secs(2);

/// Path of the record in a user's state directory.
pub fn path(dir: &Path) -> PathBuf {
    dir.join(EVENTS)
}

/// Adds an event to the record in the user's state directory, synced, and drops the oldest if it has become
/// too long.
///
/// # Errors
/// If the directory is absent, the disk is full, or something else is in the file's place.
pub fn append(dir: &Path, event: &Event) -> Result<(), FileError> {
    let dir = Dir::open(dir)?;
    let _lock = lock(&dir)?;
    let line = codec::line(event);
    let text = read_file(&dir)?;
    let is_whole = codec::whole_lines(&text).len() == text.len();
    let is_short = codec::lines(&text) < MAX_LINES && text.len() + line.len() <= MAX_BYTES;
    if !text.is_empty() && is_whole && is_short {
        return dir.append(EVENTS, &line);
    }
    let (lines, bytes) =
        if is_short { (MAX_LINES, MAX_BYTES) } else { (KEPT_LINES, KEPT_BYTES - line.len()) };
    let kept = codec::shortened(&text, lines, bytes);
    let bytes = [kept, line].concat();
    match dir.write(EVENTS, &bytes, Existing::Replaced) {
        // The process that has just taken the store's lock removed our temporary file as a leftover.
        Err(error) if error.is_not_found() => dir.write(EVENTS, &bytes, Existing::Replaced),
        written => written,
    }
}

/// Reads the events since a time from the user's state directory. A missing file, or directory, has none.
pub fn read(dir: &Path, since: Epoch) -> Result<Log, FileError> {
    let text = match Dir::open(dir).and_then(|dir| read_file(&dir)) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok(codec::decode(&text, since))
}

pub(super) fn lock(dir: &Dir) -> Result<Lock, FileError> {
    locks::exclusive(dir, LOCK, WAIT)
}

fn read_file(dir: &Dir) -> Result<Vec<u8>, FileError> {
    match dir.read_end(EVENTS, READ) {
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        read => read,
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::Kind;
    use super::*;
    use rustix::fs::{FileType, Mode};
    use std::os::unix::fs::PermissionsExt;

    fn event(time: Epoch) -> Event {
        Event { time, session: Some(b"web".to_vec()), ..Event::default() }
    }

    fn times(dir: &Path) -> Vec<Epoch> {
        read(dir, 0).unwrap().events.iter().map(|one| one.event.time).collect()
    }

    #[test]
    fn events_are_kept_in_order_in_a_private_file_with_named_columns() {
        let dir = tempfile::tempdir().unwrap();
        for time in [1, 2, 3] {
            append(dir.path(), &event(time)).unwrap();
        }
        assert_eq!(times(dir.path()), [1, 2, 3]);
        let file = path(dir.path());
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.starts_with("# time\tkind\tsession\t"), "{text}");
    }

    #[test]
    fn a_line_that_a_killed_writer_left_is_removed_by_the_next() {
        let dir = tempfile::tempdir().unwrap();
        append(dir.path(), &event(1)).unwrap();
        let mut text = std::fs::read(path(dir.path())).unwrap();
        text.extend(b"2\tdeath\tweb");
        std::fs::write(path(dir.path()), text).unwrap();
        assert_eq!(times(dir.path()), [1]);
        append(dir.path(), &event(3)).unwrap();
        let log = read(dir.path(), 0).unwrap();
        assert_eq!((log.events.len(), log.bad), (2, vec![]));
    }

    #[test]
    fn two_writers_lose_nothing_of_each_other() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let dir = dir.path();
                scope.spawn(move || {
                    (0..10).for_each(|n| append(dir, &event(writer * 10 + n)).unwrap());
                });
            }
        });
        let mut times = times(dir.path());
        times.sort_unstable();
        assert_eq!(times, (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn a_record_that_is_full_keeps_its_newest_and_its_totals() {
        let dir = tempfile::tempdir().unwrap();
        let text: Vec<u8> = (1..=MAX_LINES as u64).flat_map(|n| codec::line(&event(n))).collect();
        std::fs::write(path(dir.path()), text).unwrap();
        append(dir.path(), &event(6000)).unwrap();
        let log = read(dir.path(), 0).unwrap();
        assert_eq!(log.events.len(), KEPT_LINES + 1);
        assert_eq!(log.events.last().unwrap().number, MAX_LINES as u64 + 1);
        assert_eq!(log.totals[&(Kind::Death, None)].events, MAX_LINES as u64 + 1);
    }

    #[test]
    fn a_file_that_somebody_made_huge_is_read_in_part_and_made_small() {
        let dir = tempfile::tempdir().unwrap();
        let file = std::fs::File::create(path(dir.path())).unwrap();
        file.set_len(10 << 30).unwrap();
        append(dir.path(), &event(1)).unwrap();
        assert_eq!(times(dir.path()), [1]);
        assert!(path(dir.path()).metadata().unwrap().len() < 1000);
    }

    #[test]
    fn a_fifo_a_link_or_a_directory_in_its_place_is_an_error_and_stays() {
        let root = tempfile::tempdir().unwrap();
        let outside = root.path().join("outside");
        std::fs::write(&outside, "kept\n").unwrap();
        for name in ["fifo", "link", "directory", "locked-fifo", "locked-link"] {
            let dir = root.path().join(name);
            std::fs::create_dir(&dir).unwrap();
            let target = dir.join(if name.starts_with("locked") { LOCK } else { EVENTS });
            match name.rsplit('-').next().unwrap() {
                "fifo" => {
                    let at = rustix::fs::CWD;
                    rustix::fs::mknodat(at, &target, FileType::Fifo, Mode::RWXU, 0).unwrap();
                }
                "link" => std::os::unix::fs::symlink(&outside, &target).unwrap(),
                _ => std::fs::create_dir(&target).unwrap(),
            }
            let error = append(&dir, &event(1)).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
            assert!(target.symlink_metadata().is_ok(), "{name}");
        }
        assert_eq!(std::fs::read(&outside).unwrap(), b"kept\n");
    }

    #[test]
    fn a_missing_directory_has_no_events_and_takes_none() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("absent");
        assert_eq!(read(&dir, 0).unwrap(), Log::default());
        assert!(append(&dir, &event(1)).unwrap_err().is_not_found());
    }
}
