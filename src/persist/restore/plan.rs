//! The plan of a restore, as a function of a snapshot and the live sessions (pure): what `show` prints
//! and what `restore` executes.

use super::facts::Facts;
use super::pane_start;
use super::selection::Selection;
use super::session_outcome::{self, SessionOutcome};
use super::step::{Action, Start, Step};
use crate::persist::capture::session_origin::{self, free_name};
use crate::persist::capture::shared_windows::{self, Holders};
use crate::persist::save::closings::Closings;
use crate::snapshot::{Row, Stored};
use std::collections::{BTreeMap, BTreeSet};

/// Plans the restore of `stored`: one step for each pane, in order. What the user names is restored
/// even if it was closed on purpose; without `chosen`, everything that was not.
#[must_use]
pub fn plan(
    stored: &Stored,
    facts: &Facts,
    closings: &Closings,
    chosen: Option<&Selection>,
) -> Vec<Step> {
    let mut sessions: BTreeMap<&[u8], Vec<&Row>> = BTreeMap::new();
    for row in &stored.snapshot.rows {
        sessions.entry(&row.session).or_default().push(row);
    }
    let mut new_names =
        NewNames { facts, names: sessions.keys().copied().collect(), given: BTreeMap::new() };
    let outcomes: BTreeMap<&[u8], SessionOutcome> = sessions
        .iter()
        .map(|(name, rows)| {
            (*name, session_outcome::of_session(name, rows, stored.id, facts, closings))
        })
        .collect();
    let is_made = |row: &Row| {
        let outcome = outcomes.get(row.session.as_slice());
        outcome.is_some_and(|outcome| outcome.selects(row, chosen).is_ok())
    };
    let holders = Holders::of(&stored.snapshot);
    let mut taken = BTreeSet::new();
    let mut steps = Vec::new();
    for (name, rows) in &sessions {
        let outcome = &outcomes[name];
        for row in rows {
            // If the session that holds the agents of shared windows is not restored, this one gets
            // them.
            let is_absent = matches!(outcome, SessionOutcome::Absent { .. });
            let holder = holders.holder(row).filter(|holder| is_absent && !is_made(holder));
            let row = holder.map_or_else(
                || (*row).clone(),
                |holder| shared_windows::with_content_of(row, holder),
            );
            let mut step = Step {
                action: Action::Skip,
                target: name.to_vec(),
                origin: None,
                selected: false,
                reason: String::new(),
                start: Start::Shell,
                closed: closings.time_of(&row, stored.id),
                directory_hangs: facts.unanswered.contains_key(&row.cwd),
                deferred: false,
                is_impossible: false,
                has_directory: facts.directories.contains(&row.cwd),
                has_session_path: row
                    .session_path
                    .as_ref()
                    .is_some_and(|path| facts.directories.contains(path)),
                scrollback: None,
                when: None,
                note: None,
                row,
            };
            if let SessionOutcome::Live(target) = outcome {
                target.clone_into(&mut step.target);
                let closed = closings.of_row_or_session(&step.row, stored.id);
                session_outcome::beside_live(
                    &mut step,
                    closed.as_deref(),
                    facts,
                    &mut |name| new_names.of(name),
                    chosen,
                    &mut taken,
                );
            } else if let SessionOutcome::Elsewhere(place) = outcome {
                place.as_bytes().clone_into(&mut step.target);
                step.reason = format!("its conversation {}", facts.is_in(place));
            } else {
                step.action = Action::New;
                step.origin = session_origin::origin_of(&step.row, &stored.snapshot.server);
                if matches!(outcome, SessionOutcome::Absent { taken: true, .. }) {
                    step.action = Action::Renamed;
                    step.target = new_names.of(name);
                    step.row.group = None;
                }
                match outcome.selects(&step.row, chosen) {
                    Ok(()) => step.selected = true,
                    Err(why) => step.reason = why.to_string(),
                }
                // What the user names is restored with its agents, even if they were closed.
                let closings = chosen.is_none().then_some(closings);
                let closed = closings.and_then(|closings| closings.of_row(&step.row, stored.id));
                pane_start::decide(&mut step, closed, facts, &mut taken);
            }
            steps.push(step);
        }
    }
    steps
}

