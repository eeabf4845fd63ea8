//! The list of sessions as the page gets it (pure). Everything that a user or a program chose is text in which
//! control and direction characters are replaced: the page shows it as text alone.

use super::attention::Marks;
use super::layout::Layout;
use super::people::{Grant, Person};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use terminal_lobby::persist::sessions::{Need, SessionView};

/// Maximum length of a shown text, in characters.
const MAX_SHOWN: usize = 256;

/// One session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Its birth id; empty for one that is only in a snapshot from before it had one.
    pub id: String,
    pub name: String,
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its directory, below the home as `~/...`.
    pub directory: String,
    pub windows: usize,
    pub panes: usize,
    pub viewers: u32,
    /// Since when its agent does what it does, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// In bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// How many commands its agent has running.
    #[serde(skip_serializing_if = "is_zero")]
    pub commands: usize,
    /// Whether its terminal may be made ready before it is opened.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub preload: bool,
    /// In seconds since the epoch; 0 if unknown.
    pub changed: u64,
    /// Whether it can be opened.
    pub live: bool,
    /// Whether it ends in a few seconds, unless that is undone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ending: bool,
    /// What its agent is given once it takes a prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
}

/// A prompt that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Its beginning.
    pub text: String,
    /// Why it was not given yet, although the agent is idle.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub trouble: String,
}

impl Held {
    /// As the page shows it.
    pub fn of(text: &str, trouble: &str) -> Self {
        Self { text: shown(text.as_bytes()), trouble: shown(trouble.as_bytes()) }
    }
}

/// What the page gets: everything at first, then what changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Message {
    List {
        sessions: Vec<Arc<Session>>,
        host: String,
        user: String,
    },
    Changes {
        /// New ones and changed ones.
        changed: Vec<Arc<Session>>,
        /// Keys of those that are gone.
        gone: Vec<String>,
        /// All keys, in the order of need.
        order: Vec<String>,
    },
    /// Why the list cannot be made, or that it can again (empty).
    Trouble {
        message: String,
    },
    /// How the sessions are arranged, if that is new, or why that is not known.
    Layout {
        #[serde(skip_serializing_if = "Option::is_none")]
        layout: Option<Arc<Layout>>,
        #[serde(skip_serializing_if = "String::is_empty")]
        problem: String,
    },
    /// What the user has seen, and of what they want no notification.
    Attention(Arc<Marks>),
    /// Who else looks at these sessions, if that has changed.
    Watched {
        by: Vec<String>,
    },
    /// Who has which session open, if that has changed.
    People {
        sessions: BTreeMap<String, Vec<Person>>,
    },
    /// To a person with whom something is shared: what, by session, if that has changed.
    Shared {
        sessions: BTreeMap<String, Grant>,
    },
}

impl Session {
    /// As the page shows it, for a user with this home.
    pub fn of(view: &SessionView, home: &[u8], ending: bool) -> Self {
        let optional =
            |bytes: &Option<Vec<u8>>| bytes.as_deref().map(shown).filter(|text| !text.is_empty());
        Self {
            id: view.birth_id.clone(),
            name: shown(&view.name),
            state: word(view.need),
            waiting_for: view.waiting_for.as_ref().map(|text| shown(text.as_bytes())),
            agent: optional(&view.agent),
            title: view.title.as_deref().map(title).filter(|text| !text.is_empty()),
            directory: directory(&view.cwd, home),
            windows: view.windows,
            panes: view.panes,
            viewers: view.viewers,
            since: view.since,
            model: view.model.as_ref().map(|text| shown(text.as_bytes())),
            branch: optional(&view.branch),
            memory: view.memory,
            commands: view.commands,
            preload: view.survives_detach,
            changed: view.changed,
            live: view.number.is_some(),
            ending,
            held: None,
        }
    }

    /// A title as the page shows it.
    pub fn title(text: &str) -> String {
        shown(text.as_bytes())
    }

    /// What it is known by among the sessions of one list.
    pub fn key(&self) -> String {
        if self.id.is_empty() { format!("{} {}", self.state, self.name) } else { self.id.clone() }
    }
}

