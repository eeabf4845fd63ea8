//! What is to be sent, and when (pure): from what is true of the sessions now, and what was sent before.
//!
//! A session's state is a level. Its entry says since when it is seen to be so and whether that was dealt with, and is
//! kept: after a restart nothing is sent twice, and what became true meanwhile is sent.

use crate::protocol::attention::Marks;
use crate::protocol::sessions::Session;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use terminal_lobby::sys::clock::Epoch;

/// Milliseconds since the epoch.
pub(super) type Millis = u64;

/// The file with it.
pub(super) const NOTIFIED: &str = "notified.json";
/// A state counts once it has lasted so long.
pub(super) const DWELL: Millis = 5_000;
/// Minimum time between two notifications of one session.
pub(super) const COOL_DOWN: Millis = 60_000;
/// For how long the one who is sending has it to itself: longer than sending takes.
const CLAIM: Millis = 300_000;
/// What could not be sent is tried again after this, then after twice as long each time.
const FIRST_RETRY: Millis = 5_000;
const LAST_RETRY: Millis = 3_600_000;
/// How often at most.
const MAX_TRIES: u32 = 12;

/// What was dealt with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Notified {
    /// Since when sessions are followed; 0 if they are not.
    since: Millis,
    sessions: BTreeMap<String, Entry>,
}

/// What a session is, and whether its person was notified of that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Entry {
    state: String,
    /// Since when, as its agent says.
    since: Option<Epoch>,
    /// When it was first seen to be so.
    at: Millis,
    /// Whether the person may be notified of it.
    is_news: bool,
    /// Whether that is dealt with: sent, seen or muted.
    is_done: bool,
    /// When a notification of this session was last sent.
    last: Millis,
    /// Until when it is being sent, or not to be tried again.
    until: Millis,
    /// The browsers that still lack it; all if none is named.
    lack: Vec<String>,
    tries: u32,
}

/// A notification that is to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) session: Arc<Session>,
    pub(super) at: Millis,
    /// Ids of the browsers that lack it; all if none is named.
    pub(super) lack: Vec<String>,
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) due: Vec<Due>,
    /// When to look again, if nothing changes before.
    pub(super) next: Option<Millis>,
    /// Ids of the sessions of which notifications may be open.
    pub(super) open: Vec<String>,
}

/// What sending led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// These browsers lack it, and are to be tried not before a time.
    Later {
        lack: Vec<String>,
        not_before: Millis,
    },
}

impl Notified {
    /// Takes what the sessions are now. `is_first` if it is not known what they were in between.
    pub(super) fn observe(&mut self, sessions: &[Arc<Session>], is_first: bool, now: Millis) {
        let is_begin = self.since == 0;
        if is_begin {
            self.since = now;
        }
        let known: BTreeMap<&str, &Arc<Session>> =
            sessions.iter().map(|session| (session.id.as_str(), session)).collect();
        self.sessions.retain(|id, _| known.contains_key(id.as_str()));
        for (id, session) in known.into_iter().filter(|(id, _)| !id.is_empty()) {
            let before = self.sessions.get(id);
            let since = has_time(session.state).then_some(session.since).flatten();
            if before.is_some_and(|before| before.state == session.state && before.since == since) {
                continue;
            }
            let is_news = !is_begin && is_news(before, session, self.since, is_first);
            let last = before.map_or(0, |before| before.last);
            let state = session.state.to_owned();
            let entry = Entry { state, since, at: now, is_news, last, ..Entry::default() };
            self.sessions.insert(id.to_owned(), entry);
        }
    }

    /// What is due now; it is claimed for the one who asks.
    pub(super) fn plan(
        &mut self,
        sessions: &[Arc<Session>],
        marks: &Marks,
        looks: &BTreeMap<String, usize>,
        now: Millis,
    ) -> Plan {
        let mut plan = Plan::default();
        for session in sessions {
            let Some(entry) = self.sessions.get_mut(&session.id) else { continue };
            let is_looked_at = looks.contains_key(&session.id);
            if entry.is_news && !entry.is_done {
                if marks.is_muted(&session.id) || marks.has_seen(&session.id, entry.at / 1000) {
                    entry.is_done = true;
                    entry.lack.clear();
                } else if !is_looked_at {
                    let dwelt = entry.at + DWELL;
                    let cool =
                        if entry.tries == 0 && entry.last > 0 { entry.last + COOL_DOWN } else { 0 };
                    let from = dwelt.max(cool).max(entry.until);
                    if from <= now {
                        entry.until = now + CLAIM;
                        entry.last = now;
                        let lack = entry.lack.clone();
                        plan.due.push(Due { session: Arc::clone(session), at: entry.at, lack });
                    } else {
                        plan.next = Some(plan.next.map_or(from, |next| next.min(from)));
                    }
                }
            }
            let is_sent = entry.is_news && entry.last >= entry.at && entry.last > 0;
            if is_sent && !is_looked_at && !marks.has_seen(&session.id, entry.at / 1000) {
                plan.open.push(session.id.clone());
            }
        }
        plan
    }

    /// Takes what sending led to.
    pub(super) fn sent(&mut self, id: &str, at: Millis, outcome: Outcome, now: Millis) {
        let Some(entry) = self.sessions.get_mut(id).filter(|entry| entry.at == at) else { return };
        match outcome {
            Outcome::Later { lack, not_before } if entry.tries < MAX_TRIES => {
                let pause = (FIRST_RETRY << entry.tries.min(16)).min(LAST_RETRY);
                entry.until = not_before.max(now + pause);
                entry.tries += 1;
                entry.lack = lack;
            }
            _ => {
                entry.is_done = true;
                entry.lack.clear();
            }
        }
    }
}

/// States whose time says whether it is another one of the same kind.
fn has_time(state: &str) -> bool {
    matches!(state, "waiting" | "idle")
}

/// Whether the person may want to know that a session is now what it is.
fn is_news(before: Option<&Entry>, session: &Session, followed: Millis, is_first: bool) -> bool {
    let was = before.map_or("", |before| before.state.as_str());
    match session.state {
        "waiting" => true,
        // An agent that starts is idle, too: only one that worked is done.
        "idle" => {
            let is_later = before.is_some_and(|before| before.since < session.since);
            was == "working" || (was == "idle" && is_first && is_later)
        }
        // An agent that ended while it worked; one that a person left was idle.
        "shell" => was == "working",
        "lost" => match before {
            Some(_) => !matches!(was, "lost" | "ended" | "saved"),
            None => session.changed.saturating_mul(1000) > followed,
        },
        _ => false,
    }
}

#[cfg(test)]
#[path = "due_tests.rs"]
mod tests;
