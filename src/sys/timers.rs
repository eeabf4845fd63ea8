//! Timers of systemd.

use super::fs::{Dir, Existing, FileError};
use std::path::Path;

/// Says that a persistent timer has just run: it makes up for nothing when it is started. What
/// systemd.timer(5) keeps for that is the time of an empty file.
pub fn touch_stamp(unit: &str) -> Result<(), FileError> {
    let dir = Dir::open(Path::new("/var/lib/systemd/timers"));
    match dir {
        Ok(dir) => dir.write_as(&format!("stamp-{unit}"), b"", Existing::Replaced, 0o644),
        Err(error) if error.is_not_found() => Ok(()), // no persistent timer ever was
        Err(error) => Err(error),
    }
}
