//! `import`: takes the manifests of the older suite into the user's snapshots.

use crate::persist::context::Context;
use crate::persist::report::{ImportReport, Problem, Report};
use crate::snapshot::{self, Snapshot, SnapshotId};
use crate::sys::FileError;
use crate::text::unescape;
use serde::{Deserialize, Serialize};
use std::io::Read;

/// No more is read of what root hands over (bytes).
const MAX_INPUT: u64 = 256 << 20;

/// A manifest of the older suite, as root hands it to the user's process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Its file name.
    pub name: String,
    /// When it was written, in seconds since the epoch.
    pub seconds: u64,
    /// Its bytes, in the snapshot file's escapes.
    pub text: String,
}

/// Imports the manifests that come on standard input.
pub fn import(context: &Context) -> Report {
    let mut imported = ImportReport::default();
    let read = || -> Result<Vec<Manifest>, String> {
        let mut input = Vec::new();
        let read = std::io::stdin().lock().take(MAX_INPUT).read_to_end(&mut input);
        read.map_err(|error| format!("reading the manifests: {error}"))?;
        serde_json::from_slice(&input).map_err(|error| format!("reading the manifests: {error}"))
    };
    let result = read().and_then(|manifests| {
        write(context, manifests, &mut imported).map_err(|error| error.to_string())
    });
    imported.error = result.err().map(|message| Problem { message, usage: false });
    Report::Import(imported)
}

/// Writes each as a snapshot of its own time, those that say the same as the one before left out.
/// What was saved since stays the newest.
fn write(
    context: &Context,
    mut manifests: Vec<Manifest>,
    imported: &mut ImportReport,
) -> Result<(), FileError> {
    let mut store = context.writable_store()?;
    let lock = store.lock(context.lock_wait)?;
    manifests.sort_by(|a, b| (a.seconds, &a.name).cmp(&(b.seconds, &b.name)));
    let mut known = store.ids()?.0;
    let (mut last, mut previous) = (None, Snapshot::default());
    for manifest in manifests {
        let text = unescape(manifest.text.as_bytes()).unwrap_or_default();
        let snapshot = match snapshot::decode(&text) {
            Ok(snapshot) => snapshot,
            Err(damage) => {
                imported.notes.push(format!("not imported: {}: {damage}", manifest.name));
                continue;
            }
        };
        if snapshot.rows.is_empty() || snapshot == previous {
            continue;
        }
        let bytes = snapshot::encode(&snapshot);
        previous = snapshot;
        let id = SnapshotId::next(manifest.seconds, last, None);
        last = Some(id);
        if known.contains(&id) {
            continue; // an import that was cut short had come this far
        }
        store.write_older(id, &bytes, &lock)?;
        known.push(id);
        imported.snapshots += 1;
    }
    let newest = store.newest(&mut imported.notes)?;
    newest.map_or(Ok(()), |(_, stored)| store.point_latest(stored.id))
}
