//! What became of sessions: how they went, what their agents gave back, and one of them over the snapshots.

use super::super::state::Agent;
use crate::error::Error;
use crate::protocol::restore::{Gone, History, MemoryEvent, Past, Shown};
use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use std::os::unix::ffi::OsStrExt;
use terminal_lobby::persist::restore::memory;
use terminal_lobby::persist::sessions::past as known;
use terminal_lobby::persist::{EventsRequest, Report, Request};
use terminal_lobby::sys::clock;
use terminal_lobby::text::escape::unescape;

/// For how long back it is said what was suspended, in seconds.
const BACK: u64 = 30 * 24 * 3600;
/// Most of these that are sent, and most sessions that went.
const MAX_SENT: usize = 200;

/// How sessions went, and which agents were suspended and resumed.
pub(in super::super) async fn past(State(agent): State<Agent>) -> Result<Json<Past>, Error> {
    let looked = agent.sessions.look(|context| {
        let mut notes = Vec::new();
        known::goings(context, &mut notes).map(|goings| (goings, notes, memory::available(context)))
    });
    let (mut goings, notes, free) = looked.await??;
    goings.sort_by_key(|going| std::cmp::Reverse(going.at));
    let wanted = EventsRequest {
        since: Some(clock::now().saturating_sub(BACK)),
        kinds: vec!["suspended".to_owned(), "woken".to_owned()],
        ..EventsRequest::default()
    };
    let Report::Events(events) = agent.sessions.ask(Request::Events(wanted)).await? else {
        return Err(Error::Refused("persist did not answer with events"));
    };
    let memory = events.events.iter().rev().take(MAX_SENT).map(MemoryEvent::of).collect();
    let goings = goings.iter().take(MAX_SENT).map(Gone::of).collect();
    Ok(Json(Past { goings, memory, free, notes }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Of {
    /// A session's name, in escapes.
    session: String,
}

/// One session over the snapshots.
pub(in super::super) async fn history(
    State(agent): State<Agent>,
    Query(Of { session }): Query<Of>,
) -> Result<Json<History>, Error> {
    let name = unescape(session.as_bytes()).ok_or(Error::NoSession)?;
    let past = agent.sessions.look(move |context| known::of_session(context, &name)).await??;
    let home = agent.sessions.home().as_os_str().as_bytes();
    Ok(Json(History {
        periods: past.periods.iter().map(|period| Shown::of(period, home)).collect(),
        damaged: past.damaged,
    }))
}
