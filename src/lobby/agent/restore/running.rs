//! One restore at a time in one lobby.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a restore runs here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Restoring(Arc<AtomicBool>);

/// One that runs, until this is dropped.
#[derive(Debug)]
pub(super) struct Running(Restoring);

impl Restoring {
    /// `None` if one runs.
    pub(super) fn begin(&self) -> Option<Running> {
        let begun = self.0.compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire);
        begun.ok().map(|_| Running(self.clone()))
    }

    pub(super) fn is_running(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Release);
    }
}
