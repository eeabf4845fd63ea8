//! Waiting for a fact, with a limit that names what did not happen.

use std::time::{Duration, Instant};

/// How long a test waits for a fact before it fails.
const LIMIT: Duration = Duration::from_secs(30);

/// Waits until `fact` gives a value; panics with `what` after [`LIMIT`].
pub(crate) fn wait_for<T>(what: &str, mut fact: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(value) = fact() {
            return value;
        }
        assert!(Instant::now() < end, "did not happen within {LIMIT:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until `fact` holds; panics with `what` after [`LIMIT`].
pub(crate) fn wait_until(what: &str, mut fact: impl FnMut() -> bool) {
    wait_for(what, || fact().then_some(()));
}
