//! Stamps of systemd's persistent timers.

use super::fs::{Dir, Existing, FileError};
use std::path::Path;

/// Marks a persistent timer as having just run, so that starting it catches up with nothing. The stamp
/// is the time of an empty file (systemd.timer(5)).
pub fn touch_stamp(unit: &str) -> Result<(), FileError> {
    let dir = Dir::open(Path::new("/var/lib/systemd/timers"));
    match dir {
        Ok(dir) => dir.write_as(&format!("stamp-{unit}"), b"", Existing::Replaced, 0o644),
        Err(error) if error.is_not_found() => Ok(()), // there never was a persistent timer
        Err(error) => Err(error),
    }
}
