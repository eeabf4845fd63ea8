//! The report of `events`, and the counts of events in `status` (pure).

use super::problem::Problem;
use crate::events::{Counts, Event, Kind, Log, Numbered, Totals};
use crate::sys::clock::Epoch;
use crate::text::json_text;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What happened to a user's sessions by itself, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsReport {
    pub events: Vec<ReportedEvent>,
    /// Number of earlier events that were asked for and are not listed.
    pub more: usize,
    /// Notes for the user.
    pub notes: Vec<String>,
    pub error: Option<Problem>,
}

/// One event. Bytes that are not UTF-8 are escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportedEvent {
    /// The first event ever recorded has 1.
    pub number: u64,
    /// In seconds since the epoch.
    pub time: Epoch,
    pub kind: String,
    pub session: Option<String>,
    /// Its id in tmux: `%3`.
    pub pane: Option<String>,
    pub agent: Option<String>,
    pub conversation: Option<String>,
    pub cause: Option<String>,
    pub bytes: Option<u64>,
    pub text: String,
    /// The whole event in a sentence.
    pub message: String,
}

impl From<Numbered> for ReportedEvent {
    fn from(Numbered { number, event }: Numbered) -> Self {
        let message = event.sentence();
        let Event { time, kind, session, pane, agent, conversation, cause, bytes, text } = event;
        let shown = |bytes: Option<Vec<u8>>| bytes.map(|bytes| json_text(&bytes));
        Self {
            number,
            time,
            kind: kind.word().to_owned(),
            session: shown(session),
            pane: pane.map(|pane| format!("%{pane}")),
            agent: shown(agent),
            conversation: shown(conversation),
            cause: cause.map(|cause| cause.word().to_owned()),
            bytes,
            text: json_text(&text),
            message,
        }
    }
}

/// Events in all, for metrics. The numbers never decrease while the user's record exists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventCounts {
    /// By kind.
    pub kinds: BTreeMap<String, u64>,
    /// Deaths of agents and servers by cause.
    pub deaths: BTreeMap<String, u64>,
    /// Memory that suspended agents gave back, in bytes.
    pub given_back: u64,
    /// The last warning that an agent's memory nears its limit.
    pub last_memory_warning: Option<Epoch>,
    /// Runs of the site's command.
    pub notifications: BTreeMap<String, u64>,
}

impl EventCounts {
    /// Counts what the record says.
    pub fn new(log: &Log, notifications: Counts) -> Self {
        let mut counts = Self::default();
        counts.enter_totals(&log.totals);
        let warnings = log.events.iter().filter(|one| one.event.kind == Kind::MemoryWarning);
        counts.last_memory_warning = warnings.map(|one| one.event.time).max();
        let named = notifications.named().into_iter();
        counts.notifications =
            named.filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n)).collect();
        counts
    }

    fn enter_totals(&mut self, totals: &Totals) {
        let add = |to: &mut BTreeMap<String, u64>, word: &str, events: u64| {
            let total = to.entry(word.to_owned()).or_default();
            *total = total.saturating_add(events);
        };
        for ((kind, cause), count) in totals {
            add(&mut self.kinds, kind.word(), count.events);
            if matches!(kind, Kind::Death | Kind::ServerDeath) {
                add(&mut self.deaths, cause.map_or("unknown", |c| c.word()), count.events);
            }
            if *kind == Kind::Suspended {
                self.given_back = self.given_back.saturating_add(count.bytes);
            }
        }
    }

    /// The numbers of these words, zeros included.
    pub fn of<const N: usize>(
        numbers: &BTreeMap<String, u64>,
        words: [&'static str; N],
    ) -> Vec<(&'static str, u64)> {
        words.map(|word| (word, numbers.get(word).copied().unwrap_or(0))).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{Cause, Count};

    #[test]
    fn deaths_are_counted_by_cause_and_memory_given_back_by_its_size() {
        let count = |events, bytes| Count { events, bytes };
        let totals = Totals::from([
            ((Kind::Death, Some(Cause::PaneLimit)), count(2, 100)),
            ((Kind::ServerDeath, None), count(1, 0)),
            ((Kind::Suspended, None), count(3, 900)),
        ]);
        let counts = EventCounts::new(&Log { totals, ..Log::default() }, Counts::default());
        let words = ["death", "server-death", "suspended", "woken"];
        let kinds: Vec<u64> =
            EventCounts::of(&counts.kinds, words).into_iter().map(|(_, n)| n).collect();
        assert_eq!(kinds, [2, 1, 3, 0]);
        let deaths = BTreeMap::from([("pane-limit".to_owned(), 2), ("unknown".to_owned(), 1)]);
        assert_eq!((counts.deaths, counts.given_back), (deaths, 900));
    }
}
