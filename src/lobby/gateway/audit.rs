//! What the journal keeps: logins, refusals of people, and admins who look at another's lobby.

use super::open::{Pass, Person};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use terminal_lobby::cli::output;
use terminal_lobby::sys::journal::{Entry, SOCKET};
use terminal_lobby::text::escape;

/// The identifier of all entries: `journalctl -t lobby`.
const IDENTIFIER: &str = "lobby";
/// How long after the last request an admin counts as looking.
const LINGER: Duration = Duration::from_secs(5);
/// The most of a user-chosen text that is kept, in bytes.
const MAX_TEXT: usize = 256;
const NOTICE: &str = "5";
const WARNING: &str = "4";

/// One thing that happened.
struct Event<'a> {
    kind: &'static str,
    priority: &'static str,
    message: String,
    identity: &'a str,
    user: &'a str,
    target: &'a str,
}

/// The journal, and who looks at whose lobby now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Audit(Arc<Mutex<HashMap<Looking, usize>>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Looking {
    identity: String,
    admin: String,
    target: String,
}

/// One request or WebSocket of an admin in another's lobby.
#[derive(Debug)]
pub(crate) struct Look {
    audit: Audit,
    looking: Looking,
}

impl Audit {
    pub(super) fn logged_in(person: &Person, device: &str) {
        let message =
            format!("{} logged in as {} ({device})", escaped(person.proof.text()), person.user);
        Self::of_person("login", person, message);
    }

    pub(super) fn logged_out(person: &Person, what: &'static str) {
        Self::of_person(
            what,
            person,
            format!("{} of {}: {what}", person.user, escaped(person.proof.text())),
        );
    }

    pub(super) fn cut(count: usize, why: &str) {
        enter(&Event {
            kind: "cut",
            priority: NOTICE,
            message: format!("{count} open requests and WebSockets were cut: {why}"),
            identity: "",
            user: "",
            target: "",
        });
    }

    /// What was done with a share or a link, of an owner by or for a person.
    pub(super) fn shared(kind: &'static str, person: &str, owner: &str, session: &str) {
        let message = format!("{kind}: session {session} of {owner}, {person}");
        enter(&Event {
            kind,
            priority: NOTICE,
            message,
            identity: "",
            user: person,
            target: owner,
        });
    }

    /// What happened with a person's T3 Code.
    pub(super) fn t3(kind: &'static str, is_warning: bool, person: &Person, message: String) {
        let identity = person.proof.text();
        let priority = if is_warning { WARNING } else { NOTICE };
        enter(&Event { kind, priority, message, identity, user: &person.user, target: "" });
    }

    /// An identity that a provider or a login proxy vouches for, and that leads to no user.
    pub(super) fn unknown(identity: &str) {
        enter(&Event {
            kind: "unknown",
            priority: WARNING,
            message: format!("{} has no account on this host", escaped(identity)),
            identity,
            user: "",
            target: "",
        });
    }

    /// Notes that an admin looks at another's lobby, until this is dropped.
    pub(super) fn look(&self, pass: &Pass) -> Look {
        let looking = Looking {
            identity: pass.person.proof.text().to_owned(),
            admin: pass.person.user.clone(),
            target: pass.target.clone(),
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = all.entry(looking.clone()).or_insert_with(|| {
            entered(&looking, "watch_begin", "looks at the lobby of");
            0
        });
        *open += 1;
        Look { audit: self.clone(), looking }
    }

    /// Enters the end of every look: the gateway ends.
    pub(super) fn end(&self) {
        for (looking, _) in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain() {
            entered(&looking, "watch_end", "no longer looks at the lobby of");
        }
    }

    fn of_person(kind: &'static str, person: &Person, message: String) {
        let identity = person.proof.text();
        enter(&Event { kind, priority: NOTICE, message, identity, user: &person.user, target: "" });
    }

    /// Ends a look that no request has gone on with.
    fn lingered(&self, looking: &Looking) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.get(looking) == Some(&0) {
            all.remove(looking);
            entered(looking, "watch_end", "no longer looks at the lobby of");
        }
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        let mut all = self.audit.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = all.get_mut(&self.looking) else { return };
        *open -= 1;
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if *open == 0 {
            let (audit, looking) = (self.audit.clone(), self.looking.clone());
            runtime.spawn(async move {
                tokio::time::sleep(LINGER).await;
                audit.lingered(&looking);
            });
        }
    }
}

fn entered(looking: &Looking, kind: &'static str, what: &str) {
    enter(&Event {
        kind,
        priority: NOTICE,
        message: format!(
            "{} ({}) {what} {}",
            looking.admin,
            escaped(&looking.identity),
            looking.target
        ),
        identity: &looking.identity,
        user: &looking.admin,
        target: &looking.target,
    });
}

/// Enters an event; standard error has it where there is no journal.
fn enter(event: &Event<'_>) {
    let mut entry = Entry::default();
    entry.field("MESSAGE", event.message.as_bytes());
    entry.field("PRIORITY", event.priority.as_bytes());
    entry.field("SYSLOG_IDENTIFIER", IDENTIFIER.as_bytes());
    entry.field("LOBBY_EVENT", event.kind.as_bytes());
    for (name, value) in [
        ("LOBBY_IDENTITY", escaped(event.identity)),
        ("LOBBY_USER", event.user.to_owned()),
        ("LOBBY_TARGET", event.target.to_owned()),
    ] {
        if !value.is_empty() {
            entry.field(name, value.as_bytes());
        }
    }
    if let Err(error) = entry.send(Path::new(SOCKET)) {
        tracing::debug!(%error, "the journal took no entry");
        output::note(&event.message);
    }
}

/// A text that a person or a provider chose, printable and not long.
fn escaped(text: &str) -> String {
    let end = (0..=text.len().min(MAX_TEXT)).rev().find(|at| text.is_char_boundary(*at));
    escape(&text.as_bytes()[..end.unwrap_or(0)])
}
