//! The saved scrollback of shells that are restored.

use super::step::{Start, Step};
use crate::persist::context::Context;
use crate::snapshot::scrollback::{file_name, path};
use crate::snapshot::{SnapshotId, Store};

/// Finds the scrollback that each selected shell showed, and enters its file into the step.
pub(crate) fn find(context: &Context, store: Option<&Store>, id: SnapshotId, steps: &mut [Step]) {
    if context.keep.scrollback_lines == 0 {
        return;
    }
    let Some(dir) = store.and_then(|store| store.scrollback(id).ok().flatten()) else { return };
    for step in steps.iter_mut().filter(|step| step.selected && step.start == Start::Shell) {
        let exists = dir.has_file(file_name(&step.row)).unwrap_or(false);
        step.scrollback = exists.then(|| path(&dir, &step.row));
    }
}
