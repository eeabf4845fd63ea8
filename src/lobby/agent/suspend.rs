//! Giving back the memory of a session's idle agents, and starting them again.

use super::state::Agent;
use crate::error::Error;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use terminal_lobby::persist::report::SuspendReport;
use terminal_lobby::persist::suspend_request::Suspend;
use terminal_lobby::persist::{Report, Request};
use terminal_lobby::text::escape;

/// Suspends the agents of a session. One that works or asks is left alone, and the answer says why.
pub(super) async fn suspend(
    State(agent): State<Agent>,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    let words = vec![name(&agent, &id).await?];
    done(&agent, Request::Suspend(Suspend { words, ..Suspend::default() })).await
}

/// Starts the suspended agents of a session.
pub(super) async fn resume(
    State(agent): State<Agent>,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    let words = vec![name(&agent, &id).await?];
    done(&agent, Request::Resume { words }).await
}

async fn name(agent: &Agent, id: &str) -> Result<String, Error> {
    agent.sessions.refresh().await;
    Ok(escape(&agent.sessions.find(id).await.ok_or(Error::NoSession)?.name))
}

async fn done(agent: &Agent, request: Request) -> Result<StatusCode, Error> {
    let Report::Suspend(report) = agent.sessions.request(request).await? else {
        return Err(Error::Refused("persist did not answer with what it did"));
    };
    let SuspendReport { agents, suspended, resumed, .. } = report;
    if suspended + resumed > 0 {
        return Ok(StatusCode::NO_CONTENT);
    }
    let why = agents.into_iter().map(|one| one.reason).find(|reason| !reason.is_empty());
    Err(why.map_or(Error::Refused("no agent of this session can"), Error::Reported))
}
