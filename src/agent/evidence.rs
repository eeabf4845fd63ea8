//! How certain we are of which conversation a pane runs, and whose it is (pure).

use super::conversation::ConversationId;
use super::environment::AgentEnvironment;
use super::status::Status;
use crate::process::Process;
use std::collections::BTreeMap;
use std::ffi::OsString;

/// How a conversation is known, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The agent's own live record of that very process: exact, follows `/clear`.
    Record,
    /// The stamp that a hook left on the pane: exact when it fired.
    Stamp,
    /// Files that the agent holds open, when they name one conversation.
    Files,
    /// The title that the agent gave its pane, when it is set to show the conversation.
    Title,
    /// The argument list: names the conversation it started with (lesson 12: 15 of 38 were wrong).
    Argv,
    /// The one transcript written since the process started: a guess.
    Transcript,
}

impl Rank {
    /// The word in the snapshot file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Stamp => "stamp",
            Self::Files => "files",
            Self::Title => "title",
            Self::Argv => "argv",
            Self::Transcript => "transcript",
        }
    }
}

/// One agent process in a pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The agent's name.
    pub agent: &'static str,
    /// Its process.
    pub pid: i32,
    /// Its conversation and how it is known.
    pub conversation: Option<(ConversationId, Rank)>,
    /// The directory of the conversation, else of the process.
    pub cwd: Option<OsString>,
    /// Whether the conversation has a transcript yet.
    pub prompted: Option<bool>,
    /// Its argument list.
    pub argv: Vec<Vec<u8>>,
    /// Whether it is in its terminal's foreground process group.
    pub foreground: bool,
    /// Steps below the pane's first process.
    pub depth: usize,
    /// When it started, in clock ticks since boot.
    pub start: u64,
    /// Whether it is our launcher, waiting for Enter before it starts the agent.
    pub waits: bool,
    /// What of its environment is recorded.
    pub environment: AgentEnvironment,
    /// The conversation that its own was forked from.
    pub parent: Option<ConversationId>,
    /// The agent's version, if it says so itself.
    pub version: Option<String>,
    /// All of it, from which more may be recorded.
    pub environ: Environ,
    /// Its process, and those above it up to the pane's first one.
    pub line: Vec<Process>,
    /// What it does, if that is known.
    pub status: Option<Status>,
    /// Since when it does that, in seconds since the epoch, if that is known.
    pub since: Option<u64>,
}

/// A process's environment as the kernel gives it: `NAME=value`, each ended by a NUL byte. It holds
/// secrets, so it is never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environ(pub Vec<u8>);

impl std::fmt::Debug for Environ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// Leaves one sighting of processes of one agent that started each other: its launcher, an
/// interpreter's script and the program proper are one agent. `parents` has the parent of each process
/// of the pane.
pub fn one_for_each_agent(sightings: Vec<Sighting>, parents: &BTreeMap<i32, i32>) -> Vec<Sighting> {
    let is_below = |one: &Sighting, other: &Sighting| {
        let mut above = std::iter::successors(parents.get(&one.pid), |pid| parents.get(pid));
        above.by_ref().take(parents.len()).any(|pid| *pid == other.pid)
    };
    let is_one = |one: &Sighting, other: &Sighting| {
        one.agent == other.agent && (is_below(one, other) || is_below(other, one))
    };
    let mut left: Vec<Sighting> = Vec::new();
    for sighting in sightings {
        match left.iter_mut().find(|known| is_one(known, &sighting)) {
            Some(known) if certainty(&sighting) < certainty(known) => *known = sighting,
            Some(_) => {}
            None => left.push(sighting),
        }
    }
    left
}

/// The sighting that speaks for a pane: the best evidence; then what the user sees (the
/// foreground); then the outermost, since an agent may run another; then the latest.
pub fn best(sightings: &[Sighting]) -> Option<usize> {
    (0..sightings.len()).min_by_key(|&at| certainty(&sightings[at]))
}

fn certainty(sighting: &Sighting) -> impl Ord + use<> {
    let rank = sighting.conversation.as_ref().map(|(_, rank)| *rank);
    (rank.is_none(), rank, !sighting.foreground, sighting.depth, std::cmp::Reverse(sighting.start))
}

/// A pane with its sighting, on the way to one owner per conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaneSighting {
    /// What to call the pane in a report: `session:window.pane`, printable.
    pub place: String,
    /// What the previous snapshot says ran there.
    pub previous: Option<ConversationId>,
    /// What was seen.
    pub sighting: Sighting,
}

