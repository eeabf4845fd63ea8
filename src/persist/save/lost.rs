//! Lost or closed: what the newest snapshot knew and nobody sees any more is carried forward as
//! lost, unless there is positive evidence that it was closed on purpose (pure).
//!
//! The incident behind it: memory pressure killed 11 agents in two minutes while tmux lived; saves
//! wrote 18, then 13, then 8 sessions, and the restore at boot read only the newest (lesson 2).

use super::closings::Closings;
use crate::agent::ConversationId;
use crate::persist::capture::shared_windows::{self, Holders};
use crate::snapshot::{PaneFlags, Row, Snapshot, State, Stored, WindowFlags};
use crate::sys::clock::Epoch;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// What is known of time, in seconds since the epoch.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// The present.
    pub now: Epoch,
    /// When the newest snapshot was last seen to be the present.
    pub seen: Epoch,
    /// For how long what is lost is carried forward.
    pub window: Duration,
}

/// What carrying forward came to; panes of the newest snapshot.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CarryResult {
    /// Missed for the first time.
    pub newly_lost: Vec<Row>,
    /// Lost for longer than the window: from now on in older snapshots only.
    pub expired: Vec<Row>,
}

/// What is known of conversations besides the rows.
#[derive(Debug, Default)]
pub struct Known {
    /// Those that run outside the panes.
    pub elsewhere: BTreeSet<Vec<u8>>,
    /// The panes that a restore resumed them in, by id, whatever runs there now.
    pub restored: BTreeMap<Vec<u8>, u32>,
}

/// Adds to `live` what `newest` still knew: agents that are gone from panes, and whole sessions.
///
/// Closed, and so not carried: a session with a tombstone, a conversation whose close was recorded,
/// either no older than `newest`. Superseded, and so not carried: a conversation whose very pane
/// runs another one now (`/clear`, or a person who started anew). A pane that another session
/// showed, too, is not closed with the one that spoke for it: the other has it from then on.
pub fn carry_forward(
    live: &mut Snapshot,
    newest: &Stored,
    closings: &Closings,
    known: &Known,
    times: Times,
) -> CarryResult {
    let present = Present::of(live, &newest.snapshot, known);
    let mut carried = CarryResult::default();
    let mut left_behind = BTreeMap::new();
    let mut missing = Vec::new();
    let holders = Holders::of(&newest.snapshot);
    let mut handed_on = BTreeSet::new();
    for row in &newest.snapshot.rows {
        let heir = holders.holder(row).filter(|holder| {
            let is_closed =
                |session| closings.tombstones.closed_since(session, newest.id).is_some();
            is_closed(&holder.session)
                && closings.of_row(holder, newest.id).is_none()
                && !is_closed(&row.session)
                && handed_on.insert(holder.place())
        });
        let row = &heir
            .map_or_else(|| row.clone(), |holder| shared_windows::with_content_of(row, holder));
        if closings.tombstones.closed_since(&row.session, newest.id).is_some()
            || closings.of_row(row, newest.id).is_some()
        {
            continue;
        }
        let disposition = present.disposition(row);
        if matches!(disposition, Disposition::There) {
            continue;
        }
        // A clock that is behind, as one without a battery is until it is set, starts no window
        // that will be over as soon as it is right.
        let lost_since = row.lost_since.unwrap_or(times.now.max(times.seen));
        if times.now.saturating_sub(lost_since) > times.window.as_secs() {
            carried.expired.push(row.clone());
            continue;
        }
        let lost = Row {
            state: State::Lost,
            last_seen: row.last_seen.or(Some(times.seen.min(times.now))),
            lost_since: Some(lost_since),
            ..row.clone()
        };
        if row.lost_since.is_none() {
            carried.newly_lost.push(lost.clone());
        }
        match disposition {
            Disposition::LeftBehind(at) => {
                left_behind.entry(at).or_insert_with(Vec::new).push(lost)
            }
            Disposition::Gone { session_is_live } => missing.push((lost, session_is_live)),
            Disposition::There => {}
        }
    }
    for (at, mut all) in left_behind {
        // A mark may name a conversation that went on elsewhere: a pane has room for one, and the
        // one that was seen in it comes first.
        let id = live.rows[at].pane_id;
        let own = all.iter().position(|lost| lost.pane_id == id).unwrap_or_default();
        let own = all.swap_remove(own);
        for other in all {
            let session_is_live = live.rows.iter().any(|row| row.session == other.session);
            missing.push((other, session_is_live));
        }
        leave_in_place(&mut live.rows[at], own);
    }
    add(live, missing);
    carried
}

