//! Keeps a client of the lobby's at the session that it was attached to (pure).
//!
//! tmux moves a client to another session by itself when its own ends and `detach-on-destroy` is off. A person who may
//! see one session must not see another for even one screen. A hook of the server runs before anything is drawn for the
//! new session, and suspends the client, to which tmux then draws nothing. (Detached, it would get one screen more:
//! measured with tmux 3.3a, 3.5a and 3.7.)

use std::ffi::OsString;

/// The hook, under an index of ours.
const HOOK: &str = "client-session-changed[7043]";
/// An option of the server's in which each bound client stands as `|terminal=birth id|`. Attaching is a change of
/// the session, too.
const BOUND: &str = "@lobby-bound";
/// Sets hooks as well as any option, and has no `after-...` hook. Names lack their last letter, so that no alias
/// of the user's is taken for them.
pub(super) const SET: &str = "set-window-optio";
/// A client with both of these flags is one that is bound.
const SUSPEND: &str = "if-shel -F '#{?#{&&:#{m:*active-pane*,#{client_flags}},#{m:*ignore-size*,#{client_flags}}},\
     #{?#{m:*|#{client_tty}=#{@lobby-id}|*,#{@lobby-bound}},,1},}' 'suspend-clien'";

/// The commands that bind the client which the same command line attaches next, each with its separator. `number` says
/// how many were bound before: now and then the option begins anew, as it counts only while a client attaches.
pub fn bind(terminal: &str, id: &str, number: usize) -> Vec<OsString> {
    let mut words: Vec<OsString> = set().to_vec();
    words.push(";".into());
    let flags = if number.is_multiple_of(64) { "-gq" } else { "-gaq" };
    words.extend([SET, flags, BOUND, &format!("|{terminal}={id}|"), ";"].map(OsString::from));
    words
}

pub(super) fn set() -> [OsString; 4] {
    [SET, "-gq", HOOK, SUSPEND].map(OsString::from)
}

pub(super) fn unset() -> Vec<OsString> {
    let words = [SET, "-gqu", HOOK, ";", SET, "-gqu", BOUND];
    words.map(OsString::from).to_vec()
}