/// What has changed from one list to the next; `None` if nothing has.
pub fn changes(before: &[Arc<Session>], after: &[Arc<Session>]) -> Option<Message> {
    let known: BTreeMap<String, &Arc<Session>> =
        before.iter().map(|session| (session.key(), session)).collect();
    let order: Vec<String> = after.iter().map(|session| session.key()).collect();
    let is_new = |session: &&Arc<Session>| {
        known.get(&session.key()).is_none_or(|known| **known != **session)
    };
    let changed: Vec<Arc<Session>> = after.iter().filter(is_new).cloned().collect();
    let gone: Vec<String> = known.into_keys().filter(|key| !order.contains(key)).collect();
    let moved = before.iter().map(|session| session.key()).ne(order.iter().cloned());
    (moved || !changed.is_empty()).then_some(Message::Changes { changed, gone, order })
}

fn word(need: Need) -> &'static str {
    match need {
        Need::Waiting => "waiting",
        Need::Working => "working",
        Need::Idle => "idle",
        Need::Unknown => "unknown",
        Need::Suspended => "suspended",
        Need::Shell => "shell",
        Need::Lost => "lost",
        Need::Saved => "saved",
        Need::Ended => "ended",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Text that is safe to show: no control characters, none that change the direction or that are not seen.
pub(super) fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().take(MAX_SHOWN).map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// An agent's title without the mark in front of it, which some change many times a second while they work.
fn title(bytes: &[u8]) -> String {
    let text = shown(bytes);
    let is_mark = |c: char| {
        !c.is_alphanumeric() && !matches!(c, '"' | '\'' | '(' | '/' | '~' | '$' | '@' | '#')
    };
    text.trim_start_matches(is_mark).trim_end().to_owned()
}

pub(super) fn directory(cwd: &[u8], home: &[u8]) -> String {
    let rest = cwd
        .strip_prefix(home)
        .filter(|rest| home.len() > 1 && matches!(rest.first(), None | Some(b'/')));
    rest.map_or_else(|| shown(cwd), |rest| format!("~{}", shown(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(name: &str, need: Need) -> SessionView {
        SessionView {
            birth_id: format!("id-{name}"),
            number: Some(1),
            pane: Some(1),
            name: name.into(),
            need,
            cwd: b"/home/u/code".to_vec(),
            windows: 1,
            panes: 1,
            ..SessionView::default()
        }
    }

    fn list(views: &[SessionView]) -> Vec<Arc<Session>> {
        views.iter().map(|view| Arc::new(Session::of(view, b"/home/u", false))).collect()
    }

    #[test]
    fn only_what_changed_is_sent() {
        let (a, b) = (view("a", Need::Idle), view("b", Need::Shell));
        let before = list(&[a.clone(), b.clone()]);
        assert_eq!(changes(&before, &before), None);
        let after = list(&[SessionView { need: Need::Waiting, ..b.clone() }, a.clone()]);
        let Some(Message::Changes { changed, gone, order }) = changes(&before, &after) else {
            panic!()
        };
        assert_eq!((changed.len(), changed[0].state, gone.len()), (1, "waiting", 0));
        assert_eq!(order, ["id-b", "id-a"]);
        let Some(Message::Changes { changed, gone, .. }) = changes(&before, &list(&[a])) else {
            panic!()
        };
        assert_eq!((changed.len(), gone), (0, vec!["id-b".to_owned()]));
    }

    #[test]
    fn hostile_names_and_titles_are_text_without_control_and_direction_characters() {
        let mut hostile = view("x\x1b[31m\u{202e}evil", Need::Shell);
        hostile.title = Some("\u{2733} Fix \u{200b}it\x07".into());
        let session = Session::of(&hostile, b"/home/u", false);
        assert_eq!(session.name, "x\u{fffd}[31m\u{fffd}evil");
        assert_eq!(session.title.as_deref(), Some("Fix \u{fffd}it\u{fffd}"));
        assert_eq!(session.directory, "~/code");
        hostile.cwd = b"/home/user".to_vec();
        assert_eq!(Session::of(&hostile, b"/home/u", false).directory, "/home/user");
        hostile.name = "y".repeat(1000).into();
        assert_eq!(Session::of(&hostile, b"/home/u", false).name.len(), MAX_SHOWN);
    }
}
