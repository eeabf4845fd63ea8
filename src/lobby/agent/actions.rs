//! What a person does to sessions.

use super::state::Agent;
use crate::error::Error;
use crate::list::Sessions;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;
use terminal_lobby::persist::Request;
use terminal_lobby::text::escape;
use terminal_lobby::tmux::escape::escape_format;

/// How long an end can be undone.
const UNDO: Duration = Duration::from_secs(8);
/// Maximum length of a name, in characters.
const MAX_NAME: usize = 64;

/// What an action answers if it failed.
#[derive(Debug, Serialize)]
struct Failed {
    error: String,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NoSession | Self::NoSnapshot => StatusCode::NOT_FOUND,
            Self::Refused(_) | Self::NotShared(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy | Self::Reported(_) | Self::Prompt(_) | Self::Tmux(_) | Self::Persist(_) => {
                StatusCode::CONFLICT
            }
            Self::TooManyViews(_) | Self::TooManyNew(_) => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(Failed { error: self.to_string() })).into_response()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rename {
    name: String,
}

/// Renames a session. Its birth id stays.
pub(super) async fn rename(
    State(agent): State<Agent>,
    Path(id): Path<String>,
    Json(request): Json<Rename>,
) -> Result<StatusCode, Error> {
    let number = agent.sessions.number(&id).await.ok_or(Error::NoSession)?;
    let name = checked_name(&request.name)?;
    let target = format!("${number}:").into();
    agent
        .sessions
        .send(vec!["rename-sessio".into(), "-t".into(), target, "--".into(), name])
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A name that tmux keeps as it is, as an argument that it expands to that.
pub(super) fn checked_name(name: &str) -> Result<OsString, Error> {
    let is_fit = |c: char| !c.is_control() && !matches!(c, ':' | '.');
    if name.is_empty() || name.chars().count() > MAX_NAME || !name.chars().all(is_fit) {
        return Err(Error::Refused("a name has 1 to 64 characters, none of them ':' or '.'"));
    }
    Ok(OsString::from_vec(escape_format(name.as_bytes())))
}

/// Ends a session in a few seconds, unless that is undone. It can still be restored by its name then.
pub(super) async fn end(
    State(agent): State<Agent>,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    let sessions = agent.sessions;
    sessions.number(&id).await.ok_or(Error::NoSession)?;
    if let Some(intention) = sessions.plan_end(&id) {
        tokio::spawn(async move {
            tokio::time::sleep(UNDO).await;
            if sessions.cancel_end(&id, Some(intention))
                && let Err(error) = end_now(&sessions, &id).await
            {
                tracing::warn!(%error, "a session was not ended");
            }
        });
    }
    Ok(StatusCode::ACCEPTED)
}

async fn end_now(sessions: &Sessions, id: &str) -> Result<(), Error> {
    sessions.refresh().await;
    let name = sessions.find(id).await.ok_or(Error::NoSession)?.name;
    let reason = "ended in the lobby".to_owned();
    sessions.request(Request::Forget { sessions: vec![escape(&name)], reason, kill: true }).await?;
    Ok(())
}

/// Undoes an end.
pub(super) async fn keep(
    State(agent): State<Agent>,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    if agent.sessions.cancel_end(&id, None) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Error::NoSession)
    }
}

/// Names of the agents that can be started.
pub(super) async fn agents(State(agent): State<Agent>) -> Result<Json<Vec<String>>, Error> {
    Ok(Json(agent.sessions.installed_agents().await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_as_they_are_and_others_refused() {
        assert_eq!(checked_name("a b#{x}").unwrap(), OsString::from("a b##{x}"));
        for name in ["", "a:b", "a.b", "a\nb", &"x".repeat(65)] {
            assert!(checked_name(name).is_err(), "{name:?}");
        }
    }
}
