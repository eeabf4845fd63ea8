//! One event: its kind, its cause, and the sentence about it (pure).

use crate::sys::clock::Epoch;
use crate::text::{escape, json_text};
use serde_json::{Value, json};

/// What happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An agent ended, and nobody closed it.
    #[default]
    Death,
    /// An agent that had ended came back in its pane.
    Resumed,
    /// One did not, or was not tried: the text says why.
    NotResumed,
    /// One ended too often and is left until a person looks.
    GaveUp,
    /// The tmux server ended, and nobody closed its sessions.
    ServerDeath,
    /// Its sessions came back.
    Restored,
    /// An idle agent was ended to give its memory back; its pane waits.
    Suspended,
    /// A suspended agent was resumed.
    Woken,
    /// An agent's memory nears its limit.
    MemoryWarning,
}

/// All kinds, in the order of reports.
pub const KINDS: [Kind; 9] = [
    Kind::Death,
    Kind::Resumed,
    Kind::NotResumed,
    Kind::GaveUp,
    Kind::ServerDeath,
    Kind::Restored,
    Kind::Suspended,
    Kind::Woken,
    Kind::MemoryWarning,
];

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The memory limit of the pane's own control group.
    PaneLimit,
    /// That of a group above it: the user's slice, the service.
    SliceLimit,
    /// The host as a whole ran out of memory.
    HostMemory,
    /// The earlyoom daemon chose it.
    Earlyoom,
    /// A signal that a person or program sent.
    Signal,
    /// An error of the program itself.
    Crash,
    Unknown,
}

/// All causes, in the order of reports.
pub const CAUSES: [Cause; 7] = [
    Cause::PaneLimit,
    Cause::SliceLimit,
    Cause::HostMemory,
    Cause::Earlyoom,
    Cause::Signal,
    Cause::Crash,
    Cause::Unknown,
];

/// An event. Names are bytes that the user controls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// When, in seconds since the epoch.
    pub time: Epoch,
    pub kind: Kind,
    /// The tmux session; `None` for what concerns the whole server.
    pub session: Option<Vec<u8>>,
    /// The number of the pane in its server, as in `%3`.
    pub pane: Option<u32>,
    pub agent: Option<Vec<u8>>,
    pub conversation: Option<Vec<u8>>,
    pub cause: Option<Cause>,
    /// Memory that it is about, in bytes: what was in use, or was given back.
    pub bytes: Option<u64>,
    /// What else is known, in words.
    pub text: Vec<u8>,
}

impl Kind {
    /// The word in the file, in reports and as a metric's label.
    pub fn word(self) -> &'static str {
        match self {
            Self::Death => "death",
            Self::Resumed => "resumed",
            Self::NotResumed => "not-resumed",
            Self::GaveUp => "gave-up",
            Self::ServerDeath => "server-death",
            Self::Restored => "restored",
            Self::Suspended => "suspended",
            Self::Woken => "woken",
            Self::MemoryWarning => "memory-warning",
        }
    }

    /// Reads the word.
    pub fn parse(word: &[u8]) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.word().as_bytes() == word)
    }

    /// The journal's `MESSAGE_ID`: constant, so that `journalctl MESSAGE_ID=` finds the kind.
    pub fn message_id(self) -> &'static str {
        match self {
            Self::Death => "91917597fc674207b806ed9112071c91",
            Self::Resumed => "aa6caff9f2774f46833638611436e743",
            Self::NotResumed => "0be0931447d946b08d66ea8909df936c",
            Self::GaveUp => "964866d390594b20b84f470617ef59d3",
            Self::ServerDeath => "11224d6a87654132965a372b1b2a3a44",
            Self::Restored => "31a95ada7bad44ed92eaf2468ff08955",
            Self::Suspended => "8c29c9f353b444d38c92c6ac6d50b55a",
            Self::Woken => "b882a2bebe1f45ebbd96e670ba33664e",
            Self::MemoryWarning => "b1545525ee1244af867e484f77a044d5",
        }
    }

    /// The priority in the journal, as in syslog(3).
    pub fn priority(self) -> u8 {
        match self {
            Self::NotResumed | Self::GaveUp => 3,
            Self::Death | Self::ServerDeath | Self::MemoryWarning => 4,
            Self::Resumed | Self::Restored => 5,
            Self::Suspended | Self::Woken => 6,
        }
    }
}

