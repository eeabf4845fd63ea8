//! Which snapshot a plan is made from.

use crate::persist::context::Context;
use crate::persist::report::Problem;
use crate::snapshot::{self, SnapshotId, Store, Stored};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// No snapshot file that a user names is larger (bytes).
const MAX_FILE: u64 = 64 << 20;

/// Finds the snapshot that `name` means: an id, a file when it holds a slash, the newest sound
/// one when absent. `Ok(None)` when nothing was ever saved.
pub(crate) fn find(
    context: &Context,
    store: Option<&Store>,
    name: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Option<Stored>, Problem> {
    match name {
        None => match store {
            Some(store) => {
                let newest = store.newest(notes).map_err(|error| Problem::failed(&error))?;
                Ok(newest.map(|(_, stored)| stored))
            }
            None => Ok(None),
        },
        Some(path) if path.contains('/') => from_file(Path::new(path)).map(Some),
        Some(name) => {
            let user = &context.account.name;
            let absent = || {
                Problem::usage(format!(
                    "{user} has no snapshot '{}'",
                    crate::text::escape(name.as_bytes())
                ))
            };
            let (id, store) = SnapshotId::parse(name).zip(store).ok_or_else(absent)?;
            let known = store.ids().map_err(|error| Problem::failed(&error))?.0.contains(&id);
            if !known {
                return Err(absent());
            }
            let (_, snapshot) = store.read(id).map_err(|error| Problem::failed(&error))?;
            Ok(Some(Stored { id, snapshot }))
        }
    }
}

/// A file counts as taken when it was last written, unless its name says when.
fn from_file(path: &Path) -> Result<Stored, Problem> {
    let failed = |error: &dyn std::fmt::Display| Problem::usage(error.to_string());
    let bytes = crate::sys::fs::read(path, MAX_FILE).map_err(|error| failed(&error))?;
    let decoded = snapshot::decode(&bytes);
    let snapshot = decoded.map_err(|damage| failed(&format!("{}: {damage}", path.display())))?;
    let named = path.file_name().and_then(|name| SnapshotId::parse(name.to_str()?));
    let id = named.unwrap_or_else(|| {
        let written = path.metadata().map_or(0, |meta| meta.mtime());
        SnapshotId::next(u64::try_from(written).unwrap_or(0), None, None)
    });
    Ok(Stored { id, snapshot })
}
