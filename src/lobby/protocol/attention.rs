//! What a page and the lobby say to each other of what a person has seen (pure).

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use terminal_lobby::sys::clock::Epoch;

/// Maximum length of what a page says at once, in bytes.
const MAX_SAID: usize = 256;
/// How many sessions are known that were opened, those that were opened last.
const MAX_OPENED: usize = 1000;
/// How many sessions can be muted.
const MAX_MUTED: usize = 1000;

/// What a person has seen, and of what they want no notification. It is kept, and each page gets it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Marks {
    /// When the person first used the lobby: what is from before counts as seen. 0 if they have not.
    pub since: Epoch,
    /// Whether no notification is wanted at all.
    pub all_muted: bool,
    /// Ids of sessions of which no notification is wanted.
    pub muted: BTreeSet<String>,
    /// When each session was last seen by the person, by its id.
    pub opened: BTreeMap<String, Epoch>,
    /// Until when the person knows what happened.
    pub seen: Epoch,
}

impl Marks {
    /// Marks a session as seen at a time.
    pub fn open(&mut self, id: &str, at: Epoch) {
        let opened = self.opened.entry(id.to_owned()).or_default();
        *opened = (*opened).max(at);
        while self.opened.len() > MAX_OPENED {
            let oldest = self.opened.iter().min_by_key(|(_, at)| **at).map(|(id, _)| id.clone());
            let Some(oldest) = oldest else { return };
            self.opened.remove(&oldest);
        }
    }

    /// Mutes a session, or no longer; `false` if too many are muted.
    pub fn mute(&mut self, id: &str, is_muted: bool) -> bool {
        if is_muted {
            let fits = self.muted.len() < MAX_MUTED || self.muted.contains(id);
            if fits {
                self.muted.insert(id.to_owned());
            }
            return fits;
        }
        self.muted.remove(id);
        true
    }

    /// Whether no notification of a session is wanted.
    pub fn is_muted(&self, id: &str) -> bool {
        self.all_muted || self.muted.contains(id)
    }

    /// Whether what is true of a session since a time was seen. What came in the second in which the person left was not.
    pub fn has_seen(&self, id: &str, since: Epoch) -> bool {
        self.opened.get(id).is_some_and(|opened| *opened > since)
    }
}

/// What a person looks at in one page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// The id of the session that is open, if one is.
    pub session: Option<String>,
    /// Whether the page can be seen: not one in a tab behind others, or on a phone whose screen is off.
    pub visible: bool,
    /// Whether the person knows what happened before: then what happens now is seen, too.
    pub caught_up: bool,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    Looking(Look),
}

impl Look {
    /// Reads what a page said; `None` if it says something else.
    pub fn of(text: &str) -> Option<Self> {
        if text.len() > MAX_SAID {
            return None;
        }
        let Said::Looking(look) = serde_json::from_str(text).ok()?;
        look.session.as_deref().is_none_or(is_id).then_some(look)
    }
}

/// Whether a text has the form of a session's id.
pub fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_read_and_everything_else_is_not() {
        let own =
            r#"{"type":"looking","session":"0123456789abcdef","visible":true,"caught_up":false}"#;
        let expected =
            Look { session: Some("0123456789abcdef".into()), visible: true, caught_up: false };
        assert_eq!(Look::of(own), Some(expected));
        let none = r#"{"type":"looking","session":null,"visible":false,"caught_up":true}"#;
        assert!(Look::of(none).is_some());
        for wrong in [
            "",
            "x",
            "{}",
            r#"{"type":"looking"}"#,
            r#"{"type":"looking","session":"../../x","visible":true,"caught_up":false}"#,
            r#"{"type":"looking","session":"0123456789ABCDEF","visible":true,"caught_up":false}"#,
            &own.replace("true", &format!("{}true", " ".repeat(300))),
        ] {
            assert_eq!(Look::of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_what_was_opened_last_is_kept_and_time_never_goes_back() {
        let mut marks = Marks::default();
        for at in 0..1010 {
            marks.open(&format!("{at:016x}"), at);
        }
        assert_eq!(marks.opened.len(), MAX_OPENED);
        assert!(!marks.opened.contains_key(&format!("{:016x}", 9)));
        marks.open("0000000000000100", 3);
        let last = format!("{:016x}", 1009);
        marks.open(&last, 1);
        assert_eq!(marks.opened[&last], 1009);
        assert!(marks.has_seen(&last, 1008) && !marks.has_seen(&last, 1009));
    }
}
