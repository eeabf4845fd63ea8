//! `suspend` and `resume`: ends idle agents, whose panes then wait with what was here; starts them again
//! in their own conversations.

pub mod choose;
mod named;
mod observe;
mod processes;
mod replace;
mod resume;

pub use resume::resume;

use super::capture::{Capture, capture};
use super::context::Context;
use super::error::Error;
use super::report::{Report, SuspendReport, SuspendResult, SuspendedAgent};
use super::save;
use crate::agent::Home;
use crate::events::{Event, Kind};
use crate::persist::stranded_server;
use crate::persist::suspend_request::Suspend;
use crate::process::Proc;
use crate::snapshot::{Row, State, Store};
use crate::sys::clock;
use crate::sys::locks::Lock;
use crate::text::{json_text, printable};
use choose::{Choice, Policy, choose};
use observe::{Observed, observe};
use replace::Locked;
use std::collections::BTreeSet;
use std::time::Duration;

/// How many agents are ended at once: what was found about them must still be true.
const AT_ONCE: usize = 8;

/// Suspends agents: those that are named, else those that are idle.
pub fn suspend(context: &Context, request: &Suspend) -> Report {
    let mut report = SuspendReport::default();
    let done = try_suspend(context, request, &mut report);
    report.error = done.err().map(Into::into);
    finish(context, &mut report);
    Report::Suspend(report)
}

/// Saves what was done.
fn finish(context: &Context, report: &mut SuspendReport) {
    let (suspended, given_back) = (report.suspended, report.given_back);
    tracing::info!(suspended, given_back, resumed = report.resumed, "suspend");
    if suspended == 0 && report.resumed == 0 {
        return;
    }
    let context = Context { now: clock::now(), ..context.clone() };
    let problem = save::save(&context).problem();
    report.notes.extend(problem.map(|problem| format!("not saved: {}", problem.message)));
}

fn try_suspend(
    context: &Context,
    request: &Suspend,
    report: &mut SuspendReport,
) -> Result<(), Error> {
    let is_named = !request.words.is_empty();
    let configured = || context.suspend.idle_for(request.need.is_some());
    let older_than = request.older_than.or_else(configured);
    let Some(older_than) = older_than.or(is_named.then_some(Duration::ZERO)) else {
        let why = "idle agents are not suspended by themselves here ([suspend] after is off)";
        report.notes.push(why.to_owned());
        return Ok(());
    };
    if !is_running(context, report)? {
        return Ok(());
    }
    if context.launcher.is_none() {
        return Err(Error::NoLauncher);
    }
    let held = if request.dry_run { None } else { Some(Held::take(context)?) };
    let captured = captured(context, held.as_ref())?;
    let wanted = wanted(&request.words, &captured)?;
    let force = request.force && is_named;
    let all = observe(context, &captured, |row| is_among(row, &captured, wanted.as_ref()), force)?;
    let policy = Policy { older_than, need: request.need };
    let (choices, chosen) = if is_named {
        of_named(&all, force)
    } else {
        let candidates: Vec<_> = all.iter().map(|one| one.candidate.clone()).collect();
        choose(&candidates, context.now, &policy)
    };
    let mut ordered: Vec<(&Observed, SuspendedAgent)> = Vec::new();
    let left = (0..all.len()).filter(|at| !chosen.contains(at));
    for at in chosen.iter().copied().chain(left) {
        ordered.push((&all[at], described(&all[at], &choices[at], is_named)));
    }
    if is_named {
        note_others(&captured, wanted.as_ref(), report);
    }
    if let Some(held) = &held {
        let agents = &mut ordered[..chosen.len()];
        for group in agents.chunks_mut(AT_ONCE) {
            end_group(context, held, group, (is_named, force), report)?;
        }
    }
    report.agents = ordered.into_iter().map(|(_, agent)| agent).collect();
    Ok(())
}

/// Ends a few agents, after another look at each.
fn end_group(
    context: &Context,
    held: &Held,
    group: &mut [(&Observed, SuspendedAgent)],
    (is_named, force): (bool, bool),
    report: &mut SuspendReport,
) -> Result<(), Error> {
    let captured = captured(context, Some(held))?;
    let panes: BTreeSet<u32> = group.iter().map(|(one, _)| one.pane).collect();
    let is_here = |row: &Row| row.pane_id.is_some_and(|pane| panes.contains(&pane));
    let now = observe(context, &captured, is_here, force)?;
    let (choices, still) = of_named(&now, force);
    let (mut going, mut ways) = (Vec::new(), Vec::new());
    for (before, agent) in group {
        let at = now.iter().position(|one| (one.pane, one.pid) == (before.pane, before.pid));
        match at.map(|at| (at, &now[at])) {
            Some((at, Observed { way: Some(way), .. })) if still.contains(&at) => {
                ways.push((&now[at], way));
                going.push(agent);
            }
            Some((at, one)) => *agent = described(one, &choices[at], is_named),
            None => {
                agent.result = if is_named { SuspendResult::Refused } else { SuspendResult::Left };
                "it has just ended".clone_into(&mut agent.reason);
            }
        }
    }
    if ways.is_empty() {
        return Ok(());
    }
    let locked = Locked { store: &held.store, lock: &held.lock };
    let results = replace::suspend(context, &locked, &ways, &mut report.notes)?;
    for ((agent, (one, _)), result) in going.into_iter().zip(&ways).zip(results) {
        let one = &one.row;
        match result {
            Ok(()) => {
                agent.result = SuspendResult::Suspended;
                announce(context, one, agent.memory, &mut report.notes);
                report.suspended += 1;
                report.given_back = report.given_back.saturating_add(agent.memory.unwrap_or(0));
            }
            Err(why) => {
                agent.result = SuspendResult::Failed;
                agent.reason = printable(&why.to_string()).into_owned();
            }
        }
    }
    Ok(())
}

