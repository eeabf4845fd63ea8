//! What is in a backup (pure): `manifest.json`, and `files.tsv` with a line for each attachment.

use super::id::BackupId;
use crate::text::tsv::{Reader, Writer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The file that is written last.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The list of attachments.
pub(crate) const FILES: &str = "files.tsv";
/// The version of the format.
pub(crate) const FORMAT: u32 = 1;
/// Maximum size of the manifest, in bytes.
pub(crate) const MAX_MANIFEST: u64 = 1 << 20;
/// Maximum size of the list of attachments, in bytes.
pub(crate) const MAX_FILES: u64 = 256 << 20;

/// A copied file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileFacts {
    /// In bytes.
    pub bytes: u64,
    /// Hexadecimal digits.
    pub sha256: String,
}

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: u32,
    pub id: BackupId,
    /// The program's release that made it.
    pub made_by: String,
    /// What the environment calls itself, if it has a name.
    pub environment: Option<String>,
    /// The highest migration that the database has had, if it says so.
    pub migration_level: Option<i64>,
    /// The number and the size of its tables' pages.
    pub pages: u64,
    pub page_bytes: u64,
    /// Each file but the attachments, by its path below the state directory.
    pub files: BTreeMap<String, FileFacts>,
    /// How many attachments there are, how large they are together, and how many of them are the previous backup's.
    pub attachments: usize,
    pub attachment_bytes: u64,
    pub linked: usize,
    /// The hash of the list of attachments.
    pub list_sha256: String,
    /// What was left out, and why: a line each.
    pub notes: Vec<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// An attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attachment {
    /// Its path below the directory of attachments.
    pub path: Vec<u8>,
    pub facts: FileFacts,
    /// By what the original is known to be the same: inode, times of change of the contents and of the inode, in
    /// nanoseconds.
    pub stamp: Stamp,
}

/// By what a file is known not to have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub inode: u64,
    pub modified: i128,
    pub changed: i128,
}

/// The list as a file.
pub(crate) fn encode(attachments: &[Attachment]) -> Vec<u8> {
    let mut to =
        Writer::with_columns(&["#path", "bytes", "sha256", "inode", "modified", "changed"]);
    for Attachment { path, facts, stamp } in attachments {
        to.first(path).plain(facts.bytes).plain(&facts.sha256);
        to.plain(stamp.inode).plain(stamp.modified).plain(stamp.changed).end();
    }
    to.into_bytes()
}

/// The list of a file; lines that are none are left out.
pub(crate) fn decode(text: &[u8]) -> Vec<Attachment> {
    let mut reader = Reader::new(text);
    let mut list = Vec::new();
    while let Some(line) = reader.line() {
        if !line.is_record() {
            continue;
        }
        let Some([path, bytes, sha256, inode, modified, changed]) = line.exactly() else {
            continue;
        };
        let text = |field: &[u8]| String::from_utf8(field.to_vec()).ok();
        let entry = || {
            Some(Attachment {
                path: crate::text::unescape(path)?,
                facts: FileFacts { bytes: text(bytes)?.parse().ok()?, sha256: text(sha256)? },
                stamp: Stamp {
                    inode: text(inode)?.parse().ok()?,
                    modified: text(modified)?.parse().ok()?,
                    changed: text(changed)?.parse().ok()?,
                },
            })
        };
        list.extend(entry());
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_of_any_bytes_come_back(
            path in prop::collection::vec(any::<u8>(), 1..40), bytes: u64, inode: u64, modified: i64,
        ) {
            let one = Attachment {
                path,
                facts: FileFacts { bytes, sha256: "ab".repeat(32) },
                stamp: Stamp { inode, modified: modified.into(), changed: -1 },
            };
            let list = vec![one.clone(), one];
            prop_assert_eq!(decode(&encode(&list)), list);
        }
    }

    #[test]
    fn a_line_that_is_none_is_left_out() {
        assert!(decode(b"#path\nx\t1\n\n\tz\t\xff\t1\t2\t3\na\tx\tb\t1\t2\t3\n").is_empty());
    }
}
