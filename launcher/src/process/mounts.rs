//! Mounts whose server is gone: what lies there is not touched before the agent starts, since a process
//! that waits for it cannot be interrupted.

use super::signals;
use std::os::fd::AsFd;
use std::path::Path;

/// Whether a path may be touched. A key that interrupts ends the wait for a mount that does not answer.
pub(crate) fn answers(path: &Path) -> bool {
    if !shared::mounts::has_remote() {
        return true;
    }
    let pressed = signals::pressed_keys();
    let cancel = pressed.as_ref().map(AsFd::as_fd);
    let answers = shared::mounts::unanswered_unless(path, cancel).is_none();
    if let Some(pressed) = pressed.filter(|_| !answers) {
        signals::drop_pressed(&pressed); // the key has had its effect
    }
    answers
}
