//! Whether a browser has a session, by what the instance says, and how an instance calls its cookie.

use super::client;
use super::failure::Failure;
use super::headers::cookies::{self, Session};
use super::parts::T3;
use axum::http::{Method, StatusCode};
use serde::Deserialize;
use std::time::Duration;
use terminal_lobby::t3::table::Instance;

const PATH: &str = "/api/auth/session";
/// How long an instance may take to say whether a session is one.
const WITHIN: Duration = Duration::from_secs(5);
/// How old a name may be if a browser has sessions of other names: an update may have changed it.
const FRESH: Duration = Duration::from_secs(30);
/// How long a session that was good is preferred to others of the same request.
const GOOD: Duration = Duration::from_secs(30);

/// How long its word is enough for navigations that came at once.
const JUST_NOW: Duration = Duration::from_secs(1);

/// What an instance says of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Yes,
    No,
    /// It says nothing that can be understood: the session may be good.
    Unclear,
}

/// What a navigation has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A session that is good, or may be.
    Session(Session),
    /// None, or none that is good.
    None,
}

#[derive(Debug, Deserialize)]
struct Answer {
    authenticated: bool,
    auth: Option<Auth>,
}

#[derive(Debug, Deserialize)]
struct Auth {
    #[serde(rename = "sessionCookieName")]
    name: Option<String>,
}

/// Asks about a session, or without one only for the name of the cookie; what is learnt is kept.
async fn ask(t3: &T3, instance: &Instance, session: Option<&Session>) -> Result<Said, Failure> {
    let pair = session.map(Session::pair);
    let within = WITHIN.min(t3.settings.answer());
    let asked = client::ask(t3, instance, (Method::GET, PATH), pair.as_deref(), None, within);
    let answer = asked.await?;
    if answer.status != StatusCode::OK {
        return Ok(Said::Unclear);
    }
    let Ok(said) = serde_json::from_slice::<Answer>(&answer.body) else { return Ok(Said::Unclear) };
    let good = session.filter(|_| said.authenticated);
    if let Some(name) = said.auth.and_then(|auth| auth.name).filter(|name| cookies::is_name(name)) {
        t3.names.learn(instance, &name, good);
    }
    Ok(if said.authenticated { Said::Yes } else { Said::No })
}

/// Whether a session is good, by what the instance said within the last second or says now.
pub(super) async fn is_good(t3: &T3, instance: &Instance, session: &Session) -> bool {
    let said = t3.names.of(instance).and_then(|known| known.good);
    if said.is_some_and(|(good, at)| good == *session && at.elapsed() < JUST_NOW) {
        return true;
    }
    ask(t3, instance, Some(session)).await == Ok(Said::Yes)
}

/// How the instance calls its cookie now; `None` if it does not say.
///
/// # Errors
/// If it does not answer.
pub(super) async fn name(t3: &T3, instance: &Instance) -> Result<Option<String>, Failure> {
    ask(t3, instance, None).await?;
    Ok(t3.names.of(instance).map(|known| known.name))
}

/// The name as it was last learnt, or as it is now if the request has sessions of other names alone.
async fn likely_name(t3: &T3, instance: &Instance, all: &[Session]) -> Option<String> {
    let known = t3.names.of(instance);
    if let Some(known) = &known {
        let has_one = all.iter().any(|session| session.name == known.name);
        if has_one || all.is_empty() || known.at.elapsed() < FRESH {
            return Some(known.name.clone());
        }
    }
    let old = known.map(|known| known.name);
    match name(t3, instance).await {
        Ok(name) => name,
        Err(_) => old,
    }
}

/// Looks for a good session of a navigation. Only a definite "no" to each counts as none: when in doubt, the instance
/// itself decides.
pub(super) async fn of_navigation(t3: &T3, instance: &Instance, all: &[Session]) -> Verdict {
    if all.is_empty() {
        return Verdict::None;
    }
    let mut name = likely_name(t3, instance, all).await;
    // Twice: the answers may say that the name is another.
    for _ in 0..2 {
        // One whose name is not known is asked about, too: the answer has it.
        let some = match &name {
            Some(name) => cookies::named(all, name),
            None => all[..1].to_vec(),
        };
        let mut in_doubt = None;
        for session in some {
            match ask(t3, instance, Some(&session)).await {
                Ok(Said::Yes) => return Verdict::Session(session),
                Ok(Said::No) => {}
                Ok(Said::Unclear) | Err(_) => {
                    in_doubt = Some(session);
                    break;
                }
            }
        }
        if let Some(session) = in_doubt {
            return Verdict::Session(session);
        }
        let now = t3.names.of(instance).map(|known| known.name);
        if now == name {
            break;
        }
        name = now;
    }
    Verdict::None
}

/// The session that any other request is passed on with; `None` if it has none. Of several of the right name, one that
/// the instance says is good.
pub(super) async fn of_request(t3: &T3, instance: &Instance, all: &[Session]) -> Option<Session> {
    if all.is_empty() {
        return None;
    }
    let name = likely_name(t3, instance, all).await;
    let Some(name) = name else { return all.first().cloned() };
    let mut own = cookies::named(all, &name);
    if own.len() < 2 {
        return own.pop();
    }
    if let Some((good, at)) = t3.names.of(instance).and_then(|known| known.good)
        && at.elapsed() < GOOD
        && own.contains(&good)
    {
        return Some(good);
    }
    for session in &own {
        if ask(t3, instance, Some(session)).await == Ok(Said::Yes) {
            return Some(session.clone());
        }
    }
    own.into_iter().next()
}
