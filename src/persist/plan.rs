//! The plan of a restore, as a pure function of a snapshot and the present: what `show` prints
//! and what `restore` executes.

use super::closings::Closings;
use super::facts::{DEFAULT_AGENT, Facts};
use super::report::PlannedRow;
use crate::agent::{ConversationId, Resumption};
use crate::snapshot::{Row, SnapshotId, Stored, escape, json_text};
use std::collections::{BTreeMap, BTreeSet};

/// What happens to one pane of the snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The pane.
    pub row: Row,
    /// Whether its session is made anew or is left as it is.
    pub action: Action,
    /// The session it goes to, or is live in.
    pub target: Vec<u8>,
    /// Whether a restore does it.
    pub selected: bool,
    /// Why, where there is something to say.
    pub reason: String,
    /// What runs in the pane.
    pub start: Start,
    /// Whether the pane's directory can be entered; the home stands in for it otherwise.
    pub has_directory: bool,
}

/// What a plan does with a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Make it.
    New,
    /// Leave it: it, or what it held, is live.
    Skip,
}

/// What a restored pane runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// The user's shell.
    Shell,
    /// The user's shell, after one line that says why it is no agent.
    ShellBecause(String),
    /// An agent on its conversation.
    Agent {
        /// Its name.
        agent: String,
        /// The conversation.
        id: ConversationId,
        /// How.
        how: Resumption,
    },
}

/// Plans the restore of `stored`. With `chosen`, only those sessions are selected, even ones that
/// were closed on purpose; without, all that were not.
#[must_use]
pub fn plan(
    stored: &Stored,
    facts: &Facts,
    closings: &Closings,
    chosen: Option<&BTreeSet<Vec<u8>>>,
) -> Vec<Step> {
    let mut sessions: BTreeMap<&[u8], Vec<&Row>> = BTreeMap::new();
    for row in &stored.snapshot.rows {
        sessions.entry(&row.session).or_default().push(row);
    }
    let fates: BTreeMap<&[u8], Fate> = sessions
        .iter()
        .map(|(name, rows)| (*name, fate(name, rows, stored.id, facts, closings, chosen)))
        .collect();
    let made = |name: &[u8]| fates.get(name).is_some_and(|fate| fate.selected);
    let agents = agents_of_groups(stored);
    let mut taken = BTreeSet::new();
    let mut steps = Vec::new();
    for (name, rows) in &sessions {
        let fate = &fates[name];
        for row in rows {
            // Where the session that holds a group's agents is not made, this one gets them.
            let owner = place_in_group(row).and_then(|place| agents.get(&place));
            let owner = owner.filter(|owner| owner.session != row.session && !made(&owner.session));
            let row = owner.map_or_else(
                || (*row).clone(),
                |owner| Row { session: row.session.clone(), ..(*owner).clone() },
            );
            let mut step = Step {
                action: fate.action,
                target: fate.target.clone(),
                selected: fate.selected,
                reason: fate.reason.clone(),
                start: Start::Shell,
                has_directory: facts.directories.contains(&row.cwd),
                row,
            };
            if step.action == Action::New {
                // A session that is asked for by name comes back with its agents, closed or not.
                let closings = chosen.is_none().then_some(closings);
                let closed = closings.and_then(|closings| closings.of_row(&step.row, stored.id));
                settle_pane(&mut step, closed, facts, &mut taken);
            }
            steps.push(step);
        }
    }
    steps
}

/// A pane of a session group: the same for all its sessions.
type PlaceInGroup<'a> = (&'a [u8], u32, u32);

fn place_in_group(row: &Row) -> Option<PlaceInGroup<'_>> {
    Some((row.group.as_deref()?, row.window, row.pane))
}