/// Where a pane of the newest snapshot is now.
enum Disposition {
    /// Still there, or nothing to miss.
    There,
    /// Its agent is gone and its pane, this row, holds no other.
    LeftBehind(usize),
    /// Its pane is gone with its agent, or its whole session is.
    Gone { session_is_live: bool },
}

/// The present, for looking up.
struct Present<'a> {
    rows: &'a [Row],
    sessions: BTreeSet<&'a [u8]>,
    conversations: BTreeSet<&'a [u8]>,
    by_id: HashMap<u32, usize>,
    by_place: HashMap<(&'a [u8], u32, u32), usize>,
    /// Whether the newest snapshot's pane ids are of the same server.
    same_server: bool,
    known: &'a Known,
}

impl<'a> Present<'a> {
    fn of(live: &'a Snapshot, newest: &Snapshot, known: &'a Known) -> Self {
        let rows = &live.rows;
        let with_id = |(at, row): (usize, &Row)| Some((row.pane_id?, at));
        let conversations = rows.iter().filter_map(|row| row.conversation.as_deref());
        Self {
            rows,
            sessions: rows.iter().map(|row| row.session.as_slice()).collect(),
            conversations: conversations.chain(known.elsewhere.iter().map(Vec::as_slice)).collect(),
            by_id: rows.iter().enumerate().filter_map(with_id).collect(),
            by_place: rows.iter().enumerate().map(|(at, row)| (row.place(), at)).collect(),
            same_server: !live.server.is_empty() && live.server == newest.server,
            known,
        }
    }

    fn disposition(&self, row: &Row) -> Disposition {
        let session_is_live = self.sessions.contains(row.session.as_slice());
        let id = row.conversation.as_deref().and_then(ConversationId::parse);
        let Some(id) = id.as_ref().map(|id| id.as_str().as_bytes()) else {
            // A pane without a conversation is missed only with its whole session, which may
            // have been renamed: then its panes are there under another name.
            let gone = !session_is_live && self.same_pane(row).is_none();
            return if gone { Disposition::Gone { session_is_live } } else { Disposition::There };
        };
        if self.conversations.contains(id) {
            return Disposition::There;
        }
        let restored = || self.by_id.get(self.known.restored.get(id)?).copied();
        match self.same_pane(row).or_else(restored) {
            Some(at) if self.rows[at].agent.is_none() => Disposition::LeftBehind(at),
            Some(_) => Disposition::There, // superseded
            None => Disposition::Gone { session_is_live },
        }
    }

    /// The row of the very pane. A pane of a group is in several sessions: the one of the same
    /// name comes first.
    fn same_pane(&self, row: &Row) -> Option<usize> {
        let id = row.pane_id.filter(|_| self.same_server)?;
        let here = self.by_place.get(&row.place()).copied();
        let here = here.filter(|at| self.rows[*at].pane_id == Some(id));
        here.or_else(|| self.by_id.get(&id).copied())
    }
}

/// Makes the row of a pane say whose it was. Its directory and command are those of the agent,
/// which resumes there and nowhere else.
fn leave_in_place(pane: &mut Row, lost: Row) {
    pane.cwd = lost.cwd;
    pane.conversation = lost.conversation;
    pane.agent = lost.agent;
    pane.state = State::Lost;
    pane.command = lost.command;
    pane.evidence = lost.evidence;
    pane.prompted = lost.prompted;
    pane.last_seen = lost.last_seen;
    pane.lost_since = lost.lost_since;
}

