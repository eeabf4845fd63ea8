//! Reading the beginning of a transcript: JSON lines, the last of which may be cut.

use super::{Description, MAX_TITLE};
use crate::sys::Dir;
use serde_json::Value;

/// As much of a transcript as is read (bytes).
pub(super) const START: u64 = 64 << 10;

/// Maximum length of a model's name.
const MAX_MODEL: usize = 64;

/// The last model that the end of a transcript names. In text that an agent or its person wrote, quotes are
/// escaped, so that nothing there is taken for one.
pub(super) fn last_model(end: &[u8]) -> Option<String> {
    const FIELD: &[u8] = b"\"model\":\"";
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:/@".contains(byte);
    let fields = end.windows(FIELD.len()).enumerate().rev().filter(|(_, field)| *field == FIELD);
    let mut names = fields.map(|(at, _)| &end[at + FIELD.len()..]);
    names.find_map(|name| {
        let length = name.iter().position(|byte| !is_of_name(byte))?;
        let is_name = (1..=MAX_MODEL).contains(&length) && name[length] == b'"';
        is_name.then(|| String::from_utf8_lossy(&name[..length]).into_owned())
    })
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_model_that_a_transcript_names_is_found_and_none_in_text() {
        let of = |text: &str| last_model(text.as_bytes());
        let lines = r#"{"message":{"model":"claude-opus-4-1","content":"x"}}
            {"message":{"model":"claude-sonnet-5","content":"say \"model\":\"evil\" now"}}
            {"message":{"model":"<synthetic>"}} {"model":"#;
        assert_eq!(of(lines).as_deref(), Some("claude-sonnet-5"));
        assert_eq!(of("{\"model\":\"cut-of"), None);
        assert_eq!(of(&format!("{{\"model\":\"{}\"}}", "x".repeat(65))), None);
    }
}
