//! The snapshots, and one of them beside the present.

use super::super::state::Agent;
use super::plan::{dry, plan_all};
use crate::error::Error;
use crate::protocol::restore::{Changed, Plan, Snapshot, Snapshots, below_home};
use axum::Json;
use axum::extract::{Path, State};
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use terminal_lobby::persist::report::RowAction;
use terminal_lobby::persist::sessions::past::time_of;
use terminal_lobby::persist::{Report, Request};

/// Most differing sessions that are sent.
const MAX_CHANGES: usize = 500;

/// All snapshots. One that is damaged is named, and skipped.
pub(in super::super) async fn list(State(agent): State<Agent>) -> Result<Json<Snapshots>, Error> {
    let Report::List(list) = agent.sessions.ask(Request::List).await? else {
        return Err(Error::Refused("persist did not answer with a list"));
    };
    Ok(Json(Snapshots {
        snapshots: list.snapshots.iter().filter_map(Snapshot::of).collect(),
        notes: list.notes.iter().map(|note| below_home(note, agent.sessions.home())).collect(),
        restoring: agent.restoring.is_running(),
    }))
}

/// What a restore of a snapshot would do, and how it differs from the present. Nothing is changed by it.
pub(in super::super) async fn one(
    State(agent): State<Agent>,
    Path(id): Path<String>,
) -> Result<Json<Plan>, Error> {
    if time_of(&id).is_none() {
        return Err(Error::NoSnapshot); // persist would take a path, too
    }
    let Report::List(list) = agent.sessions.ask(Request::List).await? else {
        return Err(Error::Refused("persist did not answer with a list"));
    };
    let listed =
        list.snapshots.iter().find(|one| one.id == id && one.valid).ok_or(Error::NoSnapshot)?;
    let mut plan =
        if listed.newest { plan_all(&agent).await? } else { dry(&agent, Some(&id), &[]).await? };
    let compare = Request::Diff { from: id, to: "live".to_owned() };
    match agent.sessions.ask(compare).await {
        Ok(Report::Diff(compared)) => {
            let home = agent.sessions.home().as_os_str().as_bytes();
            // What is lost is compared, too; the plan says that it is not there.
            let made = plan.rows.iter().filter(|row| row.action == RowAction::New);
            let missing: BTreeSet<&str> = made.map(|row| row.session.as_str()).collect();
            let changes = compared.sessions.iter().filter_map(|one| Changed::of(one, home));
            let changes = changes.filter(|one| !missing.contains(one.session.as_str()));
            plan.changes = changes.take(MAX_CHANGES).collect();
        }
        Ok(_) => {}
        Err(error) => plan.notes.push(error.to_string()),
    }
    Ok(Json(plan))
}
