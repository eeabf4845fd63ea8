//! The agents that run in a user's panes, each with what keeps it from being suspended.

use super::choose::{Candidate, Obstacle};
use super::processes;
use crate::agent::{self, Agent, ConversationId, Doing, Home, Input, OwnAccount, Rank, Resumption};
use crate::agent::{Screen, Sighting, Stamp, Status};
use crate::persist::capture::Capture;
use crate::persist::capture::agents::environment_of;
use crate::persist::context::Context;
use crate::persist::restore::gather;
use crate::persist::save::exclusion;
use crate::process::{Proc, base_name};
use crate::snapshot::{Row, State};
use crate::sys::clock::{self, Epoch};
use crate::tmux::TmuxError;
use crate::tmux::pane_use::PaneUse;
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;

/// An agent's name, its conversation, and how that can come back.
pub(super) type Way = (String, ConversationId, Resumption);

/// An agent that runs in a pane.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) row: Row,
    /// tmux's id of the pane.
    pub(super) pane: u32,
    /// The pane's first process.
    pub(super) first: i32,
    /// The agent's process that has the conversation.
    pub(super) pid: i32,
    /// The first of the agent's own processes.
    root: i32,
    /// How it can come back; `None` if it cannot.
    pub(super) way: Option<Way>,
    pub(super) candidate: Candidate,
}

/// Observes the agents of the wanted panes. With `force`, what a person may override is not looked for
/// on the screen.
pub(super) fn observe(
    context: &Context,
    captured: &Capture,
    wanted: impl Fn(&Row) -> bool,
    force: bool,
) -> Result<Vec<Observed>, TmuxError> {
    let excluded = exclusion::sessions(captured, &context.keep);
    let pane_use = context.server.pane_use()?;
    let eyes = Observer {
        context,
        captured,
        excluded,
        home: Home::new(&context.account.home),
        proc: Proc::default(),
    };
    let rows = captured.snapshot.rows.iter().filter(|row| row.state == State::Live && wanted(row));
    let one = |row: &Row| {
        let pane = row.pane_id?;
        eyes.observe(row, pane, pane_use.get(&pane)?)
    };
    let mut all: Vec<Observed> = rows.filter_map(one).collect();
    eyes.read_screens(&mut all, force)?;
    for one in &mut all {
        let stays = |obstacle: &Obstacle| !force || !obstacle.yields_to_force();
        if !one.candidate.obstacles.iter().any(stays) {
            one.candidate.memory = eyes.proc.memory_of_tree(one.root);
        }
    }
    Ok(all)
}

struct Observer<'a> {
    context: &'a Context,
    captured: &'a Capture,
    /// Sessions that are not saved.
    excluded: BTreeSet<Vec<u8>>,
    home: Home,
    proc: Proc,
}

