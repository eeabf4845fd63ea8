//! The launcher's own signals: keys that interrupt are for the agent, or mean 'continue'; they never
//! end the launcher, which would close the pane.

use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Keys that interrupt.
pub(crate) const KEYS: [Signal; 2] = [Signal::SIGINT, Signal::SIGQUIT];

/// Keeps keys from ending this process, for its whole life; and lets it learn of its children's
/// ends even where its parent ignored them. Children get the default back ([`reset`]).
pub fn prepare() {
    // SAFETY: only the default action is set: no handler of ours ever runs.
    #[allow(unsafe_code, reason = "signal(2) has no safe form in nix")]
    let _ = unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) };
    // Before any thread starts: one that does not block the end of a child would take it, and ignore it.
    let _ = set(&[&KEYS[..], &[Signal::SIGCHLD]].concat()).thread_block();
}

/// No signal blocked, as a program expects to start. For children, between fork and exec.
pub(crate) fn reset() -> std::io::Result<()> {
    Ok(SigSet::empty().thread_set_mask()?)
}

/// Drops pressed keys, then unblocks all signals: before this process becomes another program.
pub(crate) fn release() {
    if let Some(pressed) = pressed_keys() {
        drop_pressed(&pressed);
    }
    let _ = reset();
}

/// Readable once a key that interrupts has been pressed.
pub(crate) fn pressed_keys() -> Option<SignalFd> {
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    SignalFd::with_flags(&set(&KEYS), flags).ok()
}

/// Drops keys that were pressed.
pub(crate) fn drop_pressed(pressed: &SignalFd) {
    while let Ok(Some(_)) = pressed.read_signal() {}
}

pub(crate) fn set(signals: &[Signal]) -> SigSet {
    signals.iter().copied().collect()
}
