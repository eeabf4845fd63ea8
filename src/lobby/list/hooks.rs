//! The hooks by which a tmux server says that its sessions have changed (pure).
//!
//! Each wakes those who wait in `tmux wait-for`: no process is started, and no client attaches, which would size, draw or
//! count as a viewer. They are set under an index of ours, so that a user's own stay.

use super::guard::{self, SET};
use std::ffi::OsString;

/// What changes the list. All of these exist from 3.2 on, but for the last two.
const CHANGES: [&str; 14] = [
    "session-created",
    "session-renamed",
    "session-closed",
    "session-window-changed",
    "window-linked",
    "window-unlinked",
    "window-pane-changed",
    "after-split-window",
    "after-set-option",
    "pane-exited",
    "pane-died",
    "client-session-changed",
    "client-detached",
    "pane-title-changed",
];
/// Our index among the hooks of one name; `persist` has the one before.
const INDEX: u32 = 7042;
/// The channel of `wait-for`.
const CHANNEL: &str = "lobby-changed";
/// The arguments of a client that sets them, prints a line once it waits, and ends at the next change. It sets them
/// each time: another lobby of this user may have removed them, or the user by reading a configuration again.
/// One that the server does not know fails nothing.
pub(super) fn set_and_wait() -> Vec<OsString> {
    let command = format!("wait-fo -S {CHANNEL}");
    let of = |name: &&str| [SET, "-gq", &format!("{name}[{INDEX}]"), &command].map(OsString::from);
    let mut words = joined(CHANGES.iter().map(of));
    words.push(";".into());
    words.extend(guard::set());
    let wait = [";", "list-command", "-F", "waiting", "display-message", ";", "wait-fo", CHANNEL];
    words.extend(wait.map(OsString::from));
    words
}

/// The commands that remove them, and wake other lobbies of this user, which set them again.
pub(super) fn unset() -> Vec<OsString> {
    let of = |name: &&str| [SET, "-gqu", &format!("{name}[{INDEX}]")].map(OsString::from);
    let mut words = joined(CHANGES.iter().map(of));
    words.push(";".into());
    words.extend(guard::unset());
    words.extend([";", "wait-fo", "-S", CHANNEL].map(OsString::from));
    words
}

fn joined<const N: usize>(commands: impl Iterator<Item = [OsString; N]>) -> Vec<OsString> {
    let mut words = Vec::new();
    for command in commands {
        if !words.is_empty() {
            words.push(";".into());
        }
        words.extend(command);
    }
    words
}
