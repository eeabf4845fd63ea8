//! What the owner's own log has of shares: entries of the journal, on standard error where there is none.

use std::path::Path;
use terminal_lobby::cli::output;
use terminal_lobby::sys::journal::{Entry, SOCKET};

/// The identifier of all entries: `journalctl -t lobby-agent`.
const IDENTIFIER: &str = "lobby-agent";

/// Enters that something was done with a share of a session. Everything given is a word without blanks.
pub(super) fn enter(kind: &str, owner: &str, person: &str, session: &str) {
    let message = format!("{kind}: the session {session} of {owner}, for {person}");
    let mut entry = Entry::default();
    for (name, value) in [
        ("MESSAGE", message.as_str()),
        ("PRIORITY", "5"),
        ("SYSLOG_IDENTIFIER", IDENTIFIER),
        ("LOBBY_EVENT", kind),
        ("LOBBY_USER", person),
        ("LOBBY_TARGET", owner),
        ("LOBBY_SESSION", session),
    ] {
        entry.field(name, value.as_bytes());
    }
    if let Err(error) = entry.send(Path::new(SOCKET)) {
        tracing::debug!(%error, "the journal took no entry");
        output::note(&message);
    }
}
