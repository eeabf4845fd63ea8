//! Managed lines in a file of a package's or a person's: every other byte stays.

use crate::provision::edit::marked_block::SHELL;
use crate::provision::host_base::HostChangeError;
use crate::provision::state::digest;
use crate::sys::fs::trusted_path::{self, Missing};
use crate::sys::fs::{self, Attributes, StagedFile};
use std::path::Path;

const ROOT: &str = "/";
/// Maximum size of such a file, in bytes.
pub(super) const MAX_SIZE: u64 = 1 << 20;
const NEW: Attributes = Attributes { uid: 0, gid: 0, mode: 0o644 };

/// Puts the lines where they were, or at the end.
pub(super) fn write(path: &str, text: &str) -> Result<(), HostChangeError> {
    edit(path, |file| {
        let new = SHELL.set(file, text.as_bytes());
        new.map_err(|error| HostChangeError::Content {
            path: path.to_owned(),
            why: error.to_string(),
        })
    })
}

/// Replaces a file of root's by what `new` makes of its present content; owner and mode stay. The file is read
/// only now: the package that it belongs to may have been installed a moment ago.
pub(super) fn edit(
    path: &str,
    new: impl FnOnce(Option<&[u8]>) -> Result<Vec<u8>, HostChangeError>,
) -> Result<(), HostChangeError> {
    let (dir, name) =
        trusted_path::open_parent_below(Path::new(ROOT), Path::new(path), Missing::Made)?;
    let (old, attributes) = match fs::attributes(&dir, Some(&name))? {
        Some(attributes) => (Some(dir.read(&name, MAX_SIZE)?), attributes),
        None => (None, NEW),
    };
    let new = new(old.as_deref())?;
    let mut staged = StagedFile::create(&dir, &name)?;
    staged.write(&new)?;
    let expected = old.map(|old| digest::of(&old));
    Ok(staged.commit(attributes, expected.as_deref())?)
}
