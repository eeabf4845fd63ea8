//! The files of the state directory besides the database and the attachments: settings, keys, names.

use super::UserError;
use crate::sys::Dir;
use crate::sys::fs::FileError;
use crate::t3::backup::manifest::FileFacts;
use crate::t3::state_dir::{SECRETS, SINGLE_FILES, own_dir};
use crate::text::shown;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::time::Instant;

/// Maximum size of one, in bytes.
pub(super) const MAX_BYTES: u64 = 16 << 20;
/// Maximum number of secrets.
const MAX_SECRETS: usize = 100;

/// Copies them; what is no regular file of the user's is left out with a note.
pub(super) fn copy(
    from: &Dir,
    to: &Dir,
    until: Instant,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<String, FileFacts>, UserError> {
    let mut files = BTreeMap::new();
    for name in SINGLE_FILES {
        if let Some(facts) = copy_one(from, to, OsStr::new(name), until, notes)? {
            files.insert(name.to_owned(), facts);
        }
    }
    let secrets = match own_dir(from, SECRETS) {
        Ok(Some(secrets)) => secrets,
        Ok(None) => return Ok(files),
        Err(error) => {
            notes.push(error.to_string());
            return Ok(files);
        }
    };
    let copies = to.ensure_dir(SECRETS)?;
    let Some(mut names) = secrets.names(MAX_SECRETS)? else {
        notes.push(format!("{SECRETS}: more than {MAX_SECRETS} entries: left out"));
        return Ok(files);
    };
    names.sort();
    for name in names {
        // A manifest is text: a secret of another name is none of the program's.
        let Some(text) = name.to_str() else {
            notes.push(format!("{SECRETS}/{}: not a UTF-8 name: left out", shown(&name)));
            continue;
        };
        if let Some(facts) = copy_one(&secrets, &copies, &name, until, notes)? {
            files.insert(format!("{SECRETS}/{text}"), facts);
        }
    }
    Ok(files)
}

fn copy_one(
    from: &Dir,
    to: &Dir,
    name: &OsStr,
    until: Instant,
    notes: &mut Vec<String>,
) -> Result<Option<FileFacts>, UserError> {
    let name = Path::new(name);
    let file = match from.open_own_file(name) {
        Ok(file) => file,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => {
            notes.push(error.to_string());
            return Ok(None);
        }
    };
    match to.copy_new(name, &file, MAX_BYTES, until) {
        Ok(copied) => Ok(Some(FileFacts { bytes: copied.bytes, sha256: copied.sha256 })),
        Err(error) if error.is_too_large() => {
            notes.push(too_large(from, name, &error));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn too_large(from: &Dir, name: &Path, error: &FileError) -> String {
    format!(
        "{}: {}: left out",
        shown(&from.path().join(name)),
        crate::text::io_reason(&error.source)
    )
}