impl Cause {
    /// The word in the file, in reports and as a metric's label.
    pub fn word(self) -> &'static str {
        match self {
            Self::PaneLimit => "pane-limit",
            Self::SliceLimit => "slice-limit",
            Self::HostMemory => "host-memory",
            Self::Earlyoom => "earlyoom",
            Self::Signal => "signal",
            Self::Crash => "crash",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the word.
    pub fn parse(word: &[u8]) -> Option<Self> {
        CAUSES.into_iter().find(|cause| cause.word().as_bytes() == word)
    }

    /// The cause in a sentence, after a colon.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::PaneLimit => "the memory limit of its pane was reached",
            Self::SliceLimit => "the memory limit of the user was reached",
            Self::HostMemory => "the host ran out of memory",
            Self::Earlyoom => "earlyoom ended it, since the host was short of memory",
            Self::Signal => "a person or a program sent it a signal",
            Self::Crash => "it crashed",
            Self::Unknown => "the cause is not known",
        }
    }
}

impl Event {
    /// One line for a person, with what the user controls escaped.
    pub fn sentence(&self) -> String {
        let what = match self.kind {
            Kind::Death => "ended and was not closed",
            Kind::Resumed => "was resumed in its pane",
            Kind::NotResumed => "was not resumed",
            Kind::GaveUp => "is not resumed any more until a person has looked",
            Kind::ServerDeath => "ended with sessions that were not closed",
            Kind::Restored => "is back with its sessions",
            Kind::Suspended => "was suspended",
            Kind::Woken => "was resumed from its suspension",
            Kind::MemoryWarning => "is near its memory limit",
        };
        let mut sentence = format!("{} {what}", self.subject());
        if let Some(cause) = self.cause {
            sentence = format!("{sentence}: {}", cause.sentence());
        }
        if let Some(bytes) = self.bytes {
            sentence = format!("{sentence} ({} MiB)", bytes >> 20);
        }
        if !self.text.is_empty() {
            sentence = format!("{sentence}: {}", escape(&self.text));
        }
        sentence
    }

    fn subject(&self) -> String {
        if matches!(self.kind, Kind::ServerDeath | Kind::Restored) && self.session.is_none() {
            return "the tmux server".to_owned();
        }
        let agent = self.agent.as_ref().map_or("the agent".to_owned(), |agent| escape(agent));
        let pane = self.pane.map_or(String::new(), |pane| format!(" (pane %{pane})"));
        match &self.session {
            Some(session) => format!("{agent} in session '{}'{pane}", escape(session)),
            None => format!("{agent}{pane}"),
        }
    }

    /// The event as `persist events --json` and the site's command get it.
    pub fn json(&self) -> Value {
        let text = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| json_text(bytes));
        json!({
            "time": self.time,
            "kind": self.kind.word(),
            "session": text(&self.session),
            "pane": self.pane.map(|pane| format!("%{pane}")),
            "agent": text(&self.agent),
            "conversation": text(&self.conversation),
            "cause": self.cause.map(Cause::word),
            "bytes": self.bytes,
            "text": json_text(&self.text),
            "message": self.sentence(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_and_cause_is_read_back_from_its_word() {
        for kind in KINDS {
            assert_eq!(Kind::parse(kind.word().as_bytes()), Some(kind));
        }
        for cause in CAUSES {
            assert_eq!(Cause::parse(cause.word().as_bytes()), Some(cause));
        }
        assert_eq!(Kind::parse(b"deaths"), None);
    }

    #[test]
    fn each_kind_has_a_message_id_of_its_own_in_the_journals_form() {
        let ids: BTreeSet<&str> = KINDS.into_iter().map(Kind::message_id).collect();
        assert_eq!(ids.len(), KINDS.len());
        let is_id = |id: &&str| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
        assert!(ids.iter().all(is_id), "{ids:?}");
    }

    #[test]
    fn a_sentence_shows_no_control_character_that_a_user_put_into_a_name() {
        let event = Event {
            session: Some(b"a\x1b[2J\nb".to_vec()),
            pane: Some(3),
            agent: Some(b"claude".to_vec()),
            cause: Some(Cause::PaneLimit),
            bytes: Some(512 << 20),
            text: b"ended\r".to_vec(),
            ..Event::default()
        };
        let expected = "claude in session 'a\\x1b[2J\\nb' (pane %3) ended and was not closed: the memory limit \
                        of its pane was reached (512 MiB): ended\\r";
        assert_eq!(event.sentence(), expected);
        let server = Event { kind: Kind::ServerDeath, ..Event::default() };
        assert_eq!(server.sentence(), "the tmux server ended with sessions that were not closed");
    }
}
