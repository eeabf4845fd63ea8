//! What differs between two snapshots, pane by pane (pure).

use super::record::{Row, Snapshot};
use std::collections::{BTreeMap, BTreeSet};

/// A session that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDiff<'a> {
    /// Its name in the first snapshot; absent when it was added.
    pub from: Option<&'a [u8]>,
    /// Its name in the second; absent when it was removed.
    pub to: Option<&'a [u8]>,
    /// Its panes that differ.
    pub panes: Vec<PaneDiff<'a>>,
}

/// A pane that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaneDiff<'a> {
    /// How it was; absent when it was added.
    pub from: Option<&'a Row>,
    /// How it is; absent when it was removed.
    pub to: Option<&'a Row>,
}

/// A part of a pane that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The column of the snapshot file.
    pub name: &'static str,
    /// Whether it is its window's rather than its own.
    pub of_window: bool,
    /// What it was.
    pub from: Option<Vec<u8>>,
    /// What it is.
    pub to: Option<Vec<u8>>,
}

/// Compares two snapshots. Sessions are matched by name; one that has another name is the same
/// one when it, and it alone, shares a conversation or a pane of one tmux server with a session
/// that is gone. Panes are matched by their place. What tmux and saves number by themselves, ids
/// and times, is no difference.
pub fn diff<'a>(from: &'a Snapshot, to: &'a Snapshot) -> Vec<SessionDiff<'a>> {
    let (old, new) = (sessions(from), sessions(to));
    let same_server = !from.server.is_empty() && from.server == to.server;
    let renamed = renamed(&old, &new, same_server);
    let renamed_to: BTreeSet<&[u8]> = renamed.values().copied().collect();
    let mut diffs = Vec::new();
    for (&name, rows) in &old {
        let same = new.contains_key(name).then_some(name);
        let name_now = same.or_else(|| renamed.get(name).copied());
        let rows_now = name_now.map(|name| new[name].as_slice()).unwrap_or_default();
        diffs.push(SessionDiff { from: Some(name), to: name_now, panes: panes(rows, rows_now) });
    }
    for (&name, rows) in &new {
        if !old.contains_key(name) && !renamed_to.contains(name) {
            diffs.push(SessionDiff { from: None, to: Some(name), panes: panes(&[], rows) });
        }
    }
    diffs.retain(|session| session.from != session.to || !session.panes.is_empty());
    diffs.sort_by(|a, b| a.name().cmp(b.name()));
    diffs
}

type Sessions<'a> = BTreeMap<&'a [u8], Vec<&'a Row>>;

fn sessions(snapshot: &Snapshot) -> Sessions<'_> {
    let mut sessions = Sessions::new();
    for row in &snapshot.rows {
        sessions.entry(&row.session).or_default().push(row);
    }
    sessions
}

/// What two sessions that are the same have in common.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Conversation(Vec<u8>),
    Pane(u32),
}

fn marks(rows: &[&Row], same_server: bool) -> impl Iterator<Item = Mark> {
    rows.iter().flat_map(move |row| {
        let conversation = row.conversation_key().map(Mark::Conversation);
        conversation.into_iter().chain(row.pane_id.filter(|_| same_server).map(Mark::Pane))
    })
}

/// Old names to new ones, of sessions that are the same by what is in them.
fn renamed<'a>(
    old: &Sessions<'a>,
    new: &Sessions<'a>,
    same_server: bool,
) -> BTreeMap<&'a [u8], &'a [u8]> {
    let mut gone: BTreeMap<Mark, BTreeSet<&[u8]>> = BTreeMap::new();
    for (&name, rows) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
        for mark in marks(rows, same_server) {
            gone.entry(mark).or_default().insert(name);
        }
    }
    let mut pairs: BTreeSet<(&[u8], &[u8])> = BTreeSet::new();
    for (&name, rows) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
        for mark in marks(rows, same_server) {
            pairs.extend(gone.get(&mark).into_iter().flatten().map(|&was| (was, name)));
        }
    }
    let alone = |&(was, name): &(&'a [u8], &'a [u8])| {
        pairs.iter().all(|pair| *pair == (was, name) || (pair.0 != was && pair.1 != name))
    };
    pairs.iter().filter(|pair| alone(pair)).copied().collect()
}

