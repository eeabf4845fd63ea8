//! Finds the snapshot that the user named.

use super::selection::{self, Match, Selection};
use crate::persist::context::Context;
use crate::persist::error::Error;
use crate::snapshot::store::SnapshotError;
use crate::snapshot::{self, Row, SnapshotId, Store, Stored};
use crate::text::escape;
use std::collections::BTreeMap;
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

/// The newest snapshot, or the newest one that has what it lacks of what the user named. If only some of it
/// is lacking, what older snapshots have of that is added to the newest.
///
/// # Errors
/// If the store cannot be listed. What is in no snapshot is left to [`Selection::parse`].
pub(crate) fn with_named(
    store: &Store,
    newest: Stored,
    words: &[String],
    notes: &mut Vec<String>,
) -> Result<Stored, Error> {
    let is_in = |word: &String, stored: &Stored| selection::find(word, stored) != Match::None;
    let lacking: Vec<&String> = words.iter().filter(|word| !is_in(word, &newest)).collect();
    if lacking.is_empty() {
        return Ok(newest);
    }
    let mut found: BTreeMap<SnapshotId, (Stored, Vec<String>)> = BTreeMap::new();
    let mut left = lacking.clone();
    for id in store.ids()?.0 {
        if left.is_empty() {
            break;
        }
        // The newest ones that are damaged have been noted.
        let Ok((_, snapshot)) = store.read(id) else { continue };
        let stored = Stored { id, snapshot };
        let (here, still): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|word| is_in(word, &stored));
        left = still;
        if !here.is_empty() {
            found.insert(id, (stored, here.into_iter().cloned().collect()));
        }
    }
    for (stored, here) in found.values() {
        let here = here.iter().map(|word| escape(word.as_bytes())).collect::<Vec<_>>().join(", ");
        notes.push(format!("not in the newest snapshot, but in {}: {here}", stored.id));
    }
    if found.len() == 1 && lacking.len() == words.len() && left.is_empty() {
        return Ok(found.into_values().next().map_or(newest, |(stored, _)| stored));
    }
    let mut merged = newest;
    for (stored, here) in found.into_values() {
        let Some(chosen) = Selection::parse(&here, &stored)? else { continue };
        let is_same_server = stored.snapshot.server == merged.snapshot.server;
        let rows = stored.snapshot.rows.into_iter().filter(|row| chosen.has(row));
        merged
            .snapshot
            .rows
            .extend(rows.map(|row| Row { pane_id: row.pane_id.filter(|_| is_same_server), ..row }));
    }
    merged.snapshot.rows.sort_by(|a, b| a.place().cmp(&b.place()));
    Ok(merged)
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
