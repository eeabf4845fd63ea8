//! Updates that are still under way when their time is up: git continues, and what it then leaves must
//! be concluded.

use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

static UNDER_WAY: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

/// Runs `work`, which waits for an update, in a thread. Without one the next start concludes the update.
pub(super) fn finish(work: impl FnOnce() + Send + 'static) {
    if let Ok(thread) = std::thread::Builder::new().spawn(work) {
        UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
    }
}

/// Waits until all updates that are still under way have ended, however long that takes.
pub fn wait_for_updates() {
    let threads = std::mem::take(&mut *UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner));
    for thread in threads {
        let _ = thread.join();
    }
}