/// A snapshot holds the agents of a group in one of its sessions.
fn agents_of_groups(stored: &Stored) -> BTreeMap<PlaceInGroup<'_>, &Row> {
    let agents = stored.snapshot.rows.iter().filter(|row| row.agent.is_some());
    agents.filter_map(|row| Some((place_in_group(row)?, row))).collect()
}

/// What becomes of a whole session.
struct Fate {
    action: Action,
    target: Vec<u8>,
    selected: bool,
    reason: String,
}

fn fate(
    name: &[u8],
    rows: &[&Row],
    snapshot: SnapshotId,
    facts: &Facts,
    closings: &Closings,
    chosen: Option<&BTreeSet<Vec<u8>>>,
) -> Fate {
    let fate = |action, selected, reason| Fate { action, target: name.to_vec(), selected, reason };
    // Before 3.7 tmux itself turns these two into underscores.
    let as_tmux_calls_it: Vec<u8> =
        name.iter().map(|byte| if b":.".contains(byte) { b'_' } else { *byte }).collect();
    for called in [name, &as_tmux_calls_it] {
        if facts.sessions.contains(called) {
            let target = called.to_vec();
            let reason = "a session of that name is live".to_owned();
            return Fate { target, ..fate(Action::Skip, false, reason) };
        }
    }
    if name.contains(&0) {
        return fate(Action::New, false, "tmux takes no NUL byte in a name".to_owned());
    }
    let conversations: Vec<&Vec<u8>> =
        rows.iter().filter_map(|row| row.conversation.as_ref()).collect();
    let place_of = |id: &&Vec<u8>| {
        let id = ConversationId::parse(id)?;
        facts.conversations.get(id.as_str().as_bytes())
    };
    let live: Vec<&String> = conversations.iter().filter_map(place_of).collect();
    // A session whose conversations all run elsewhere was renamed (lesson 13).
    if !live.is_empty() && live.len() == conversations.len() {
        let reason = format!("its conversation is live in {}", live[0]);
        return Fate { target: live[0].clone().into_bytes(), ..fate(Action::Skip, false, reason) };
    }
    match chosen {
        Some(chosen) if chosen.contains(name) => fate(Action::New, true, String::new()),
        Some(_) => fate(Action::New, false, "not chosen".to_owned()),
        None => match closings.of_session(name, rows, snapshot) {
            Some(why) => fate(Action::New, false, why),
            None => fate(Action::New, true, String::new()),
        },
    }
}

/// Decides what runs in a pane that is made anew. A conversation is given out once.
fn settle_pane(
    step: &mut Step,
    closed: Option<String>,
    facts: &Facts,
    taken: &mut BTreeSet<Vec<u8>>,
) {
    step.start = match closed {
        Some(why) if step.selected => Start::ShellBecause(why),
        _ => start(&step.row, facts, taken),
    };
    if step.selected
        && let Start::Agent { id, .. } = &step.start
    {
        taken.insert(id.as_str().into());
    }
    let mut reasons: Vec<String> =
        Some(std::mem::take(&mut step.reason)).filter(|r| !r.is_empty()).into_iter().collect();
    match &step.start {
        Start::ShellBecause(why) => reasons.push(why.clone()),
        Start::Agent { how: Resumption::StartUnderId, .. } => {
            reasons.push("never prompted: starts under the same id".to_owned());
        }
        Start::Agent { how: Resumption::StartAnew, .. } => {
            reasons.push("never prompted: starts anew".to_owned());
        }
        Start::Agent { how: Resumption::ResumeTranscript(path), .. } => {
            reasons.push(format!("resumed from {}", escape(path.as_os_str().as_encoded_bytes())));
        }
        Start::Shell | Start::Agent { .. } => {}
    }
    if step.row.pane_flags.dead {
        reasons.push("its program had ended".to_owned());
    }
    if !step.has_directory {
        reasons.push(format!("{} cannot be entered: starts in the home", escape(&step.row.cwd)));
    }
    step.reason = reasons.join("; ");
}

