//! Others than the user, with whom a session is shared or who have a link: what they reach.

use super::access::{Access, Reach, refused};
use super::sharing::announce;
use super::state::Agent;
use crate::error::Error;
use crate::present::{UNKNOWN, Visitor};
use crate::protocol::people::Grant;
use crate::share::{Allowed, Event};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;

/// What a route has to be given before a guest reaches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Anything shared with this person: what is answered is of that alone.
    AnyShare,
    /// A share of the session that the query names, alone in it.
    Session,
    /// The same, or a link.
    SessionOrLink,
    /// A share of the session in the path by which its person may type.
    Drive,
}

/// The routes that guests reach. Every other one is refused to them, and so is each new one until it stands here.
const SHARED: [(&str, Method, Needs); 5] = [
    ("/api/events", Method::GET, Needs::AnyShare),
    ("/api/share", Method::GET, Needs::AnyShare),
    ("/api/terminal", Method::GET, Needs::Session),
    ("/api/conversation", Method::GET, Needs::SessionOrLink),
    ("/api/sessions/{id}/prompt", Method::POST, Needs::Drive),
];

/// What a guest was let in for. As an extension of a request.
#[derive(Debug, Clone)]
pub(super) enum Guest {
    /// All that is shared with this person.
    Any,
    /// One session.
    Share { session: String, grant: Grant },
    /// One conversation.
    Link(Allowed),
}

impl Guest {
    /// The conversation that alone is shown, as its agent and its id.
    pub(super) fn conversation(&self) -> Option<(String, String)> {
        match self {
            Self::Link(link) => Some((link.agent.clone(), link.conversation.clone())),
            Self::Any | Self::Share { .. } => None,
        }
    }
}

/// Who a connection is for, and when it ends.
pub(super) fn visitor(agent: &Agent, access: &Access, guest: Option<&Guest>) -> Visitor {
    let name = access.onlooker.clone().unwrap_or_else(|| agent.sessions.user().to_owned());
    let present = agent.present.clone();
    let (session, id, watch) = match guest {
        None => return Visitor::of_all(name, access.watch, present),
        // The routes that make one name a session: this reaches none.
        Some(Guest::Any) => (String::new(), String::new(), true),
        Some(Guest::Share { session, grant }) => (session.clone(), grant.id.clone(), !grant.drive),
        Some(Guest::Link(link)) => (link.session.clone(), link.id.clone(), true),
    };
    let ends = agent.shares.ends(id.clone());
    let (shares, person, of) = (agent.shares.clone(), name.clone(), session.clone());
    let drove = move || shares.note("share_driven", &person, &of);
    let drove: Option<Box<dyn Fn() + Send>> = Some(Box::new(drove));
    Visitor { name, watch, only: Some(session), by: Some(id), present, ends, drove }
}

/// Refuses changes of those who may only watch, and to guests everything that is not shared with them.
pub(super) async fn may(State(agent): State<Agent>, request: Request, next: Next) -> Response {
    let is_change = !matches!(*request.method(), Method::GET | Method::HEAD);
    match request.extensions().get::<Access>().cloned() {
        None => refused(StatusCode::FORBIDDEN, "it is not known who asks"),
        Some(access) if access.reach != Reach::All => admit(&agent, &access, request, next).await,
        Some(access) if access.watch && is_change => {
            refused(StatusCode::FORBIDDEN, "you only watch these sessions")
        }
        Some(_) => next.run(request).await,
    }
}

/// Lets a guest's request on to its route, if what it asks for is shared.
async fn admit(agent: &Agent, access: &Access, mut request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let found = SHARED
        .iter()
        .find(|(path, method, _)| matched.as_deref() == Some(path) && request.method() == method);
    let Some((path, _, needs)) = found else {
        return refused(StatusCode::FORBIDDEN, "this is not shared");
    };
    let session = session_of(*needs, request.uri());
    let guest = match grant(agent, access, *needs, session).await {
        Ok(Some(guest)) => guest,
        Ok(None) => {
            let answer = refused(StatusCode::FORBIDDEN, "this is not shared with you");
            return announce(agent, answer, None).await;
        }
        Err(error) => {
            tracing::warn!(%error, "shares cannot be read");
            return refused(StatusCode::FORBIDDEN, "what is shared cannot be read");
        }
    };
    let event = event(agent, access, path, &guest);
    request.extensions_mut().insert(guest);
    let answer = next.run(request).await;
    let is_done =
        answer.status().is_success() || answer.status() == StatusCode::SWITCHING_PROTOCOLS;
    match event.filter(|_| is_done) {
        Some(event) => announce(agent, answer, Some(&event)).await,
        None => answer,
    }
}

/// The session that a request names.
fn session_of(needs: Needs, uri: &Uri) -> Option<String> {
    let named = match needs {
        Needs::AnyShare => None,
        Needs::Session | Needs::SessionOrLink => uri.query()?.strip_prefix("session="),
        Needs::Drive => uri.path().strip_prefix("/api/sessions/")?.split('/').next(),
    };
    named.map(str::to_owned)
}

async fn grant(
    agent: &Agent,
    access: &Access,
    needs: Needs,
    session: Option<String>,
) -> Result<Option<Guest>, Error> {
    match (&access.reach, access.onlooker.as_deref()) {
        (Reach::Link { hash, viewer }, _) if needs == Needs::SessionOrLink => {
            Ok(agent.shares.open_link(hash, viewer).await?.map(Guest::Link))
        }
        (Reach::Shared, Some(person)) => {
            let mut grants = agent.shares.grants(person).await?;
            if needs == Needs::AnyShare {
                return Ok((!grants.is_empty()).then_some(Guest::Any));
            }
            let found = session.and_then(|session| grants.remove_entry(&session));
            let found = found.filter(|(_, grant)| needs != Needs::Drive || grant.drive);
            Ok(found.map(|(session, grant)| Guest::Share { session, grant }))
        }
        _ => Ok(None),
    }
}

/// What the journals say of it.
fn event(agent: &Agent, access: &Access, path: &str, guest: &Guest) -> Option<Event> {
    let (kind, session) = match guest {
        Guest::Any => return None,
        Guest::Link(link) => ("link_opened", &link.session),
        Guest::Share { session, .. } => match path {
            "/api/terminal" => ("share_opened", session),
            "/api/conversation" => ("share_read", session),
            _ => ("share_prompted", session),
        },
    };
    let person = access.onlooker.clone().unwrap_or_else(|| UNKNOWN.to_owned());
    agent.shares.note(kind, &person, session);
    Some(Event { kind, person, session: session.clone() })
}