/// The new names of sessions whose own names are taken: one for each, none given twice.
struct NewNames<'a> {
    facts: &'a Facts,
    /// The sessions of the snapshot.
    names: BTreeSet<&'a [u8]>,
    given: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl NewNames<'_> {
    fn of(&mut self, session: &[u8]) -> Vec<u8> {
        if let Some(given) = self.given.get(session) {
            return given.clone();
        }
        let is_taken = |name: &[u8]| {
            self.facts.sessions.contains(name)
                || self.names.contains(name)
                || self.given.values().any(|given| given == name)
        };
        let new = free_name(session, &self.facts.hhmm, is_taken);
        self.given.insert(session.to_vec(), new.clone());
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::{ConversationId, Resumption};
    use crate::persist::restore::facts::{FormerPane, Occupant};
    use crate::snapshot::{EndKind, Ending, Snapshot, SnapshotId, Tombstone};
    use crate::text::escape;
    use proptest::prelude::*;

    fn uuid(n: u8) -> Vec<u8> {
        format!("0d0a8f5e-0000-4000-8000-{n:012}").into_bytes()
    }

    prop_compose! {
        fn row()(
            session in 0_u8..4, window in 0_u32..2, pane in 0_u32..2, conversation in 0_u8..6,
            group in proptest::option::of(0_u8..2), spelled_large: bool,
        ) -> Row {
            let id = (conversation > 0).then(|| uuid(conversation));
            let id = id.map(|id| if spelled_large { id.to_ascii_uppercase() } else { id });
            Row {
                session: vec![b'a' + session],
                window,
                pane,
                agent: id.as_ref().map(|_| b"claude".to_vec()),
                conversation: id,
                group: group.map(|group| vec![b'g', group]),
                ..Row::default()
            }
        }
    }

    fn occupant() -> impl Strategy<Value = Occupant> {
        prop_oneof![Just(Occupant::Shell), Just(Occupant::Agent), Just(Occupant::Other)]
    }

    prop_compose! {
        fn world()(
            rows in proptest::collection::vec(row(), 0..12),
            live_sessions in proptest::collection::btree_set(0_u8..4, 0..3),
            live_conversations in proptest::collection::btree_set(1_u8..6, 0..3),
            forgotten in proptest::option::of(0_u8..4),
            closed in proptest::option::of(1_u8..6),
            left in proptest::collection::btree_map(1_u8..6, occupant(), 0..4),
            taken in proptest::collection::btree_set(0_u8..4, 0..2),
        ) -> (Stored, Facts, Closings) {
            let mut facts = Facts::default();
            facts.sessions.extend(live_sessions.into_iter().map(|n| vec![b'a' + n]));
            facts.conversations.extend(live_conversations.into_iter().map(|n| (uuid(n), "elsewhere".into())));
            facts.resumptions.extend((1..6).map(|n| ((b"claude".to_vec(), uuid(n)), Resumption::Resume)));
            facts.taken.extend(taken.into_iter().map(|n| vec![b'a' + n]));
            facts.panes.extend(left.into_iter().map(|(n, runs)| {
                let place = format!("x:0.{n}");
                (uuid(n), FormerPane { id: u32::from(n), pid: Some(7), place, runs })
            }));
            facts.hhmm = "0000".into();
            let mut closings = Closings::default();
            closings.tombstones.0.extend(forgotten.map(|n| {
                Tombstone { session: vec![b'a' + n], closed: 200, reason: vec![] }
            }));
            closings.endings.0.extend(closed.map(|n| Ending {
                session: vec![], ended: 200, conversation: uuid(n), agent: vec![], how: EndKind::Closed, reason: vec![],
            }));
            let snapshot = Snapshot { rows, ..Snapshot::default() };
            (Stored { id: SnapshotId::next(100, None, None), snapshot }, facts, closings)
        }
    }

    fn started(steps: &[Step]) -> Vec<&[u8]> {
        let starts =
            steps.iter().filter(|step| step.selected).filter_map(|step| match &step.start {
                Start::Agent { id, .. } => Some(id.key().as_bytes()),
                _ => None,
            });
        starts.collect()
    }

    proptest! {
        #[test]
        fn no_conversation_is_started_twice_nor_beside_a_live_one((stored, facts, closings) in world()) {
            let steps = plan(&stored, &facts, &closings, None);
            let started = started(&steps);
            let distinct: BTreeSet<_> = started.iter().collect();
            prop_assert_eq!(distinct.len(), started.len());
            prop_assert!(started.iter().all(|id| !facts.conversations.contains_key(*id)));
            prop_assert_eq!(steps.len(), stored.snapshot.rows.len());
        }

        #[test]
        fn a_live_session_is_left_alone_and_a_closed_one_stays_closed((stored, facts, closings) in world()) {
            for step in plan(&stored, &facts, &closings, None) {
                let name = &step.row.session;
                let live = facts.sessions.contains(name) && !facts.taken.contains(name);
                prop_assert!(!live || step.action != Action::New);
                let is_shell = step.row.conversation.is_none();
                prop_assert!(!live || !is_shell || step.action == Action::Skip && !step.selected);
                let closed = closings.tombstones.closed_since(&step.row.session, stored.id);
                prop_assert!(closed.is_none() || !step.selected);
            }
            let steps = plan(&stored, &facts, &closings, None);
            let resumed_though_closed = started(&steps).into_iter().any(|id| {
                closings.endings.closed_since(id, stored.id).is_some()
            });
            prop_assert!(!resumed_though_closed);
        }

        #[test]
        fn only_what_was_chosen_is_selected((stored, facts, closings) in world(), chosen in 0_u8..4) {
            let name = vec![b'a' + chosen];
            let Ok(chosen) = Selection::parse(&[escape(&name)], &stored) else { return Ok(()) };
            for step in plan(&stored, &facts, &closings, chosen.as_ref()) {
                prop_assert!(!step.selected || step.row.session == name);
            }
        }

        #[test]
        fn an_agent_goes_back_into_its_pane_only_where_a_shell_waits_there(
            (stored, facts, closings) in world()
        ) {
            for step in plan(&stored, &facts, &closings, None) {
                let Action::InPlace { pane, .. } = step.action else { continue };
                let id = step.row.conversation.as_deref().and_then(ConversationId::parse).unwrap();
                let left = &facts.panes[id.key().as_bytes()];
                prop_assert!(left.runs == Occupant::Shell && left.id == pane);
                prop_assert!(matches!(step.start, Start::Agent { .. }), "{:?}", step);
            }
        }

        #[test]
        fn a_renamed_session_takes_no_name_that_is_there_or_comes_back(
            (stored, facts, closings) in world()
        ) {
            let steps = plan(&stored, &facts, &closings, None);
            let names: BTreeSet<&[u8]> = stored.session_names().collect();
            for step in steps.iter().filter(|step| step.action == Action::Renamed) {
                prop_assert!(!facts.sessions.contains(&step.target));
                prop_assert!(!names.contains(step.target.as_slice()));
                prop_assert!(step.target.starts_with(&step.row.session));
                let whole = facts.taken.contains(&step.row.session);
                prop_assert!(whole || matches!(step.start, Start::Agent { .. }), "{:?}", step);
            }
        }

        #[test]
        fn a_lost_conversation_is_started_unless_it_was_closed_or_another_took_its_pane(
            (stored, facts, closings) in world()
        ) {
            let steps = plan(&stored, &facts, &closings, None);
            let started = started(&steps);
            // A group's sessions share their windows, which arbitrary rows do not.
            for row in stored.snapshot.rows.iter().filter(|row| row.group.is_none()) {
                let Some(id) = row.conversation.as_deref().and_then(ConversationId::parse) else { continue };
                let id = id.key().as_bytes();
                let closed = closings.of_row_or_session(row, stored.id).is_some();
                let superseded = facts.panes.get(id).is_some_and(|pane| pane.runs == Occupant::Agent);
                let is_live = facts.conversations.contains_key(id);
                prop_assert!(closed || superseded || is_live || started.contains(&id), "{row:?}");
            }
        }

        #[test]
        fn a_session_whose_name_is_taken_comes_back_whole_under_one_new_name(
            (stored, facts, closings) in world()
        ) {
            let steps = plan(&stored, &facts, &closings, None);
            for name in &facts.taken {
                let whole = steps.iter().filter(|step| step.row.session == *name);
                let targets: BTreeSet<_> = whole
                    .filter(|step| step.selected)
                    .map(|step| (step.action == Action::Renamed, &step.target))
                    .collect();
                prop_assert!(targets.len() <= 1 && targets.iter().all(|(renamed, _)| *renamed));
            }
        }
    }
}
