//! The agents in a user's panes, and those beside them: which conversation belongs to which pane.

use crate::agent::{self, AgentEnvironment, ConversationId, Detected, Home, PaneSighting};
use crate::agent::{Backgrounded, LeftRecord, Rank, Sighting, Stamp};
use crate::process::Proc;
use crate::snapshot::{Row, Snapshot, State};
use crate::sys::clock;
use crate::text::escape;
use crate::tmux::{Listing, Pane};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// An agent writes down its conversation only some time after its start: as long as it is younger than
/// this, it is inspected again.
const YOUNG: u64 = 5;
/// How long a save waits for that at most, for all agents together.
const MAX_WAIT: Duration = Duration::from_millis(1500);
/// Between two inspections.
const PAUSE: Duration = Duration::from_millis(50);

/// The agents of all panes.
#[derive(Debug, Default)]
pub(super) struct Agents {
    /// By pane id, the one that speaks for the pane.
    pub(super) panes: BTreeMap<u32, Sighting>,
    /// The others, each as a row of the pane that it is in.
    pub(super) beside: Vec<Row>,
    /// Their processes.
    pub(super) beside_pids: Vec<i32>,
}

/// Detects the agents in each pane, and leaves each conversation to one pane; the claims of `previous`
/// count. Very young agents are waited for.
pub(super) fn sight_all(
    listing: &Listing,
    previous: Option<&Snapshot>,
    home: &Home,
    proc: &Proc,
    notes: &mut Vec<String>,
) -> Agents {
    let before: HashMap<_, _> = previous.map_or_else(HashMap::new, |snapshot| {
        snapshot.rows.iter().map(|row| (row.place(), row)).collect()
    });
    let end = Instant::now() + MAX_WAIT;
    let (mut owners, mut sightings) = (Vec::<(&Pane, bool)>::new(), Vec::new());
    for pane in listing.panes.iter().filter(|pane| !pane.dead) {
        if owners.iter().any(|(known, _)| known.id == pane.id) {
            continue;
        }
        let Some(Detected { best, others }) = detect(pane, home, proc, end) else { continue };
        let place = format!("{}:{}.{}", escape(&pane.session), pane.window_index, pane.index);
        let previous = before.get(&super::order(pane)).and_then(|row| row.conversation.as_deref());
        let previous = previous.and_then(ConversationId::parse);
        for (sighting, is_best) in
            std::iter::once((best, true)).chain(others.into_iter().map(|other| (other, false)))
        {
            owners.push((pane, is_best));
            let (place, previous) = (place.clone(), previous.clone());
            sightings.push(PaneSighting { place, previous, sighting });
        }
    }
    notes.extend(agent::resolve(&mut sightings));
    let mut agents = Agents::default();
    for ((pane, is_best), PaneSighting { place, sighting, .. }) in owners.into_iter().zip(sightings)
    {
        if is_best {
            agents.panes.insert(pane.id, sighting);
            continue;
        }
        agents.beside_pids.push(sighting.pid);
        if let Some((id, _)) = &sighting.conversation {
            let name = sighting.agent;
            notes.push(format!(
                "{place}: {name} runs there, too, on conversation {id}: kept in the history only"
            ));
            agents.beside.push(row_beside(pane, &sighting, id));
        }
    }
    agents
}

/// The agents of a pane. One that has written nothing down yet is inspected again until `end`.
fn detect(pane: &Pane, home: &Home, proc: &Proc, end: Instant) -> Option<Detected> {
    let stamp = Stamp::parse(&pane.stamp).map(|stamp| stamp.left(&pane.stamped, &pane.agent_state));
    let detect = || agent::detect(pane.pid, stamp.as_ref(), &pane.title, home, proc);
    let mut found = detect();
    let is_young = |sighting: &Sighting| {
        let started = proc.time_of(sighting.start);
        started.is_some_and(|started| clock::now() <= started + YOUNG)
    };
    while let Some(Detected { best, .. }) = &found
        && best.conversation.is_none()
        && Instant::now() < end
        && is_young(best)
    {
        clock::pause(PAUSE);
        home.forget_absent();
        found = detect();
    }
    found
}

fn row_beside(pane: &Pane, sighting: &Sighting, id: &ConversationId) -> Row {
    Row {
        session: pane.session.clone(),
        cwd: sighting.cwd.clone().map(OsStringExt::into_vec).unwrap_or_default(),
        conversation: Some(id.as_str().into()),
        agent: Some(sighting.agent.into()),
        state: State::Live,
        window: pane.window_index,
        pane: pane.index,
        ..Row::default()
    }
}

/// What agents of these rows, or in the default places, left behind as they were killed.
pub fn left_behind(rows: &[Row], home: &Home, proc: &Proc) -> Vec<LeftRecord> {
    let environments = environments(rows);
    agent::left_behind(home, borrowed(&environments), proc)
}

/// Enters the conversations of agents that had not been prompted when a save last saw them, at `seen`,
/// and whose conversations it did not know: of each, the only one of its directory that was prompted
/// since. Returns a note for each.
pub fn enter_prompted_since(rows: &mut [Row], seen: u64, home: &Home) -> Vec<String> {
    let ids = rows.iter().filter_map(|row| ConversationId::parse(row.conversation.as_ref()?));
    let known: BTreeSet<ConversationId> = ids.collect();
    let guess = |row: &Row| {
        if row.conversation.is_some() || row.prompted != Some(false) {
            return None;
        }
        let agent = agent::by_name(row.agent.as_deref()?)?;
        let (environment, cwd) = environment_of(row);
        agent.prompted_since(seen + 1, &cwd, &known, &home.of(&environment, &cwd))
    };
    let guesses: Vec<Option<ConversationId>> = rows.iter().map(guess).collect();
    let mut notes = Vec::new();
    for (row, guessed) in rows.iter_mut().zip(&guesses) {
        let Some(id) = guessed else { continue };
        if guesses.iter().flatten().filter(|other| *other == id).count() > 1 {
            continue;
        }
        row.conversation = Some(id.as_str().into());
        row.prompted = Some(true);
        row.evidence = Some(Rank::Transcript.word().into());
        let place = row.label();
        notes.push(format!(
            "{place}: conversation {id} is the only one of its directory that was prompted since the last save"
        ));
    }
    notes
}

/// Conversations in the background that none of the rows has.
pub fn backgrounded(rows: &[Row], home: &Home) -> Vec<Backgrounded> {
    let environments = environments(rows);
    let mut all = agent::backgrounded(home, borrowed(&environments));
    let shown: BTreeSet<Vec<u8>> = rows.iter().filter_map(Row::conversation_key).collect();
    all.retain(|one| !shown.contains(one.conversation.key().as_bytes()));
    all
}

/// The environments of the agents of some rows, each with the directory of its agent.
pub fn environments<'a>(
    rows: impl IntoIterator<Item = &'a Row>,
) -> Vec<(AgentEnvironment, PathBuf)> {
    let rows = rows.into_iter().filter(|row| row.agent_environment.is_some());
    rows.map(environment_of).collect()
}

/// The same, for [`agent::live`].
pub fn borrowed(
    environments: &[(AgentEnvironment, PathBuf)],
) -> impl Iterator<Item = (&AgentEnvironment, &Path)> {
    environments.iter().map(|(environment, cwd)| (environment, cwd.as_path()))
}

/// The environment of a row's agent, and its directory.
pub fn environment_of(row: &Row) -> (AgentEnvironment, PathBuf) {
    let environment = row.agent_environment.as_deref().map(AgentEnvironment::decode);
    (environment.unwrap_or_default(), OsStr::from_bytes(&row.cwd).into())
}
