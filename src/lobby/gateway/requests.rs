//! What the gateway answers itself: who somebody is, and logins.

use super::answer;
use super::audit::Audit;
use super::login::logins::user_of;
use super::open::{CUT, Pass, Person, Proof, Via};
use super::refusal::Refusal;
use super::relay::agents;
use super::settings::Mode;
use super::state::Gateway;
use crate::auth::device::device;
use axum::body::Body;
use axum::http::header::{self, HeaderValue};
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use terminal_lobby::sys::clock;
use tokio::time::timeout;

/// Maximum size of a login, in bytes.
const MAX_LOGIN: usize = 1 << 10;

/// Who a page is for.
#[derive(Debug, Serialize)]
struct Me<'a> {
    user: &'a str,
    host: &'a str,
    actor: &'a str,
    access: &'static str,
    admin: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    users: Vec<&'a str>,
    mode: &'static str,
    logins: bool,
}

/// What somebody sees who is not logged in.
#[derive(Debug, Serialize)]
struct NotLoggedIn {
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_in: Option<&'static str>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogIn {
    link: String,
}

/// The answer to `/api/me` of somebody who is not logged in.
pub(super) fn not_logged_in(gateway: &Gateway) -> Response<Body> {
    let mode = gateway.settings.mode;
    let log_in = (mode == Mode::Oidc).then_some("/login");
    let mut answer = answer::json(&NotLoggedIn { mode: mode.word(), log_in });
    *answer.status_mut() = StatusCode::UNAUTHORIZED;
    answer
}

/// Whether a request logs a browser in.
pub(super) fn is_log_in(path: &str, method: &Method) -> bool {
    path == "/api/login" && *method == Method::POST
}

/// Uses the link that `lobby link` printed.
pub(super) async fn log_in(
    gateway: &Gateway,
    request: Request<Incoming>,
) -> Result<Response<Body>, Refusal> {
    if gateway.settings.mode != Mode::Link {
        return Err(Refusal::NoSuchPath);
    }
    let device = device(request.headers());
    let body = Limited::new(request.into_body(), MAX_LOGIN).collect();
    let body = timeout(gateway.settings.limits.header_time(), body).await;
    let body = body.ok().and_then(Result::ok).ok_or(Refusal::Framing)?.to_bytes();
    let now = clock::now();
    let link = serde_json::from_slice::<LogIn>(&body).map_err(|_| Refusal::Framing)?.link;
    let account =
        gateway.logins.use_link(&link, now).filter(|user| gateway.people.now().is_user(user));
    let account = account.ok_or_else(|| gateway.login_failed())?;
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    welcome(gateway, &Proof::Account(account), device, &mut answer).await;
    Ok(answer)
}

/// Logs a browser in: adds a login, and its cookie to the answer.
pub(super) async fn welcome(
    gateway: &Gateway,
    proof: &Proof,
    device: String,
    answer: &mut Response<Body>,
) {
    let known = gateway.people.now();
    let Some(user) = user_of(proof, &known) else { return };
    match gateway.logins.add(proof, device.clone(), clock::now()).await {
        Ok(cookie) => {
            let person = Person { proof: proof.clone(), user: user.to_owned(), login: None };
            gateway.metrics.login("accepted");
            Audit::logged_in(&person, &device);
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                answer.headers_mut().append(header::SET_COOKIE, cookie);
            }
            // What gave way to it.
            cut_logins(gateway);
        }
        Err(error) => {
            terminal_lobby::cli::output::error(&format!("a login was not kept: {error}"));
            *answer =
                answer::failed(StatusCode::INTERNAL_SERVER_ERROR, "the login could not be kept");
        }
    }
}

/// What a person asks that the gateway answers itself.
pub(super) async fn of_person(
    gateway: &Gateway,
    pass: &Pass,
    path: &str,
    request: &Request<Incoming>,
) -> Result<Option<Response<Body>>, Refusal> {
    let has_logins = gateway.settings.mode != Mode::Proxy;
    let is = |method: Method| {
        *request.method() == method && !request.headers().contains_key(header::UPGRADE)
    };
    if path == "/api/me" {
        return if is(Method::GET) { Ok(Some(me(gateway, pass))) } else { Err(Refusal::Method) };
    }
    let is_own = has_logins && pass.is_own();
    let id = path.strip_prefix("/api/logins/").and_then(|rest| rest.strip_suffix("/revoke"));
    match (path, id) {
        ("/api/people", _) if pass.is_own() && is(Method::GET) => {
            let known = gateway.people.now();
            Ok(Some(answer::json(&known.users().collect::<Vec<_>>())))
        }
        ("/api/logins", _) if is_own && is(Method::GET) => {
            let person = &pass.person;
            let own = gateway.logins.of(&person.proof, person.login.as_deref(), clock::now());
            Ok(Some(answer::json(&own)))
        }
        ("/api/logout", _) if is_own && is(Method::POST) => {
            let Some(id) = pass.person.login.clone() else { return Err(Refusal::NotLoggedIn) };
            let mut answer = revoke(gateway, &pass.person, &id, "logout").await?;
            if let Ok(cookie) = HeaderValue::from_str(&gateway.logins.forget()) {
                answer.headers_mut().append(header::SET_COOKIE, cookie);
            }
            Ok(Some(answer))
        }
        (_, Some(id)) if is_own && is(Method::POST) => {
            revoke(gateway, &pass.person, id, "revoke").await.map(Some)
        }
        ("/api/login" | "/api/logins" | "/api/logout" | "/api/people", _) | (_, Some(_)) => {
            Err(Refusal::NoSuchPath)
        }
        _ => Ok(None),
    }
}

async fn revoke(
    gateway: &Gateway,
    person: &Person,
    id: &str,
    what: &'static str,
) -> Result<Response<Body>, Refusal> {
    match gateway.logins.revoke(&person.proof, id).await {
        Ok(true) => {
            Audit::logged_out(person, what);
            cut_logins(gateway);
            let mut answer = Response::new(Body::empty());
            *answer.status_mut() = StatusCode::NO_CONTENT;
            Ok(answer)
        }
        Ok(false) => Err(Refusal::NoSuchPath),
        Err(error) => {
            // It is gone from memory at least.
            cut_logins(gateway);
            terminal_lobby::cli::output::error(&format!("a revocation was not kept: {error}"));
            Ok(answer::failed(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the login is revoked, but a restart of the lobby may bring it back: its disk cannot be written",
            ))
        }
    }
}

/// Cuts what is open for logins that are no more.
pub(super) fn cut_logins(gateway: &Gateway) {
    let now = clock::now();
    let is_good =
        |pass: &Pass| pass.person.login.as_ref().is_none_or(|id| gateway.logins.has(id, now));
    let cut = gateway.open.cut(CUT, is_good);
    gateway.metrics.cuts.inc_by(cut as u64);
}

fn me(gateway: &Gateway, pass: &Pass) -> Response<Body> {
    let known = gateway.people.now();
    let admin = known.is_admin(&pass.person.user) && pass.via != Via::Share;
    answer::json(&Me {
        user: &pass.target,
        host: &gateway.host,
        actor: &pass.person.user,
        access: agents::access(pass),
        admin,
        users: if admin { known.users().collect() } else { Vec::new() },
        mode: gateway.settings.mode.word(),
        logins: gateway.settings.mode != Mode::Proxy,
    })
}