impl Observer<'_> {
    /// The name of the user's shell.
    fn shell(&self) -> &[u8] {
        base_name(self.context.account.shell.as_os_str().as_bytes())
    }

    fn observe(&self, row: &Row, pane: u32, pane_use: &PaneUse) -> Option<Observed> {
        let sighting = self.captured.sightings.get(&pane)?;
        let first = *self.captured.pids.get(&pane)?;
        let agent = agent::by_name(sighting.agent.as_bytes())?;
        let mut obstacles = Vec::new();
        let way = self.way_back(row, sighting, &mut obstacles);
        if self.excluded.contains(&row.session) {
            obstacles.push(Obstacle::NotSaved);
        }
        let is_here = |other: &&Row| other.place() == row.place();
        let beside = self.captured.beside.iter().filter(is_here).count();
        if beside > 0 {
            obstacles.push(Obstacle::Several(beside + 1));
        }
        if !sighting.foreground {
            obstacles.push(Obstacle::NotInForeground);
        }
        let inspected = processes::inspect(sighting, first, self.shell(), &self.proc);
        obstacles.extend(inspected.obstacles);
        let account = self.account(agent, row, sighting, pane_use);
        obstacles.extend(match account.map(|account| account.doing) {
            Some(Doing::Idle) => None,
            Some(Doing::Busy) => Some(Obstacle::Working),
            Some(Doing::Waiting) => Some(Obstacle::Asking),
            None => Some(Obstacle::UnknownState),
        });
        if pane_use.attached {
            obstacles.push(Obstacle::Attached);
        }
        if self.captured.marked_keep.contains(&pane) {
            obstacles.push(Obstacle::Kept);
        }
        let idle_since = self.last_used(agent, row, sighting, account, pane_use);
        let candidate = Candidate { idle_since, memory: None, obstacles };
        let (row, pid, root) = (row.clone(), sighting.pid, inspected.root);
        Some(Observed { row, pane, first, pid, root, way, candidate })
    }

    /// How its conversation can come back by itself. One that was never prompted is left alone: there is
    /// nothing to resume.
    fn way_back(
        &self,
        row: &Row,
        sighting: &Sighting,
        obstacles: &mut Vec<Obstacle>,
    ) -> Option<Way> {
        let Some((id, rank)) = &sighting.conversation else {
            obstacles.push(Obstacle::UnknownConversation);
            return None;
        };
        if *rank == Rank::Transcript {
            obstacles.push(Obstacle::GuessedConversation);
            return None;
        }
        let resumption = gather::resumption(row, &self.home).map(|(_, resumption)| resumption);
        let why = match resumption {
            Some(how @ (Resumption::Resume | Resumption::ResumeTranscript(_))) => {
                return Some((sighting.agent.to_owned(), id.clone(), how));
            }
            Some(Resumption::Impossible(why)) => why,
            Some(_) => "it was never prompted".to_owned(),
            None => "the agent is unknown".to_owned(),
        };
        obstacles.push(Obstacle::NotResumable(why));
        None
    }

    /// What an agent does: by its own record, or by the mark of its hook, whichever is later. A mark
    /// without a time, or of another process, does not stand for an agent that keeps no record.
    fn account(
        &self,
        agent: &dyn Agent,
        row: &Row,
        sighting: &Sighting,
        pane_use: &PaneUse,
    ) -> Option<OwnAccount> {
        let (environment, cwd) = environment_of(row);
        let home = self.home.of(&environment, &cwd);
        let process = self.proc.process(sighting.pid, sighting.depth)?;
        let id = sighting.conversation.as_ref().map(|(id, _)| id);
        let own = id.and_then(|id| agent.account(&process, id, &home));
        let mark = std::str::from_utf8(&pane_use.state).ok();
        let Some(Status { doing, .. }) = mark.and_then(|word| Status::of(word, None)) else {
            return own;
        };
        let since = pane_use.state_at.map(time_of);
        let is_its_own = Stamp::parse(&pane_use.stamp)
            .is_some_and(|stamp| stamp.is_of(sighting.agent, &process));
        let marked = OwnAccount { doing, since };
        match own {
            None => Some(marked).filter(|_| is_its_own && since.is_some()),
            Some(own) if since.is_some() && !is_its_own => Some(own),
            // The record of a turn that was interrupted is later than the mark of its begin.
            Some(own) => match (own.since, since) {
                (Some(own_since), Some(since)) if own_since > since => Some(own),
                _ if doing == Doing::Idle => Some(own),
                _ => Some(marked),
            },
        }
    }

    /// When an agent was last used.
    fn last_used(
        &self,
        agent: &dyn Agent,
        row: &Row,
        sighting: &Sighting,
        account: Option<OwnAccount>,
        pane_use: &PaneUse,
    ) -> Option<Epoch> {
        let (environment, cwd) = environment_of(row);
        let home = self.home.of(&environment, &cwd);
        let (id, _) = sighting.conversation.as_ref()?;
        let described = agent.describe_from(id, &cwd, &home)?;
        let started = self.proc.time_of(sighting.start)?;
        let times = [Some(described.last_activity), Some(started), Some(pane_use.typed)];
        times.into_iter().chain([account?.since]).flatten().max()
    }

    /// Reads the input lines of the agents that nothing else keeps.
    fn read_screens(&self, all: &mut [Observed], force: bool) -> Result<(), TmuxError> {
        let is_free = |one: &Observed| one.candidate.obstacles.is_empty() && !force;
        let panes: Vec<u32> = all.iter().filter(|one| is_free(one)).map(|one| one.pane).collect();
        if panes.is_empty() {
            return Ok(());
        }
        let screens = self.context.server.screens(&panes)?;
        for one in all.iter_mut().filter(|one| panes.contains(&one.pane)) {
            let name = one.row.agent.as_deref().unwrap_or_default();
            let input = screens
                .get(&one.pane)
                .zip(agent::by_name(name))
                .map(|(shown, agent)| agent.input(&Screen::parse(&shown.text, shown.cursor)));
            one.candidate.obstacles.extend(match input {
                Some(Input::Empty) => None,
                Some(Input::Unsent) => Some(Obstacle::UnsentInput),
                Some(Input::Unknown) | None => Some(Obstacle::UnknownInput),
            });
        }
        Ok(())
    }
}

/// A time in nanoseconds since the host's start, in seconds since the epoch.
fn time_of(at: u64) -> Epoch {
    let ago = clock::since_boot().saturating_sub(at);
    clock::now_in_nanoseconds().saturating_sub(ago) / 1_000_000_000
}
