//! Which live session stands for a session of a snapshot (pure). A name alone does not say: after a
//! crash another server, or the user, may have given it to other work.

use crate::persist::capture::Capture;
use crate::snapshot::{Row, Snapshot};
use std::collections::{BTreeMap, BTreeSet};

/// Maximum length of a name that we give, in characters: other tools address no longer ones.
const MAX_NAME: usize = 32;

/// What stands for a session of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing.
    Absent,
    /// The live session of this name: the same one, or the one that a restore made of it.
    Live(Vec<u8>),
    /// Nothing, and its name belongs to other work.
    Taken,
}

/// The live sessions of a server.
#[derive(Debug, Default)]
pub(crate) struct LiveSessions {
    server: String,
    by_name: BTreeMap<Vec<u8>, LiveSession>,
}

#[derive(Debug, Default)]
struct LiveSession {
    /// What a restore marked it with.
    origin: Option<Vec<u8>>,
    /// The directories of its panes.
    directories: BTreeSet<Vec<u8>>,
}

/// What identifies the session of that name in a server, which is given as in the header of a
/// snapshot. `None` for a snapshot that names no server.
pub(crate) fn origin(server: &str, session: &[u8]) -> Option<Vec<u8>> {
    (!server.is_empty()).then(|| [server.as_bytes(), b"/", session].concat())
}

/// What identifies the session of these rows.
pub(crate) fn origin_of(row: &Row, server: &str) -> Option<Vec<u8>> {
    row.origin.clone().or_else(|| origin(server, &row.session))
}

impl LiveSessions {
    pub(crate) fn of(captured: &Capture) -> Self {
        Self::new(&captured.snapshot, &captured.origins)
    }

    /// `origins` are the marks of restores, by session.
    pub(crate) fn new(live: &Snapshot, origins: &BTreeMap<Vec<u8>, Vec<u8>>) -> Self {
        let mut by_name: BTreeMap<Vec<u8>, LiveSession> = BTreeMap::new();
        for row in &live.rows {
            let session = by_name.entry(row.session.clone()).or_default();
            session.origin = origins.get(&row.session).cloned();
            session.directories.insert(row.cwd.clone());
        }
        Self { server: live.server.clone(), by_name }
    }

    /// What stands for the session of these rows, all of one session of a snapshot of `server`. Its
    /// agents do not matter: they are found by their conversations.
    pub(crate) fn standing(&self, rows: &[&Row], server: &str) -> Standing {
        let Some(first) = rows.first() else { return Standing::Absent };
        let named = self.named(&first.session);
        let made_of_it = origin_of(first, server).and_then(|origin| self.made_of(&origin));
        let is_same_server = !server.is_empty() && server == self.server;
        let was_there = rows.iter().any(|row| row.is_present());
        if is_same_server && was_there {
            let live = named.map(|(name, _)| name.clone()).or(made_of_it);
            return live.map_or(Standing::Absent, Standing::Live);
        }
        if let Some(made) = made_of_it {
            return Standing::Live(made);
        }
        let Some((name, live)) = named else { return Standing::Absent };
        let is_there = |row: &&Row| {
            let is_shell_there = row.program.is_none() && live.directories.contains(&row.cwd);
            row.conversation.is_some() || is_shell_there
        };
        if server.is_empty() || live.origin.is_some() || rows.iter().all(is_there) {
            return Standing::Live(name.clone());
        }
        Standing::Taken
    }

    /// The session of that name. tmux before 3.7 replaces `:` and `.` by underscores.
    fn named(&self, name: &[u8]) -> Option<(&Vec<u8>, &LiveSession)> {
        let in_tmux = || -> Vec<u8> {
            name.iter().map(|byte| if b":.".contains(byte) { b'_' } else { *byte }).collect()
        };
        self.by_name.get_key_value(name).or_else(|| self.by_name.get_key_value(&in_tmux()))
    }

    /// The session that a restore made of another one, or that is that one.
    fn made_of(&self, origin: &[u8]) -> Option<Vec<u8>> {
        let marked = self.by_name.iter().find(|(_, live)| live.origin.as_deref() == Some(origin));
        let own = || {
            let name = origin.strip_prefix(self.server.as_bytes())?.strip_prefix(b"/")?;
            let (name, live) = self.named(name).filter(|_| !self.server.is_empty())?;
            live.origin.is_none().then_some(name)
        };
        marked.map(|(name, _)| name).or_else(own).cloned()
    }
}