fn panes<'a>(old: &[&'a Row], new: &[&'a Row]) -> Vec<PaneDiff<'a>> {
    let mut places: BTreeMap<(u32, u32, usize), PaneDiff<'a>> = BTreeMap::new();
    let none = PaneDiff { from: None, to: None };
    for (rows, is_old) in [(old, true), (new, false)] {
        let mut seen: BTreeMap<(u32, u32), usize> = BTreeMap::new();
        for &row in rows {
            let nth = seen.entry((row.window, row.pane)).or_default();
            let pane = places.entry((row.window, row.pane, *nth)).or_insert(none);
            *nth += 1;
            if is_old {
                pane.from = Some(row);
            } else {
                pane.to = Some(row);
            }
        }
    }
    let differs =
        |pane: &PaneDiff<'a>| pane.from.is_none() || pane.to.is_none() || !pane.fields().is_empty();
    places.into_values().filter(differs).collect()
}

impl<'a> SessionDiff<'a> {
    /// Its name now, or the one it had.
    pub fn name(&self) -> &'a [u8] {
        self.to.or(self.from).unwrap_or_default()
    }
}

impl<'a> PaneDiff<'a> {
    /// The pane as it is, or as it was.
    pub fn row(&self) -> Option<&'a Row> {
        self.to.or(self.from)
    }

    /// What changed of a pane that is in both.
    pub fn fields(&self) -> Vec<Field> {
        let (Some(from), Some(to)) = (self.from, self.to) else { return Vec::new() };
        let all = values(from).into_iter().zip(values(to));
        let changed = all.filter(|((_, from), (_, to))| from != to);
        changed
            .map(|((name, from), (_, to))| Field {
                name,
                of_window: name.starts_with("window_"),
                from,
                to,
            })
            .collect()
    }
}

