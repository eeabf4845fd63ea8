//! Logging in by an OpenID Connect provider: the two pages of it.
//!
//! What a login needs when the browser comes back is in a cookie of that browser, so nothing is kept for logins that
//! are only begun. That cookie is `SameSite=Lax`, since the provider's page leads here; the cookie of the login is
//! `Strict`, which is enough: the page itself needs none, and asks from its own origin.

use super::logins::cookies;
use super::provider::OidcError;
use crate::auth::Secret;
use crate::auth::device::device;
use crate::gateway::audit::Audit;
use crate::gateway::open::Proof;
use crate::gateway::refusal::Refusal;
use crate::gateway::requests::welcome;
use crate::gateway::state::Gateway;
use axum::body::Body;
use axum::http::header::{self, HeaderValue};
use axum::http::{Method, Request, Response, StatusCode};
use openidconnect::url::form_urlencoded;
use std::time::Duration;
use terminal_lobby::cli::output;
use terminal_lobby::text::escape;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How long a login may take the person, in seconds.
const SECONDS: u32 = 600;
/// The longest query, in bytes.
const MAX_QUERY: usize = 8 << 10;

/// How many codes are exchanged at once: the provider is not to be flooded by what somebody sends here.
static EXCHANGES: Semaphore = Semaphore::const_new(16);
/// How long a login waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers `/login` and `/login/callback`.
pub(crate) async fn page<B>(
    gateway: &Gateway,
    request: &Request<B>,
) -> Result<Response<Body>, Refusal> {
    let Some(provider) = &gateway.provider else { return Err(Refusal::NoSuchPath) };
    if *request.method() != Method::GET || request.headers().contains_key(header::UPGRADE) {
        return Err(Refusal::Method);
    }
    let is_secure = gateway.settings.site.is_secure();
    let name = if is_secure { "__Host-lobby-login" } else { "lobby-login" };
    let secure = if is_secure { "; Secure" } else { "" };
    let cookie = |value: &str, seconds: u32| {
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
    };
    if request.uri().path() == "/login" {
        return Ok(match provider.begin().await {
            Ok(begun) => {
                let value = format!("{}.{}.{}", begun.state, begun.nonce, begun.verifier);
                redirect(&begun.url, &[cookie(&value, SECONDS)])
            }
            Err(error) => failed(gateway, &error),
        });
    }
    let mut answer = match returned(gateway, request, name) {
        Ok(returned) => {
            let turn = timeout(PATIENCE, EXCHANGES.acquire()).await;
            let Ok(Ok(_turn)) = turn else { return Err(Refusal::TooManyLogins) };
            match provider.end(returned.code, returned.nonce, returned.verifier).await {
                Ok(identity) => come_in(gateway, identity, request).await,
                Err(error) => failed(gateway, &error),
            }
        }
        Err(why) => {
            gateway.metrics.login("refused");
            text(StatusCode::BAD_REQUEST, why)
        }
    };
    if let Ok(forgotten) = HeaderValue::from_str(&cookie("", 0)) {
        answer.headers_mut().append(header::SET_COOKIE, forgotten);
    }
    Ok(answer)
}

/// What a browser brings back.
struct Returned {
    code: String,
    nonce: String,
    verifier: String,
}

/// Checks that the browser that comes back is the one that was sent, and that the provider is ours.
fn returned<B>(
    gateway: &Gateway,
    request: &Request<B>,
    name: &'static str,
) -> Result<Returned, &'static str> {
    const OTHER: &str = "this login was not begun in this browser, or too long ago";
    let query = request.uri().query().unwrap_or_default();
    if query.len() > MAX_QUERY {
        return Err("the provider's answer is not valid");
    }
    let only = |name: &str| {
        let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(own, _)| own == name);
        let value = values.next().map(|(_, value)| value.into_owned());
        if values.next().is_some() { Err("the provider's answer is not valid") } else { Ok(value) }
    };
    let mut own = cookies(request.headers(), name);
    let (cookie, None) = (own.next().ok_or(OTHER)?, own.next()) else { return Err(OTHER) };
    let mut parts = cookie.split('.');
    let (Some(state), Some(nonce), Some(verifier), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(OTHER);
    };
    let given = only("state")?.ok_or("the provider's answer is not valid")?;
    if state.is_empty() || !Secret::of(state).is(&given) {
        return Err(OTHER);
    }
    // RFC 9207: an answer of another provider's.
    let issuer = gateway.provider.as_ref().map(super::provider::Provider::issuer);
    if only("iss")?.is_some_and(|iss| Some(iss.as_str()) != issuer) {
        return Err("the answer is of another provider");
    }
    if only("error")?.is_some() {
        return Err("the provider did not log you in");
    }
    let code = only("code")?
        .filter(|code| !code.is_empty())
        .ok_or("the provider's answer is not valid")?;
    Ok(Returned { code, nonce: nonce.to_owned(), verifier: verifier.to_owned() })
}

async fn come_in<B>(gateway: &Gateway, identity: String, request: &Request<B>) -> Response<Body> {
    let known = gateway.people.now();
    if known.unreadable.is_some() {
        return text(StatusCode::SERVICE_UNAVAILABLE, Refusal::Unreadable.sentence());
    }
    if known.user_of(&identity).is_none() {
        gateway.metrics.login("refused");
        Audit::unknown(&identity);
        return text(StatusCode::FORBIDDEN, Refusal::Unknown.sentence());
    }
    let mut answer = redirect("/", &[]);
    welcome(gateway, &Proof::Identity(identity), device(request.headers()), &mut answer).await;
    answer
}

fn failed(gateway: &Gateway, error: &OidcError) -> Response<Body> {
    gateway.metrics.login("failed");
    output::warning(&format!("a login failed: {}", escape(error.to_string().as_bytes())));
    match error {
        OidcError::Discovery(_) | OidcError::Slow | OidcError::Http(_) => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "the login provider cannot be reached; try again in a minute",
        ),
        OidcError::Claim(_) => {
            text(StatusCode::FORBIDDEN, "the login provider does not say who you are")
        }
        _ => text(StatusCode::BAD_GATEWAY, "the login provider's answer is not valid"),
    }
}

/// Leads elsewhere: to the provider, or to our own page.
fn redirect(to: &str, set: &[String]) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(to) = HeaderValue::from_str(to) {
        headers.insert(header::LOCATION, to);
    }
    for cookie in set.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
        headers.append(header::SET_COOKIE, cookie);
    }
    answer
}

/// A page with one sentence of ours.
fn text(status: StatusCode, sentence: &str) -> Response<Body> {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Lobby</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><h1>Not logged in</h1><p>{sentence}.</p>\
         <p><a href=\"/login\">Log in</a></p></html>"
    );
    let mut answer = Response::new(Body::from(page));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    }
    answer
}