/// A name for a session whose own name is taken: `NAME-HHMM`, with a number appended if that is
/// taken, too. NAME is cut so that the whole has at most 32 characters.
pub(crate) fn free_name(name: &[u8], hhmm: &str, is_taken: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let with = |number: u32| {
        let suffix = if number < 2 { format!("-{hhmm}") } else { format!("-{hhmm}-{number}") };
        [beginning(name, MAX_NAME.saturating_sub(suffix.len())), suffix.as_bytes()].concat()
    };
    let first = with(1);
    let mut candidates = (1..).map(with);
    candidates.find(|candidate| !is_taken(candidate)).unwrap_or(first)
}

/// The first `length` characters of a name; bytes if it is not UTF-8.
fn beginning(name: &[u8], length: usize) -> &[u8] {
    let end = match std::str::from_utf8(name) {
        Ok(text) => text.char_indices().nth(length).map(|(at, _)| at),
        Err(_) => Some(length),
    };
    &name[..end.unwrap_or(name.len()).min(name.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(session: &str, cwd: &str) -> Row {
        Row { session: session.into(), cwd: cwd.into(), pane_id: Some(1), ..Row::default() }
    }

    fn live(server: &str, rows: Vec<Row>, origins: &[(&str, &str)]) -> LiveSessions {
        let origins = origins.iter().map(|(name, origin)| ((*name).into(), (*origin).into()));
        let snapshot = Snapshot { server: server.into(), rows, ..Snapshot::default() };
        LiveSessions::new(&snapshot, &origins.collect())
    }

    fn standing(live: &LiveSessions, rows: &[Row], server: &str) -> Standing {
        let rows: Vec<&Row> = rows.iter().collect();
        live.standing(&rows, server)
    }

    #[test]
    fn a_name_in_another_server_is_other_work_unless_a_restore_made_it() {
        let saved = [row("web", "/a"), row("web", "/b")];
        let now =
            |origins: &[(&str, &str)]| live("2", vec![row("web", "/a"), row("api", "/")], origins);
        assert_eq!(standing(&now(&[]), &saved, "1"), Standing::Taken);
        assert_eq!(standing(&now(&[]), &saved, "2"), Standing::Live(b"web".to_vec()));
        assert_eq!(standing(&now(&[]), &saved, ""), Standing::Live(b"web".to_vec()));
        assert_eq!(
            standing(&now(&[("api", "1/web")]), &saved, "1"),
            Standing::Live(b"api".to_vec())
        );
        assert_eq!(
            standing(&now(&[("web", "0/web")]), &saved, "1"),
            Standing::Live(b"web".to_vec())
        );
        assert_eq!(standing(&now(&[]), &saved[..1], "1"), Standing::Live(b"web".to_vec()));
        assert_eq!(standing(&now(&[]), &[row("other", "/b")], "1"), Standing::Absent);
    }

    #[test]
    fn what_was_put_aside_is_there_again_in_the_server_that_it_came_from() {
        let aside = [Row { origin: Some(b"1/web".to_vec()), ..row("web-1432", "/b") }];
        let (own, other) =
            (live("1", vec![row("web", "/")], &[]), live("2", vec![row("web", "/")], &[]));
        assert_eq!(standing(&own, &aside, "2"), Standing::Live(b"web".to_vec()));
        assert_eq!(standing(&other, &aside, "2"), Standing::Absent);
    }

    #[test]
    fn a_name_that_we_give_is_free_and_has_at_most_32_characters() {
        assert_eq!(free_name(b"web", "1432", |_| false), b"web-1432");
        assert_eq!(free_name(b"web", "1432", |name| name == b"web-1432"), b"web-1432-2");
        let long = "ä".repeat(40);
        let name = String::from_utf8(free_name(long.as_bytes(), "1432", |_| false)).unwrap();
        assert_eq!(name, format!("{}-1432", "ä".repeat(27)));
        let name = free_name(long.as_bytes(), "1432", |name| name.ends_with("ä-1432".as_bytes()));
        assert_eq!(String::from_utf8(name).unwrap(), format!("{}-1432-2", "ä".repeat(25)));
        assert_eq!(free_name(&[0xff; 40], "1432", |_| false).len(), 32);
    }
}
