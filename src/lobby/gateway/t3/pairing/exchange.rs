//! Exchanging a credential for a session.

use super::flights::Unpaired;
use crate::gateway::t3::client;
use crate::gateway::t3::failure::Failure;
use crate::gateway::t3::headers::cookies::{self, Session};
use crate::gateway::t3::parts::T3;
use axum::http::header::SET_COOKIE;
use axum::http::{Method, StatusCode};
use std::time::Duration;
use terminal_lobby::t3::table::Instance;
use tokio::time::sleep;

/// The addresses, the newer first: 0.0.24 has only `bootstrap`, 0.0.26 and later only `browser-session`; the other one
/// answers 404.
const ENDPOINTS: [(&str, &str); 2] =
    [("/api/auth/browser-session", "browser-session"), ("/api/auth/bootstrap", "bootstrap")];
/// How long one try may take.
const TRY: Duration = Duration::from_secs(8);
/// Before a further try after a server error: the database was locked, and the credential is good yet.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_millis(800), Duration::from_secs(2)];

/// A session, and where it came from.
pub(super) struct Exchanged {
    pub(super) session: Session,
    pub(super) set_cookie: String,
    pub(super) endpoint: &'static str,
    pub(super) is_fallback: bool,
}

/// Why there is no session.
#[derive(Debug, Clone, Copy)]
pub(super) enum ExchangeError {
    Failed(Failure),
    /// Both addresses are unknown.
    NotFound,
    Status(StatusCode, &'static str),
    NoCookie(&'static str),
    Slow,
}

impl ExchangeError {
    pub(super) fn unpaired(self) -> Unpaired {
        match self {
            Self::NoCookie(_) => Unpaired::NoCookie,
            _ => Unpaired::Exchange,
        }
    }

    /// What the journal says.
    pub(super) fn message(self, user: &str) -> String {
        match self {
            Self::Failed(failure) => {
                format!("pairing exchange for {user} failed: {}", failure.word())
            }
            Self::NotFound => {
                format!("pairing exchange for {user} failed: both addresses are unknown")
            }
            Self::Status(status, endpoint) => {
                format!("pairing for {user} returned {} (endpoint={endpoint})", status.as_u16())
            }
            Self::NoCookie(endpoint) => {
                format!("pairing for {user} set no cookie (endpoint={endpoint})")
            }
            Self::Slow => format!("pairing exchange for {user} failed: no answer in time"),
        }
    }
}

/// Exchanges a credential; `name` is how the instance calls its cookie.
pub(super) async fn exchange(
    t3: &T3,
    instance: &Instance,
    credential: &str,
    name: Option<&str>,
) -> Result<Exchanged, ExchangeError> {
    let body = serde_json::json!({ "credential": credential }).to_string();
    for (at, (path, endpoint)) in ENDPOINTS.into_iter().enumerate() {
        let mut pauses = PAUSES.into_iter();
        let answer = loop {
            let asked =
                client::ask(t3, instance, (Method::POST, path), None, Some(body.clone()), TRY);
            let again = match asked.await {
                Ok(answer) if !answer.status.is_server_error() => break answer,
                Ok(answer) => ExchangeError::Status(answer.status, endpoint),
                Err(Failure::Foreign) => {
                    return Err(ExchangeError::Failed(Failure::Foreign));
                }
                Err(failure) => ExchangeError::Failed(failure),
            };
            match pauses.next() {
                Some(pause) => sleep(pause).await,
                None => return Err(again),
            }
        };
        if answer.status == StatusCode::NOT_FOUND {
            continue;
        }
        if answer.status != StatusCode::OK {
            return Err(ExchangeError::Status(answer.status, endpoint));
        }
        let lines = answer.headers.get_all(SET_COOKIE).iter();
        let mut set: Vec<(Session, String)> = lines
            .filter_map(|line| cookies::relayed(line.to_str().ok()?, t3.settings.site.is_secure()))
            .filter(|(session, _)| !session.value.is_empty())
            .collect();
        let at_name = set.iter().position(|(session, _)| name == Some(session.name.as_str()));
        if set.is_empty() {
            return Err(ExchangeError::NoCookie(endpoint));
        }
        let (session, set_cookie) = set.swap_remove(at_name.unwrap_or(0));
        return Ok(Exchanged { session, set_cookie, endpoint, is_fallback: at > 0 });
    }
    Err(ExchangeError::NotFound)
}
