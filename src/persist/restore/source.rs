//! Finds the snapshot that the user named.

use crate::persist::context::Context;
use crate::persist::error::Error;
use crate::snapshot::store::SnapshotError;
use crate::snapshot::{self, SnapshotId, Store, Stored};
use crate::text::escape;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Maximum size of a snapshot file that the user names, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// Finds a snapshot by its id, or by a path if `name` contains a slash; without `name`, the newest
/// valid one. `Ok(None)` if nothing was ever saved.
pub(crate) fn find(
    context: &Context,
    store: Option<&Store>,
    name: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Option<Stored>, Error> {
    match name {
        None => match store {
            Some(store) => Ok(store.newest(notes)?.map(|(_, stored)| stored)),
            None => Ok(None),
        },
        Some(path) if path.contains('/') => from_file(Path::new(path)).map(Some),
        Some(name) => {
            let absent = || Error::NoSuchSnapshot {
                user: context.account.name.clone(),
                name: escape(name.as_bytes()),
            };
            let (id, store) = SnapshotId::parse(name).zip(store).ok_or_else(absent)?;
            if !store.ids()?.0.contains(&id) {
                return Err(absent());
            }
            let (_, snapshot) = store.read(id)?;
            Ok(Some(Stored { id, snapshot }))
        }
    }
}

/// A file's time is the one in its name, else its last modification.
fn from_file(path: &Path) -> Result<Stored, Error> {
    let read = crate::sys::fs::read(path, MAX_FILE);
    let bytes = read.map_err(|error| Error::SnapshotFile(SnapshotError::File(error)))?;
    let snapshot = snapshot::decode(&bytes).map_err(|damage| {
        Error::SnapshotFile(SnapshotError::Damaged { file: path.to_owned(), damage })
    })?;
    let named = path.file_name().and_then(|name| SnapshotId::parse(name.to_str()?));
    let id = named.unwrap_or_else(|| {
        let written = path.metadata().map_or(0, |meta| meta.mtime());
        SnapshotId::next(u64::try_from(written).unwrap_or(0), None, None)
    });
    Ok(Stored { id, snapshot })
}