/// Leaves each conversation with one owner: the better rank wins, then the claim of the previous
/// snapshot, then the older process; guesses that contradict each other all abstain (lesson 11).
/// The losers keep no conversation. Gives a note for each loser.
pub fn resolve(panes: &mut [PaneSighting]) -> Vec<String> {
    let mut claims: BTreeMap<ConversationId, Vec<usize>> = BTreeMap::new();
    for (index, pane) in panes.iter().enumerate() {
        if let Some((id, _)) = &pane.sighting.conversation {
            claims.entry(id.clone()).or_default().push(index);
        }
    }
    let mut notes = Vec::new();
    for (id, mut rivals) in claims.into_iter().filter(|(_, rivals)| rivals.len() > 1) {
        rivals.sort_by_key(|&index| {
            let PaneSighting { previous, sighting, .. } = &panes[index];
            let rank = sighting.conversation.as_ref().map(|(_, rank)| *rank);
            (rank, previous.as_ref() != Some(&id), sighting.start)
        });
        let guessed = |index: usize| {
            panes[index]
                .sighting
                .conversation
                .as_ref()
                .is_some_and(|(_, rank)| *rank == Rank::Transcript)
        };
        let losers = if guessed(rivals[0]) { &rivals[..] } else { &rivals[1..] };
        let owner = (losers.len() < rivals.len()).then(|| panes[rivals[0]].place.clone());
        for &index in losers {
            let place = &panes[index].place;
            notes.push(match &owner {
                Some(owner) => format!("{place}: conversation {id} belongs to {owner}; saved without one"),
                None => format!("{place}: conversation {id} is only a guess, and not the only one; saved without one"),
            });
            panes[index].sighting.conversation = None;
            panes[index].sighting.prompted = None;
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> ConversationId {
        ConversationId::parse(format!("0d0a8f5e-0000-4000-8000-{n:012}").as_bytes()).unwrap()
    }

    fn pane(place: &str, conversation: Option<(u8, Rank)>, start: u64) -> PaneSighting {
        let sighting = Sighting {
            agent: "claude",
            pid: 1,
            conversation: conversation.map(|(n, rank)| (id(n), rank)),
            cwd: None,
            prompted: None,
            argv: vec![],
            foreground: true,
            depth: 1,
            start,
            waits: false,
            environment: AgentEnvironment::default(),
            environ: Environ::default(),
            line: Vec::new(),
            parent: None,
            version: None,
            status: None,
            since: None,
        };
        PaneSighting { place: place.to_owned(), previous: None, sighting }
    }

    fn owners(panes: &[PaneSighting]) -> Vec<bool> {
        panes.iter().map(|pane| pane.sighting.conversation.is_some()).collect()
    }

    #[test]
    fn the_better_rank_owns_a_conversation() {
        let mut panes =
            [pane("a", Some((1, Rank::Argv)), 1), pane("b", Some((1, Rank::Record)), 9)];
        let notes = resolve(&mut panes);
        assert_eq!(owners(&panes), [false, true]);
        assert_eq!(notes.len(), 1);
        assert!(notes[0].starts_with("a: conversation") && notes[0].contains("belongs to b"));
    }

    #[test]
    fn among_equals_the_previous_snapshot_decides_and_then_age() {
        let mut panes = [pane("a", Some((1, Rank::Argv)), 1), pane("b", Some((1, Rank::Argv)), 9)];
        panes[1].previous = Some(id(1));
        resolve(&mut panes);
        assert_eq!(owners(&panes), [false, true]);
        let mut panes = [pane("a", Some((1, Rank::Argv)), 5), pane("b", Some((1, Rank::Argv)), 2)];
        resolve(&mut panes);
        assert_eq!(owners(&panes), [false, true]);
    }

    #[test]
    fn guesses_that_contradict_each_other_abstain() {
        let guess = Some((1, Rank::Transcript));
        let mut panes =
            [pane("a", guess, 1), pane("b", guess, 2), pane("c", Some((2, Rank::Record)), 3)];
        assert_eq!(resolve(&mut panes).len(), 2);
        assert_eq!(owners(&panes), [false, false, true]);
    }

    #[test]
    fn the_foreground_and_the_outermost_speak_for_a_pane() {
        let one = pane("a", Some((1, Rank::Record)), 1).sighting;
        let inner = Sighting { conversation: Some((id(2), Rank::Record)), depth: 4, ..one.clone() };
        let best = |all: &[&Sighting]| {
            let all: Vec<Sighting> = all.iter().map(|each| (*each).clone()).collect();
            super::best(&all)
        };
        assert_eq!(best(&[&inner, &one]), Some(1));
        let behind = Sighting { foreground: false, depth: 0, ..one.clone() };
        assert_eq!(best(&[&behind, &inner]), Some(1));
        let nothing = Sighting { conversation: None, depth: 0, ..one.clone() };
        assert_eq!(best(&[&nothing, &one]), Some(1));
        assert_eq!(best(&[]), None);
    }

    #[test]
    fn a_program_and_what_started_it_are_one_agent_and_two_side_by_side_are_two() {
        let one = pane("a", Some((1, Rank::Argv)), 1).sighting;
        let launcher = Sighting { pid: 10, ..one.clone() };
        let program =
            Sighting { pid: 12, conversation: Some((id(2), Rank::Record)), ..one.clone() };
        let beside = Sighting { pid: 20, conversation: Some((id(3), Rank::Argv)), ..one.clone() };
        let other = Sighting { pid: 13, agent: "codex", ..one };
        let parents = BTreeMap::from([(10, 1), (11, 10), (12, 11), (13, 12), (20, 1)]);
        let all = vec![launcher, beside.clone(), program.clone(), other.clone()];
        assert_eq!(one_for_each_agent(all, &parents), [program, beside, other]);
    }
}
