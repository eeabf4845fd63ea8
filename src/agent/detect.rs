//! Which agents run in a pane, and on which conversations, by the processes of that pane.

use super::claude::Claude;
use super::evidence::{self, Environ, Sighting};
use super::{Agent, AgentEnvironment, Backgrounded, ConversationId, Home, LeftRecord};
use super::{Observation, Rank, Stamp};
use super::{all, by_name, launcher, program};
use crate::process::{Proc, Process};
use crate::sys::clock;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The agents of one pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The one that speaks for the pane.
    pub best: Sighting,
    /// The others that run conversations of their own: in an editor's terminals, in the background.
    pub others: Vec<Sighting>,
}

/// Inspects one pane's processes and gives the agents in it, if any, each by the best evidence. `stamp`
/// is what a hook left on the pane; it counts only for the very process that called that hook. `title`
/// is the pane's.
pub fn detect(
    first_pid: i32,
    stamp: Option<&Stamp>,
    title: &[u8],
    home: &Home,
    proc: &Proc,
) -> Option<Detected> {
    let mut sightings = Vec::new();
    let mut parents = BTreeMap::new();
    let mut visited = BTreeMap::new();
    proc.visit(first_pid, |process| {
        parents.insert(process.pid, process.stat.parent);
        visited.insert(process.pid, process.clone());
        let run = program::agent_of(process);
        if run.is_some_and(|agent| agent.is_service(process)) {
            return false;
        }
        let is_known = launcher::is_launcher(process)
            || run.is_some_and(|agent| agent.runs(process).is_some());
        let mut environ = if is_known { launcher::agents_environ(process) } else { Vec::new() };
        let mut environment_seen = AgentEnvironment::of(&environ, home.path());
        let view = if environment_seen.is_empty() {
            home.clone()
        } else {
            let cwd = process.cwd().map(PathBuf::from).unwrap_or_default();
            home.of(&environment_seen, &cwd)
        };
        // Claude Code is known by its record even if its program is called otherwise.
        let observed = run.unwrap_or(&Claude);
        let seen = observed.observe(process, title, &view).map(|seen| (observed.name(), seen));
        let seen = seen.or_else(|| launcher::observe(process));
        let Some((agent, mut seen)) = seen else { return true };
        if !is_known {
            environ = launcher::agents_environ(process);
            environment_seen = AgentEnvironment::of(&environ, home.path());
        }
        if let Some(stamp) = stamp.filter(|stamp| stamp.is_of(agent, process)) {
            apply_stamp(stamp, &mut seen, process, &view);
            // The agent's own record knows of dialogs for which it calls no hook.
            if seen.status.is_none() && stamp.status.is_some() {
                seen.status.clone_from(&stamp.status);
                seen.since = stamped(stamp).map(|at| at / 1_000_000_000);
            }
        }
        sightings.push(Sighting {
            agent,
            pid: process.pid,
            conversation: seen.conversation,
            cwd: seen.cwd.or_else(|| process.cwd()),
            prompted: seen.prompted,
            argv: process.argv.clone(),
            foreground: process.stat.group == process.stat.foreground,
            depth: process.depth,
            start: process.stat.start,
            waits: launcher::waits(process),
            environment: environment_seen,
            environ: Environ(environ),
            line: Vec::new(),
            parent: seen.parent,
            version: seen.version,
            status: seen.status,
            since: seen.since,
        });
        seen.descend
    });
    let mut each = evidence::one_for_each_agent(sightings, &parents);
    let best = evidence::best(&each)?;
    let mut best = each.swap_remove(best);
    let mut next = Some(best.pid);
    best.line = std::iter::from_fn(|| {
        let process = visited.remove(&next?)?;
        next = Some(process.stat.parent);
        Some(process)
    })
    .collect();
    let mut known: BTreeSet<ConversationId> =
        best.conversation.iter().map(|(id, _)| id.clone()).collect();
    let is_another = |sighting: &Sighting| {
        sighting.conversation.as_ref().is_some_and(|(id, _)| known.insert(id.clone()))
    };
    let others = each.into_iter().filter(is_another).collect();
    Some(Detected { best, others })
}