fn start(row: &Row, facts: &Facts, taken: &BTreeSet<Vec<u8>>) -> Start {
    let because = |why: String| Start::ShellBecause(why);
    let agent = row.agent.as_deref().map(escape);
    let Some(conversation) = &row.conversation else {
        return agent.map_or(Start::Shell, |agent| {
            because(format!("{agent} ran here, its conversation is not known"))
        });
    };
    let agent = agent.unwrap_or_else(|| escape(DEFAULT_AGENT));
    let Some(id) = ConversationId::parse(conversation) else {
        return because(format!("'{}' is not a conversation id", escape(conversation)));
    };
    let key = id.as_str().as_bytes();
    if let Some(place) = facts.conversations.get(key) {
        return because(format!("conversation {id} is live in {place}"));
    }
    if taken.contains(key) {
        return because(format!("conversation {id} is resumed in another pane"));
    }
    match facts.resumptions.get(&(agent.clone().into_bytes(), key.to_vec())) {
        Some(Resumption::Impossible(why)) => because(why.clone()),
        Some(how) => Start::Agent { agent, id, how: how.clone() },
        None => because(format!("no agent '{agent}' is known here")),
    }
}

impl Step {
    /// The step for a report.
    pub fn describe(&self) -> PlannedRow {
        let text = |value: &Option<Vec<u8>>| value.as_deref().map(json_text);
        PlannedRow {
            session: json_text(&self.row.session),
            window: self.row.window,
            pane: self.row.pane,
            cwd: json_text(&self.row.cwd),
            conversation: text(&self.row.conversation),
            agent: text(&self.row.agent),
            state: self.row.state.word().to_owned(),
            action: match self.action {
                Action::New => "new",
                Action::Skip => "skip",
            }
            .to_owned(),
            target: json_text(&self.target),
            selected: self.selected,
            reason: self.reason.clone(),
            result: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Ending, How, Snapshot, Tombstone};
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

    prop_compose! {
        fn world()(
            rows in proptest::collection::vec(row(), 0..12),
            live_sessions in proptest::collection::btree_set(0_u8..4, 0..3),
            live_conversations in proptest::collection::btree_set(1_u8..6, 0..3),
            forgotten in proptest::option::of(0_u8..4),
            closed in proptest::option::of(1_u8..6),
        ) -> (Stored, Facts, Closings) {
            let mut facts = Facts::default();
            facts.sessions.extend(live_sessions.into_iter().map(|n| vec![b'a' + n]));
            facts.conversations.extend(live_conversations.into_iter().map(|n| (uuid(n), "elsewhere".into())));
            facts.resumptions.extend((1..6).map(|n| ((b"claude".to_vec(), uuid(n)), Resumption::Resume)));
            let mut closings = Closings::default();
            closings.tombstones.0.extend(forgotten.map(|n| {
                Tombstone { session: vec![b'a' + n], closed: 200, reason: vec![] }
            }));
            closings.endings.0.extend(closed.map(|n| Ending {
                session: vec![], ended: 200, conversation: uuid(n), agent: vec![], how: How::Closed, reason: vec![],
            }));
            let snapshot = Snapshot { rows, ..Snapshot::default() };
            (Stored { id: SnapshotId::next(100, None, None), snapshot }, facts, closings)
        }
    }

    fn started(steps: &[Step]) -> Vec<&[u8]> {
        let starts =
            steps.iter().filter(|step| step.selected).filter_map(|step| match &step.start {
                Start::Agent { id, .. } => Some(id.as_str().as_bytes()),
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
                let live = facts.sessions.contains(&step.row.session);
                prop_assert!(!live || step.action == Action::Skip && !step.selected);
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
            let chosen = BTreeSet::from([vec![b'a' + chosen]]);
            for step in plan(&stored, &facts, &closings, Some(&chosen)) {
                prop_assert!(!step.selected || chosen.contains(&step.row.session));
            }
        }
    }
}
