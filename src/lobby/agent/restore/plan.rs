//! The plan of `persist`, and what was chosen of it.

use super::super::state::Agent;
use crate::error::Error;
use crate::protocol::restore::{Plan, Row};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;
use terminal_lobby::persist::report::PlanReport;
use terminal_lobby::persist::restore::{budget, memory};
use terminal_lobby::persist::sessions::past::time_of;
use terminal_lobby::persist::{Report, Request};
use terminal_lobby::text::escape;

/// How many snapshots one request may use.
const MAX_SNAPSHOTS: usize = 32;
/// How long a restore waits for another save or restore of the user: then the page says that one runs.
const LOCK_WAIT: Duration = Duration::from_secs(3);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Wanted {
    /// What they are known by in the list; if empty, all that can come back.
    #[serde(default)]
    sessions: Vec<String>,
    /// Or what is ticked: the plan of a restore of just that.
    #[serde(default)]
    chosen: Option<Vec<Choice>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Chosen {
    chosen: Vec<Choice>,
}

/// Sessions of one snapshot.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    /// Its id; the newest one without.
    #[serde(default)]
    from: Option<String>,
    /// As the plan names them.
    sessions: Vec<String>,
}

/// What a restore would do.
pub(in super::super) async fn plan(
    State(agent): State<Agent>,
    Json(Wanted { sessions: keys, chosen }): Json<Wanted>,
) -> Result<Json<Plan>, Error> {
    if let Some(chosen) = chosen {
        return of_choices(&agent, chosen, true).await.map(Json);
    }
    if keys.is_empty() {
        return plan_all(&agent).await.map(Json);
    }
    let listing = agent.sessions.refresh().await;
    let mut by_snapshot: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
    for key in &keys {
        let mut known = listing.sessions.iter().zip(listing.views.iter());
        let (_, view) = known.find(|(session, _)| session.key() == *key).ok_or(Error::NoSession)?;
        by_snapshot.entry(view.snapshot.clone()).or_default().push(escape(&view.name));
    }
    let mut all = Plan::default();
    for (from, names) in by_snapshot.into_iter().take(MAX_SNAPSHOTS) {
        add(&mut all, dry(&agent, from.as_deref(), &names).await?);
    }
    Ok(Json(all))
}

/// The plan of the newest snapshot; what was closed and is only in others is offered with it.
pub(super) async fn plan_all(agent: &Agent) -> Result<Plan, Error> {
    let listing = agent.sessions.refresh().await;
    let mut by_snapshot: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for view in listing.views.iter() {
        if let Some(from) = &view.snapshot {
            by_snapshot.entry(from).or_default().push(escape(&view.name));
        }
    }
    let mut all = dry(agent, None, &[]).await?;
    for (from, names) in by_snapshot.into_iter().take(MAX_SNAPSHOTS) {
        let mut plan = dry(agent, Some(from), &names).await?;
        // Named, so that persist plans it; whether it is wanted is still to be asked.
        plan.rows.iter_mut().for_each(|row| row.selected = false);
        add(&mut all, Plan { agents: None, ..plan });
    }
    Ok(all)
}

/// Restores what was chosen.
pub(in super::super) async fn restore(
    State(agent): State<Agent>,
    Json(Chosen { chosen }): Json<Chosen>,
) -> Result<Json<Plan>, Error> {
    let running = agent.restoring.begin().ok_or(Error::Busy)?;
    // It goes on if the page is left meanwhile.
    let restoring = tokio::spawn(async move {
        let done = of_choices(&agent, chosen, false).await;
        drop(running);
        done
    });
    restoring.await?.map(Json)
}

async fn of_choices(agent: &Agent, chosen: Vec<Choice>, dry_run: bool) -> Result<Plan, Error> {
    // A path would be read as a snapshot, too.
    let is_id = |from: &String| time_of(from).is_some();
    if chosen.len() > MAX_SNAPSHOTS || !chosen.iter().all(|one| one.from.iter().all(is_id)) {
        return Err(Error::NoSnapshot);
    }
    let mut all = Plan::default();
    for Choice { from, sessions } in chosen {
        if sessions.is_empty() {
            continue; // persist would take that for all
        }
        add(&mut all, of(agent, from.as_deref(), &sessions, dry_run).await?);
    }
    Ok(all)
}

fn add(all: &mut Plan, plan: Plan) {
    all.rows.extend(plan.rows);
    all.notes.extend(plan.notes);
    all.agent_memory = all.agent_memory.max(plan.agent_memory);
    all.free = all.free.or(plan.free);
    match (&mut all.agents, plan.agents) {
        (Some(sum), Some(more)) => {
            sum.eager += more.eager;
            sum.lazy += more.lazy;
        }
        (sum @ None, more) => *sum = more,
        (Some(_), None) => {}
    }
}

/// What a restore of these sessions would do; of all without any.
pub(super) async fn dry(
    agent: &Agent,
    from: Option<&str>,
    names: &[String],
) -> Result<Plan, Error> {
    of(agent, from, names, true).await
}

async fn of(
    agent: &Agent,
    from: Option<&str>,
    names: &[String],
    dry_run: bool,
) -> Result<Plan, Error> {
    let sessions = names.to_vec();
    let request = Request::Restore { sessions, from: from.map(str::to_owned), dry_run, mode: None };
    let report = if dry_run {
        agent.sessions.ask(request).await?
    } else {
        agent.sessions.request_within(request, LOCK_WAIT).await?
    };
    let Report::Plan(PlanReport { rows, notes, agents, .. }) = report else {
        return Err(Error::Refused("persist did not answer with a plan"));
    };
    let home = agent.sessions.home().as_os_str().as_bytes();
    let wanted: BTreeSet<&String> = names.iter().collect();
    let rows = rows.into_iter().map(|row| Row::of(row, from, home));
    let rows = rows.filter(|row| wanted.is_empty() || wanted.contains(&row.session)).collect();
    let free = agent.sessions.look(memory::available).await?;
    let agent_memory = agents.as_ref().and_then(|agents| agents.agent);
    let agent_memory = agent_memory.unwrap_or(budget::USUAL_AGENT);
    Ok(Plan { rows, notes, agents, agent_memory, free, changes: Vec::new() })
}