/// Conversations that are open in any process of the user's, inside tmux or out: as far as agents
/// record them, in the places that the environments of known agents name. Processes of `known` are
/// skipped.
pub fn live<'a>(
    home: &Home,
    environments: impl IntoIterator<Item = (&'a AgentEnvironment, &'a Path)>,
    proc: &Proc,
    known: &BTreeSet<i32>,
) -> Vec<(ConversationId, i32)> {
    let views = views(home, environments);
    let mut all: Vec<(ConversationId, i32)> = all()
        .flat_map(|agent| views.iter().flat_map(|view| agent.live(view, proc, known)))
        .collect();
    all.sort();
    all.dedup();
    all
}

/// What agents that are gone left behind, in the places that the environments of known agents name.
pub fn left_behind<'a>(
    home: &Home,
    environments: impl IntoIterator<Item = (&'a AgentEnvironment, &'a Path)>,
    proc: &Proc,
) -> Vec<LeftRecord> {
    let views = views(home, environments);
    let of_agent = |agent: &'static dyn Agent| {
        views.iter().flat_map(move |view| agent.left_behind(view, proc)).collect::<Vec<_>>()
    };
    all().flat_map(of_agent).collect()
}

/// The directories in which agents write down that they run, in the places that the environments of known agents
/// name.
pub fn record_dirs<'a>(
    home: &Home,
    environments: impl IntoIterator<Item = (&'a AgentEnvironment, &'a Path)>,
) -> Vec<PathBuf> {
    let views = views(home, environments);
    let of_view = |view: &Home| all().filter_map(|agent| agent.record_dir(view)).collect();
    let mut dirs: Vec<PathBuf> =
        views.iter().flat_map(|view| -> Vec<PathBuf> { of_view(view) }).collect();
    dirs.sort();
    dirs.dedup();
    dirs
}

/// Conversations in the background, in the places that the environments of known agents name.
pub fn backgrounded<'a>(
    home: &Home,
    environments: impl IntoIterator<Item = (&'a AgentEnvironment, &'a Path)>,
) -> Vec<Backgrounded> {
    let views = views(home, environments);
    let of_agent = |agent: &'static dyn Agent| {
        views.iter().flat_map(move |view| agent.backgrounded(view)).collect::<Vec<_>>()
    };
    all().flat_map(of_agent).collect()
}

/// The home as agents with these environments use it, each view of it once.
fn views<'a>(
    home: &Home,
    environments: impl IntoIterator<Item = (&'a AgentEnvironment, &'a Path)>,
) -> Vec<Home> {
    let mut views = vec![home.clone()];
    for (environment, cwd) in environments {
        let view = home.of(environment, cwd);
        if views.iter().all(|one| !one.is_same(&view)) {
            views.push(view);
        }
    }
    views
}

/// Whether a program shows conversations of others and can be started again as it is: `claude agents`.
pub fn is_view(argv: &[Vec<u8>]) -> bool {
    agent_of(argv).is_some_and(|agent| agent.is_view(argv))
}

/// The argument list by which such a program comes back.
pub fn again(argv: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    match agent_of(&argv) {
        Some(agent) if agent.is_view(&argv) => agent.again(argv),
        _ => argv,
    }
}

fn agent_of(argv: &[Vec<u8>]) -> Option<&'static dyn Agent> {
    by_name(program::of(argv, || None)?.agent.as_bytes())
}

/// Uses what a stamp says, unless the process itself is better evidence, or as good and written
/// later.
fn apply_stamp(stamp: &Stamp, seen: &mut Observation, process: &Process, home: &Home) {
    let is_older = seen.written.zip(stamped(stamp)).is_some_and(|(written, at)| written < at);
    if seen.conversation.as_ref().is_some_and(|(_, rank)| *rank <= Rank::Stamp) && !is_older {
        return;
    }
    let id = stamp.conversation.clone();
    if seen.conversation.as_ref().is_some_and(|(known, rank)| *known == id && *rank <= Rank::Stamp)
    {
        return;
    }
    let cwd = seen.cwd.clone().or_else(|| process.cwd());
    seen.prompted = cwd
        .zip(by_name(stamp.agent.as_bytes()))
        .map(|(cwd, agent)| agent.is_prompted(&id, Path::new(&cwd), home));
    seen.parent = seen.parent.take().filter(|parent| *parent != id);
    seen.conversation = Some((id, Rank::Stamp));
}

/// When the hook was called that left a stamp, in nanoseconds since the epoch.
fn stamped(stamp: &Stamp) -> Option<u64> {
    let ago = clock::since_boot().saturating_sub(stamp.at?);
    Some(clock::now_in_nanoseconds().saturating_sub(ago))
}
