//! `import`: converts what the older suite kept of the user: its manifests to snapshots, and its records of
//! closed sessions to tombstones.

use super::older_suite::{self, Forgotten, OlderState};
use crate::persist::context::Context;
use crate::persist::error::Error;
use crate::persist::report::{ImportReport, Report};
use crate::snapshot::{self, Snapshot, SnapshotId, Store, Tombstone};
use crate::sys::FileError;
use crate::sys::locks::Lock;
use crate::text::unescape;
use std::io::Read;

/// Maximum size of all manifests together, in bytes.
const MAX_INPUT: u64 = 256 << 20;

/// Imports what comes on standard input, an [`OlderState`] in JSON.
pub fn import(context: &Context) -> Report {
    let mut report = ImportReport::default();
    report.error = try_import(context, &mut report).err().map(Into::into);
    Report::Import(report)
}

fn try_import(context: &Context, report: &mut ImportReport) -> Result<(), Error> {
    let mut input = Vec::new();
    let read = std::io::stdin().lock().take(MAX_INPUT).read_to_end(&mut input);
    read.map_err(Error::ReadManifests)?;
    let older: OlderState = serde_json::from_slice(&input).map_err(Error::InvalidManifests)?;
    Ok(write(context, older, report)?)
}

/// Writes each as a snapshot of its own time, unless it equals the one before it. Newer snapshots
/// stay the newest.
fn write(
    context: &Context,
    OlderState { mut manifests, forgotten }: OlderState,
    report: &mut ImportReport,
) -> Result<(), FileError> {
    let mut store = context.writable_store()?;
    let lock = store.lock(context.lock_wait)?;
    // First: no snapshot is ever there without what was closed since.
    report.closed = close(&store, &lock, &forgotten, &mut report.notes)?;
    manifests.sort_by(|a, b| (a.seconds, &a.name).cmp(&(b.seconds, &b.name)));
    let mut known = store.ids()?.0;
    let (mut last, mut previous) = (None, Snapshot::default());
    for manifest in manifests {
        let text = unescape(manifest.text.as_bytes()).unwrap_or_default();
        let snapshot = match snapshot::decode(&text) {
            Ok(snapshot) => snapshot,
            Err(damage) => {
                report.notes.push(format!("not imported: {}: {damage}", manifest.name));
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
            continue; // written by an import that was interrupted
        }
        store.write_older(id, &bytes, &lock)?;
        known.push(id);
        report.snapshots += 1;
    }
    let newest = store.newest(&mut report.notes)?;
    newest.map_or(Ok(()), |(_, stored)| store.point_latest(stored.id))
}

/// Adds the sessions that were closed on purpose to the tombstones; returns how many were not there yet.
fn close(
    store: &Store,
    lock: &Lock,
    forgotten: &[Forgotten],
    notes: &mut Vec<String>,
) -> Result<usize, FileError> {
    let mut all = store.tombstones(notes)?;
    let before = all.0.len();
    for file in forgotten {
        let (found, bad) = older_suite::tombstones(file);
        notes.extend(bad.iter().map(|line| format!("not imported: {}: line {line}", file.name)));
        for one in found {
            let is_same =
                |known: &Tombstone| (&known.session, known.closed) == (&one.session, one.closed);
            if !all.0.iter().any(is_same) {
                all.0.push(one);
            }
        }
    }
    let added = all.0.len() - before;
    if added > 0 {
        all.0.sort_by_key(|tombstone| tombstone.closed);
        store.write_tombstones(&all, lock)?;
    }
    Ok(added)
}
