//! Reading the beginning of a transcript: JSON lines, the last of which may be cut.

use super::{Description, MAX_TITLE};
use crate::sys::Dir;
use serde_json::Value;

/// As much of a transcript as is read (bytes).
pub(super) const START: u64 = 64 << 10;

/// Describes the transcript `file` in `dir`; `cwd` and `title` look into one line each, and the
/// first line that has the thing counts.
pub(super) fn describe(
    dir: &Dir,
    file: &str,
    cwd: impl Fn(&Value) -> Option<&str>,
    title: impl Fn(&Value) -> Option<&str>,
) -> Option<Description> {
    let stat = dir.stat(file).ok()??;
    let beginning = dir.read_start(file, START).ok()?;
    let (mut found_cwd, mut found_title) = (None, None);
    for line in beginning.split(|&byte| byte == b'\n') {
        let Ok(line) = serde_json::from_slice::<Value>(line) else { continue };
        found_cwd = found_cwd.or_else(|| cwd(&line).map(Into::into));
        let shorten = |title: &str| title.trim().chars().take(MAX_TITLE).collect();
        found_title = found_title.or_else(|| title(&line).map(shorten));
        if found_cwd.is_some() && found_title.is_some() {
            break;
        }
    }
    Some(Description {
        transcript: dir.path().join(file),
        cwd: found_cwd,
        title: found_title,
        last_activity: u64::try_from(stat.st_mtime).unwrap_or(0),
    })
}