/// What is compared: everything but the place.
fn values(row: &Row) -> [(&'static str, Option<Vec<u8>>); 18] {
    let letters = |letters: String| Some(letters.into_bytes()).filter(|l| !l.is_empty());
    let prompted = row.prompted.map(|prompted| if prompted { "yes" } else { "no" });
    [
        ("state", Some(row.state.word().into())),
        ("agent", row.agent.clone()),
        ("conversation", row.conversation.clone()),
        ("cwd", Some(row.cwd.clone())),
        ("title", row.title.clone()),
        ("command", row.command.clone()),
        ("evidence", row.evidence.clone()),
        ("prompted", prompted.map(Into::into)),
        ("agent_environment", row.agent_environment.clone()),
        ("parent", row.parent.clone()),
        ("agent_version", row.agent_version.clone()),
        ("agent_program", row.agent_program.clone()),
        ("plain_window_name", row.plain_window_name.then(|| b"yes".to_vec())),
        ("pane_flags", letters(row.pane_flags.letters())),
        ("group", row.group.clone()),
        ("window_name", row.window_name.clone()),
        ("window_layout", Some(row.window_layout.clone())),
        ("window_flags", letters(row.window_flags.letters())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::State;
    use proptest::prelude::*;

    fn row(session: &str, place: (u32, u32), conversation: Option<&str>) -> Row {
        let state = if conversation.is_some() { State::Live } else { State::Shell };
        let conversation = conversation.map(Into::into);
        let (window, pane) = place;
        Row { session: session.into(), window, pane, conversation, state, ..Row::default() }
    }

    fn snapshot(rows: &[Row]) -> Snapshot {
        Snapshot { rows: rows.to_vec(), ..Snapshot::default() }
    }

    prop_compose! {
        fn any_row()(
            session in "[abc]", window in 0_u32..3, pane in 0_u32..3,
            conversation in proptest::option::of("[xyz]"),
            cwd in "[/~]", name in proptest::option::of("[nm]"), layout in "[12]",
            state in prop_oneof![Just(State::Live), Just(State::Lost), Just(State::Shell)],
            active in any::<bool>(), pane_id in proptest::option::of(0_u32..4),
        ) -> Row {
            let mut row = row(&session, (window, pane), conversation.as_deref());
            row.cwd = cwd.into();
            row.window_name = name.map(Into::into);
            row.window_layout = layout.into();
            row.state = state;
            row.pane_flags.active = active;
            row.pane_id = pane_id;
            row
        }
    }

    fn any_snapshot() -> impl Strategy<Value = Snapshot> {
        (proptest::collection::vec(any_row(), 0..12), "[12]?")
            .prop_map(|(rows, server)| Snapshot { server, ..snapshot(&rows) })
    }

    fn rows_by_place(rows: impl Iterator<Item = Row>) -> Vec<Row> {
        let mut rows: Vec<Row> = rows.map(|row| Row { pane_id: None, ..row }).collect();
        rows.sort_by(|a, b| (&a.session, a.window, a.pane).cmp(&(&b.session, b.window, b.pane)));
        rows
    }

    /// The second snapshot, made of the first and the difference.
    fn applied(from: &Snapshot, diffs: &[SessionDiff<'_>]) -> Vec<Row> {
        let gone: Vec<*const Row> = diffs
            .iter()
            .flat_map(|session| session.panes.iter().filter_map(|pane| pane.from))
            .map(std::ptr::from_ref)
            .collect();
        let rename = |row: &Row| {
            let diff = diffs.iter().find(|diff| diff.from == Some(&row.session));
            let name = diff.and_then(|diff| diff.to).unwrap_or(&row.session);
            Row { session: name.to_vec(), ..row.clone() }
        };
        let kept = from.rows.iter().filter(|row| !gone.contains(&std::ptr::from_ref(*row)));
        let new = diffs.iter().flat_map(|session| session.panes.iter().filter_map(|pane| pane.to));
        rows_by_place(kept.map(rename).chain(new.cloned()))
    }

    proptest! {
        #[test]
        fn nothing_differs_from_itself(a in any_snapshot()) {
            prop_assert_eq!(diff(&a, &a), vec![]);
        }

        #[test]
        fn the_other_way_round_is_the_mirror(a in any_snapshot(), b in any_snapshot()) {
            let mut mirrored = diff(&b, &a);
            for session in &mut mirrored {
                std::mem::swap(&mut session.from, &mut session.to);
                for pane in &mut session.panes {
                    std::mem::swap(&mut pane.from, &mut pane.to);
                }
            }
            mirrored.sort_by(|a, b| a.name().cmp(b.name()));
            prop_assert_eq!(diff(&a, &b), mirrored);
        }

        #[test]
        fn the_first_with_the_difference_is_the_second(a in any_snapshot(), b in any_snapshot()) {
            let mut expected = rows_by_place(b.rows.iter().cloned());
            let mut made = applied(&a, &diff(&a, &b));
            // Rows of one and the same place have no order.
            let text = |row: &Row| format!("{row:?}");
            expected.sort_by_key(text);
            made.sort_by_key(text);
            prop_assert_eq!(made, expected);
        }

        #[test]
        fn every_difference_is_one(a in any_snapshot(), b in any_snapshot()) {
            for session in diff(&a, &b) {
                prop_assert!(session.from != session.to || !session.panes.is_empty());
                for pane in &session.panes {
                    let both = pane.from.is_some() && pane.to.is_some();
                    prop_assert_eq!(both, !pane.fields().is_empty());
                }
            }
        }
    }

    #[test]
    fn a_session_is_renamed_when_it_alone_has_the_conversation() {
        let a = snapshot(&[row("old", (0, 0), Some("x")), row("other", (0, 0), None)]);
        let b = snapshot(&[row("new", (0, 0), Some("x")), row("another", (0, 0), None)]);
        let names: Vec<_> = diff(&a, &b).into_iter().map(|d| (d.from, d.to)).collect();
        assert_eq!(
            names,
            [
                (None, Some(&b"another"[..])),
                (Some(&b"old"[..]), Some(&b"new"[..])),
                (Some(&b"other"[..]), None),
            ]
        );
        let two = snapshot(&[row("new", (0, 0), Some("x")), row("newer", (0, 0), Some("x"))]);
        assert_eq!(diff(&a, &two).len(), 4, "two claim it: nobody can say which");
    }

    #[test]
    fn a_session_of_shells_is_renamed_when_its_pane_is_the_very_one_of_the_same_server() {
        let shell = |name: &str, server: &str| Snapshot {
            server: server.into(),
            ..snapshot(&[Row { pane_id: Some(4), ..row(name, (0, 0), None) }])
        };
        let renamed = |from: &Snapshot, to: &Snapshot| diff(from, to).len() == 1;
        assert!(renamed(&shell("old", "1-2"), &shell("new", "1-2")));
        assert!(!renamed(&shell("old", "1-2"), &shell("new", "1-3")));
        assert!(!renamed(&shell("old", ""), &shell("new", "")));
    }

    #[test]
    fn what_changed_of_a_pane_is_named() {
        let old = row("a", (1, 0), Some("x"));
        let mut new = Row { cwd: b"/y".to_vec(), ..old.clone() };
        new.window_layout = b"l".to_vec();
        let (a, b) = (snapshot(&[old]), snapshot(&[new]));
        let fields = diff(&a, &b)[0].panes[0].fields();
        let names: Vec<_> = fields.iter().map(|field| (field.name, field.of_window)).collect();
        assert_eq!(names, [("cwd", false), ("window_layout", true)]);
    }
}
