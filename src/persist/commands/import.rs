//! `import`: converts the manifests of the older suite to snapshots of the user.

use crate::persist::context::Context;
use crate::persist::error::Error;
use crate::persist::report::{ImportReport, Report};
use crate::snapshot::{self, Snapshot, SnapshotId};
use crate::sys::FileError;
use crate::text::unescape;
use serde::{Deserialize, Serialize};
use std::io::Read;

/// Maximum size of all manifests together, in bytes.
const MAX_INPUT: u64 = 256 << 20;

/// A manifest of the older suite, as root passes it to the user's process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub name: String,
    /// Time of its last modification, in seconds since the epoch.
    pub seconds: u64,
    /// Its bytes, in the snapshot file's escapes.
    pub text: String,
}

/// Imports the manifests that come on standard input, a JSON list of [`Manifest`]s.
pub fn import(context: &Context) -> Report {
    let mut report = ImportReport::default();
    report.error = try_import(context, &mut report).err().map(Into::into);
    Report::Import(report)
}

fn try_import(context: &Context, report: &mut ImportReport) -> Result<(), Error> {
    let mut input = Vec::new();
    let read = std::io::stdin().lock().take(MAX_INPUT).read_to_end(&mut input);
    read.map_err(Error::ReadManifests)?;
    let manifests = serde_json::from_slice(&input).map_err(Error::InvalidManifests)?;
    Ok(write(context, manifests, report)?)
}

/// Writes each as a snapshot of its own time, unless it equals the one before it. Newer snapshots
/// stay the newest.
fn write(
    context: &Context,
    mut manifests: Vec<Manifest>,
    report: &mut ImportReport,
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