/// The locks of a restore: nothing else saves or restores meanwhile.
struct Held {
    store: Store,
    lock: Lock,
    _server: Option<Lock>,
}

impl Held {
    fn take(context: &Context) -> Result<Self, Error> {
        let mut store = context.writable_store()?;
        let lock = store.lock(context.lock_wait)?;
        let server = match context.server.lock(context.lock_wait) {
            Err(error) if error.is_timeout() => return Err(error.into()),
            other => other.ok(),
        };
        Ok(Self { store, lock, _server: server })
    }
}

/// Whether there is a server; if not, a note says so.
fn is_running(context: &Context, report: &mut SuspendReport) -> Result<bool, Error> {
    let is_running = context.server.is_listening()?;
    if !is_running {
        stranded_server::check(context)?;
        report.notes.push("no tmux server is running".to_owned());
    }
    Ok(is_running)
}

/// The live sessions. Claims of the newest snapshot count, as in a save.
fn captured(context: &Context, held: Option<&Held>) -> Result<Capture, Error> {
    let notes = &mut Vec::new();
    let newest = match held {
        Some(held) => held.store.newest(notes)?,
        None => context.store()?.map(|store| store.newest(notes)).transpose()?.flatten(),
    };
    let previous = newest.as_ref().map(|(_, stored)| &stored.snapshot);
    let home = Home::new(&context.account.home);
    Ok(capture(context, previous, &home, &Proc::default())?.unwrap_or_default())
}

/// The rows that are named; `None` for all.
fn wanted(words: &[String], captured: &Capture) -> Result<Option<BTreeSet<usize>>, Error> {
    if words.is_empty() {
        return Ok(None);
    }
    named::find(words, &captured.snapshot).map(Some)
}

fn is_among(row: &Row, captured: &Capture, wanted: Option<&BTreeSet<usize>>) -> bool {
    let Some(wanted) = wanted else { return true };
    let at = captured.snapshot.rows.iter().position(|one| one.place() == row.place());
    at.is_some_and(|at| wanted.contains(&at))
}

/// Choices for agents that a person named: each that has no obstacle, or none that counts.
fn of_named(all: &[Observed], force: bool) -> (Vec<Choice>, Vec<usize>) {
    let choice = |one: &Observed| {
        let mut obstacles = one.candidate.obstacles.iter();
        let obstacle = obstacles.find(|obstacle| !force || !obstacle.yields_to_force());
        obstacle.map_or(Choice::Suspend, |obstacle| Choice::Leave(obstacle.clone()))
    };
    let choices: Vec<Choice> = all.iter().map(choice).collect();
    let chosen = (0..all.len()).filter(|&at| choices[at] == Choice::Suspend).collect();
    (choices, chosen)
}

fn described(one: &Observed, choice: &Choice, is_named: bool) -> SuspendedAgent {
    let left = if is_named { SuspendResult::Refused } else { SuspendResult::Left };
    let (result, reason) = match choice {
        Choice::Suspend => (SuspendResult::Chosen, String::new()),
        Choice::Leave(obstacle) => (left, obstacle.to_string()),
        Choice::Recent => (left, "it was used recently".to_owned()),
        Choice::NotNeeded => (left, "others give back enough".to_owned()),
    };
    let (idle_since, memory) = (one.candidate.idle_since, one.candidate.memory);
    SuspendedAgent { idle_since, memory, result, reason, ..agent_of(&one.row) }
}

/// Records the event of an agent that was suspended. The save after its resume records that (`save::woken`).
fn announce(context: &Context, row: &Row, bytes: Option<u64>, notes: &mut Vec<String>) {
    let event = Event {
        time: clock::now(),
        kind: Kind::Suspended,
        session: Some(row.session.clone()),
        pane: row.pane_id,
        agent: row.agent.clone(),
        conversation: row.conversation.clone(),
        bytes,
        ..Event::default()
    };
    context.announce(&event, notes);
}

fn agent_of(row: &Row) -> SuspendedAgent {
    SuspendedAgent {
        session: json_text(&row.session),
        window: row.window,
        pane: row.pane,
        agent: json_text(row.agent.as_deref().unwrap_or_default()),
        conversation: row.conversation.as_deref().map(json_text),
        ..SuspendedAgent::default()
    }
}

/// Notes panes that were named and have no agent that runs.
fn note_others(captured: &Capture, wanted: Option<&BTreeSet<usize>>, report: &mut SuspendReport) {
    let rows: Vec<&Row> =
        wanted.into_iter().flatten().map(|&at| &captured.snapshot.rows[at]).collect();
    for row in &rows {
        if row.state == State::Suspended {
            report.notes.push(format!("{} is suspended already", row.label()));
        }
    }
    if rows.iter().all(|row| row.agent.is_none()) {
        report.notes.push("no agent runs there".to_owned());
    }
}