/// Adds panes that are gone. In a session that lives on they get windows of their own, past the
/// others: what is there now may have taken their places.
fn add(live: &mut Snapshot, missing: Vec<(Row, bool)>) {
    let mut taken: BTreeMap<Vec<u8>, BTreeSet<u32>> = BTreeMap::new();
    for row in &live.rows {
        taken.entry(row.session.clone()).or_default().insert(row.window);
    }
    let kept = missing.iter().filter(|(_, session_is_live)| *session_is_live);
    let wanted: BTreeSet<(Vec<u8>, u32)> =
        kept.map(|(row, _)| (row.session.clone(), row.window)).collect();
    let is_free = |(session, window): &(Vec<u8>, u32)| !taken[session].contains(window);
    let (stay, move_on): (Vec<_>, Vec<_>) = wanted.into_iter().partition(is_free);
    let mut moved: BTreeMap<(Vec<u8>, u32), u32> = BTreeMap::new();
    for (session, window) in stay {
        taken.entry(session.clone()).or_default().insert(window);
        moved.insert((session, window), window);
    }
    for (session, window) in move_on {
        let indexes = taken.entry(session.clone()).or_default();
        let free = indexes.last().map_or(0, |last| last.saturating_add(1));
        indexes.insert(free);
        moved.insert((session, window), free);
    }
    for (mut row, session_is_live) in missing {
        row.pane_id = None;
        if session_is_live {
            let window = moved[&(row.session.clone(), row.window)];
            if window != row.window {
                row.window_layout = Vec::new();
            }
            row.window = window;
            row.window_flags = WindowFlags { active: false, last: false, ..row.window_flags };
            row.pane_flags = PaneFlags { dead: false, ..row.pane_flags };
            row.group = None;
        }
        live.rows.push(row);
    }
    live.rows.sort_by(|a, b| a.place().cmp(&b.place()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Ending, How, SnapshotId, Tombstone};
    use proptest::prelude::*;

    const WINDOW: Duration = Duration::from_hours(24);

    fn uuid(n: u8) -> Vec<u8> {
        format!("0d0a8f5e-0000-4000-8000-{n:012}").into_bytes()
    }

    /// `name:window.pane`, its id, and its conversation; 0 is a shell.
    fn row(session: &str, window: u32, pane_id: u32, conversation: u8) -> Row {
        let agent = conversation > 0;
        Row {
            session: session.into(),
            window,
            pane_id: Some(pane_id),
            conversation: agent.then(|| uuid(conversation)),
            agent: agent.then(|| b"claude".to_vec()),
            state: if agent { State::Live } else { State::Shell },
            ..Row::default()
        }
    }

    fn snapshot(server: &str, rows: Vec<Row>) -> Snapshot {
        Snapshot { server: server.to_owned(), rows, ..Snapshot::default() }
    }

    fn stored(snapshot: Snapshot) -> Stored {
        Stored { id: SnapshotId::next(1000, None, None), snapshot }
    }

    fn carry(
        live: &mut Snapshot,
        newest: &Snapshot,
        closings: &Closings,
        now: Epoch,
    ) -> CarryResult {
        let times = Times { now, seen: 900, window: WINDOW };
        carry_forward(live, &stored(newest.clone()), closings, &Known::default(), times)
    }

    fn told(snapshot: &Snapshot) -> Vec<String> {
        let tell = |row: &Row| {
            let id = row.conversation.as_ref().map_or(0, |id| id[35] - b'0');
            format!("{} {id} {}", row.label(), row.state.word())
        };
        snapshot.rows.iter().map(tell).collect()
    }

    #[test]
    fn a_session_that_vanished_is_lost_with_all_its_panes_and_when_it_was_last_seen() {
        let newest = snapshot("s", vec![row("a", 0, 1, 1), row("a", 1, 2, 0), row("b", 0, 3, 0)]);
        let mut live = snapshot("s", vec![row("b", 0, 3, 0)]);
        let carried = carry(&mut live, &newest, &Closings::default(), 2000);
        assert_eq!(told(&live), ["a:0.0 1 lost", "a:1.0 0 lost", "b:0.0 0 shell"]);
        assert_eq!(carried.newly_lost.len(), 2);
        let lost = &live.rows[0];
        let times = (lost.last_seen, lost.lost_since, lost.pane_id);
        assert_eq!(times, (Some(900), Some(2000), None));
    }

    #[test]
    fn an_agent_that_vanished_leaves_its_conversation_with_the_shell_in_its_pane() {
        let newest = snapshot("s", vec![Row { cwd: b"/code".to_vec(), ..row("a", 0, 1, 1) }]);
        let mut live = snapshot("s", vec![Row { cwd: b"/".to_vec(), ..row("moved", 4, 1, 0) }]);
        carry(&mut live, &newest, &Closings::default(), 2000);
        assert_eq!(told(&live), ["moved:4.0 1 lost"]);
        assert_eq!((live.rows[0].pane_id, live.rows[0].cwd.as_slice()), (Some(1), &b"/code"[..]));
        let again = live.clone();
        let mut next = snapshot("s", vec![row("moved", 4, 1, 0)]);
        let carried = carry(&mut next, &again, &Closings::default(), 3000);
        assert_eq!((next.rows[0].lost_since, carried), (Some(2000), CarryResult::default()));
    }

    #[test]
    fn a_pane_that_vanished_from_a_live_session_takes_no_place_that_is_taken() {
        let newest = snapshot("s", vec![row("a", 0, 1, 1), row("a", 1, 2, 0), row("a", 2, 4, 2)]);
        let mut live = snapshot("s", vec![row("a", 0, 2, 0), row("a", 1, 3, 0)]);
        carry(&mut live, &newest, &Closings::default(), 2000);
        let expected = ["a:0.0 0 shell", "a:1.0 0 shell", "a:2.0 2 lost", "a:3.0 1 lost"];
        assert_eq!(told(&live), expected);
        let mut next = snapshot("s", vec![row("a", 0, 2, 0), row("a", 1, 3, 0)]);
        carry(&mut next, &live, &Closings::default(), 2100);
        assert_eq!(told(&next), expected, "what is lost stays where it is");
    }

    #[test]
    fn what_runs_elsewhere_was_renamed_or_was_superseded_is_not_lost() {
        let newest = snapshot("s", vec![row("a", 0, 1, 1), row("a", 1, 2, 0), row("c", 0, 5, 3)]);
        let mut live = snapshot("s", vec![row("b", 0, 1, 1), row("b", 1, 2, 0), row("c", 0, 5, 4)]);
        let before = live.clone();
        let carried = carry(&mut live, &newest, &Closings::default(), 2000);
        assert_eq!((live, carried), (before, CarryResult::default()));
    }

    #[test]
    fn what_was_closed_on_purpose_is_not_lost() {
        let newest = snapshot("s", vec![row("a", 0, 1, 1), row("b", 0, 2, 2), row("c", 0, 3, 3)]);
        let mut live = snapshot("s", vec![row("z", 0, 9, 0)]);
        let mut closings = Closings::default();
        let reason = Vec::new();
        closings.tombstones.0.push(Tombstone { session: b"a".to_vec(), closed: 1000, reason });
        for (n, ended) in [(2, 1000), (3, 999)] {
            closings.endings.add(Ending {
                session: vec![],
                ended,
                conversation: uuid(n),
                agent: vec![],
                how: How::Closed,
                reason: vec![],
            });
        }
        carry(&mut live, &newest, &closings, 2000);
        assert_eq!(told(&live), ["c:0.0 3 lost", "z:0.0 0 shell"], "3 was closed before");
    }

    #[test]
    fn two_conversations_that_point_to_one_pane_are_both_kept() {
        // 1 was restored into pane 8, which then went on with 2; 1 went on in pane 9, now gone.
        let newest = snapshot("s", vec![row("a", 0, 8, 2), row("b", 0, 9, 1)]);
        let mut live = snapshot("s", vec![row("a", 0, 8, 0)]);
        let known =
            Known { restored: BTreeMap::from([(uuid(1), 8)]), elsewhere: BTreeSet::default() };
        let times = Times { now: 2000, seen: 900, window: WINDOW };
        carry_forward(&mut live, &stored(newest), &Closings::default(), &known, times);
        assert_eq!(told(&live), ["a:0.0 2 lost", "b:0.0 1 lost"]);
    }

    #[test]
    fn a_clock_that_was_behind_when_something_was_lost_expires_nothing_once_it_is_right() {
        let day = 86_400;
        let newest = snapshot("s", vec![row("a", 0, 1, 1)]);
        let times = |now| Times { now, seen: 100 * day, window: WINDOW };
        let mut live = snapshot("t", vec![row("z", 0, 9, 0)]);
        let known = Known::default();
        carry_forward(&mut live, &stored(newest), &Closings::default(), &known, times(5));
        let lost = stored(live);
        let mut live = snapshot("t", vec![row("z", 0, 9, 0)]);
        let now = times(100 * day + 60);
        carry_forward(&mut live, &lost, &Closings::default(), &known, now);
        assert_eq!(told(&live), ["a:0.0 1 lost", "z:0.0 0 shell"]);
    }

    #[test]
    fn what_two_sessions_showed_is_lost_with_the_one_that_was_not_closed() {
        let in_group = |session, n| Row { group: Some(b"g".to_vec()), ..row(session, 0, 1, n) };
        let rows = vec![in_group("g", 1), in_group("h", 0), in_group("i", 0)];
        let newest = snapshot("s", rows);
        let mut closings = Closings::default();
        let (session, reason) = (b"g".to_vec(), Vec::new());
        closings.tombstones.0.push(Tombstone { session, closed: 1000, reason });
        let mut live = snapshot("t", vec![row("z", 0, 9, 0)]);
        carry(&mut live, &newest, &closings, 2000);
        assert_eq!(told(&live), ["h:0.0 1 lost", "i:0.0 0 lost", "z:0.0 0 shell"]);
    }

    #[test]
    fn what_is_lost_is_carried_for_the_window_and_no_longer() {
        let newest = snapshot("s", vec![row("a", 0, 1, 1)]);
        let mut live = snapshot("t", vec![row("z", 0, 9, 0)]);
        carry(&mut live, &newest, &Closings::default(), 2000);
        let lost = live.clone();
        let at = |now| {
            let mut live = snapshot("t", vec![row("z", 0, 9, 0)]);
            let carried = carry(&mut live, &lost, &Closings::default(), now);
            (live.rows.len(), carried.expired.len())
        };
        assert_eq!(at(2000 + WINDOW.as_secs()), (2, 0));
        assert_eq!(at(2001 + WINDOW.as_secs()), (1, 1));
        assert_eq!(at(0), (2, 0), "a clock that went back expires nothing");
    }

    #[test]
    fn another_server_with_a_session_of_that_name_says_nothing_of_the_agent() {
        let newest = snapshot("s", vec![row("a", 0, 1, 1), row("a", 1, 2, 0)]);
        let mut live = snapshot("t", vec![row("a", 0, 1, 0)]);
        carry(&mut live, &newest, &Closings::default(), 2000);
        assert_eq!(told(&live), ["a:0.0 0 shell", "a:1.0 1 lost"]);
        let mut live = snapshot("t", vec![row("a", 3, 8, 0)]);
        let known =
            Known { restored: BTreeMap::from([(uuid(1), 8)]), elsewhere: BTreeSet::default() };
        let times = Times { now: 2000, seen: 900, window: WINDOW };
        carry_forward(&mut live, &stored(newest), &Closings::default(), &known, times);
        assert_eq!(told(&live), ["a:3.0 1 lost"], "a restore had resumed it there");
    }

    prop_compose! {
        fn any_row()(session in 0_u8..3, window in 0_u32..3, id in 0_u32..9, conversation in 0_u8..5) -> Row {
            row(std::str::from_utf8(&[b'a' + session]).unwrap(), window, id, conversation)
        }
    }

    fn any_snapshot() -> impl Strategy<Value = Snapshot> {
        (proptest::collection::vec(any_row(), 1..8), 0_u8..2).prop_map(|(rows, server)| {
            let mut by_place: BTreeMap<(Vec<u8>, u32), Row> = BTreeMap::new();
            let (mut ids, mut conversations) = (BTreeSet::new(), BTreeSet::new());
            for row in rows {
                let fresh = ids.insert(row.pane_id)
                    && row.conversation.as_ref().is_none_or(|id| conversations.insert(id.clone()));
                if fresh {
                    by_place.entry((row.session.clone(), row.window)).or_insert(row);
                }
            }
            snapshot(&format!("s{server}"), by_place.into_values().collect())
        })
    }

    proptest! {
        /// Saves one after the other, nothing closed: no conversation is ever dropped but one
        /// whose own pane runs another, and no two rows share a place or a conversation.
        #[test]
        fn no_conversation_drops_out_unless_its_pane_runs_another(
            states in proptest::collection::vec(any_snapshot(), 2..6)
        ) {
            let mut newest = states[0].clone();
            for (n, state) in states.iter().enumerate().skip(1) {
                let mut next = state.clone();
                carry(&mut next, &newest, &Closings::default(), 2000 + n as u64);
                let conversations = |s: &Snapshot| -> Vec<Vec<u8>> {
                    s.rows.iter().filter_map(|row| row.conversation.clone()).collect()
                };
                let (before, after) = (conversations(&newest), conversations(&next));
                let distinct: BTreeSet<_> = after.iter().collect();
                prop_assert_eq!(distinct.len(), after.len());
                let places: BTreeSet<_> = next.rows.iter().map(Row::place).collect();
                prop_assert_eq!(places.len(), next.rows.len());
                prop_assert!(next.rows.is_sorted_by_key(Row::place));
                for row in newest.rows.iter().filter(|row| row.conversation.is_some()) {
                    let id = row.conversation.clone().unwrap();
                    let superseded = newest.server == state.server
                        && row.pane_id.is_some()
                        && state.rows.iter().any(|now| now.pane_id == row.pane_id && now.agent.is_some());
                    prop_assert!(after.contains(&id) || superseded, "{:?}", before);
                }
                let again = |mut live: Snapshot| {
                    carry(&mut live, &next, &Closings::default(), 2000 + n as u64);
                    live
                };
                prop_assert_eq!(again(state.clone()), next.clone(), "an equal state is equal");
                newest = next;
            }
        }
    }
}
