//! What the older suite kept of a user, as root passes it to the user's process, and how it is read (pure).

use crate::snapshot::{Tombstone, Tombstones};
use crate::sys::clock::Epoch;
use crate::text::{escape, unescape};
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

/// All that the older suite kept of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OlderState {
    pub manifests: Vec<Manifest>,
    /// Its files of sessions that were closed on purpose.
    pub forgotten: Vec<Forgotten>,
}

/// A manifest: what was there at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub name: String,
    /// The time in its name, else that of its last modification, in seconds since the epoch.
    pub seconds: u64,
    /// Its bytes, in the snapshot file's escapes.
    pub text: String,
}

/// A file of lines `NAME TAB EPOCH`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forgotten {
    pub name: String,
    /// Its bytes, in the snapshot file's escapes.
    pub text: String,
}

impl OlderState {
    pub fn is_empty(&self) -> bool {
        self.manifests.is_empty() && self.forgotten.is_empty()
    }
}

/// The time in the name of a file of a series: `20261120T144343`, `20261120-144343` or the like, in UTC, with or
/// without a `Z`, a name before it, or a number after it.
pub fn time_in_name(name: &str) -> Option<Epoch> {
    let stem = name.strip_suffix(".tsv").unwrap_or(name);
    let is_digit = |byte: u8| byte.is_ascii_digit();
    let bytes = stem.as_bytes();
    (0..bytes.len()).find_map(|at| {
        let starts_here = at == 0 || !is_digit(bytes[at - 1]);
        if !starts_here {
            return None;
        }
        let (mut digits, mut end) = (String::new(), at);
        while end < bytes.len() && digits.len() < 14 {
            match bytes[end] {
                digit if is_digit(digit) => digits.push(char::from(digit)),
                b'T' | b't' | b'-' | b'_' | b':' | b'.'
                    if [4, 6, 8, 10, 12].contains(&digits.len()) => {}
                _ => break,
            }
            end += 1;
        }
        if digits.len() < 14 || bytes.get(end).copied().is_some_and(is_digit) {
            return None;
        }
        let time = NaiveDateTime::parse_from_str(&digits, "%Y%m%d%H%M%S").ok()?;
        u64::try_from(time.and_utc().timestamp()).ok()
    })
}

/// Reads a file of sessions that were closed on purpose. Lines that do not parse are given back by number, from 1.
pub(super) fn tombstones(forgotten: &Forgotten) -> (Vec<Tombstone>, Vec<usize>) {
    let text = unescape(forgotten.text.as_bytes()).unwrap_or_default();
    let (mut found, mut bad) = (Vec::new(), Vec::new());
    for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        match tombstone(line) {
            Some(tombstone) => found.push(tombstone),
            None => bad.push(at + 1),
        }
    }
    (found, bad)
}

fn tombstone(line: &[u8]) -> Option<Tombstone> {
    let mut fields = line.split(|byte| *byte == b'\t');
    let session = fields.next().filter(|name| !name.is_empty())?;
    // Some wrote fractions.
    let seconds = fields.next()?.split(|byte| *byte == b'.').next()?;
    // Through our own reader, which knows how late a time may be.
    let line = [escape(session).as_bytes(), b"\t", seconds.trim_ascii(), b"\t\n"].concat();
    Tombstones::decode(&line).0.0.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_read_from_the_name_whatever_its_form() {
        let time = Some(1_795_185_823);
        for name in [
            "20261120T144343.tsv",
            "20261120T144343Z.tsv",
            "20261120-144343.tsv",
            "20261120_144343.tsv",
            "20261120144343.tsv",
            "2026-11-20T14:43:43.tsv",
            "2026-11-20-14-43-43.tsv",
            "ann-20261120T144343.tsv",
            "ann2-20261120T144343-1.tsv",
            "20261120T144343",
        ] {
            assert_eq!(time_in_name(name), time, "{name}");
        }
        for name in ["ann.tsv", "20261120.tsv", "20261340T144343.tsv", "120261120T144343.tsv", ""] {
            assert_eq!(time_in_name(name), None, "{name}");
        }
    }

    #[test]
    fn closed_sessions_are_read_with_names_of_any_kind_and_bad_lines_are_numbered() {
        let text =
            escape(b"web\t1795185823\nold one\t1795185824.75\r\n\n# x\nback\\t\t5\nbad\nx\ty\n");
        let (found, bad) = tombstones(&Forgotten { name: "ann.forgotten.tsv".to_owned(), text });
        let found: Vec<_> = found.iter().map(|one| (one.session.as_slice(), one.closed)).collect();
        let expected: [(&[u8], u64); 3] =
            [(b"web", 1_795_185_823), (b"old one", 1_795_185_824), (b"back\\t", 5)];
        assert_eq!(found, expected);
        assert_eq!(bad, [6, 7]);
    }
}
