//! Who a request is from.

use super::known::Known;
use crate::auth::Secret;
use crate::gateway::audit::Audit;
use crate::gateway::login::logins::user_of;
use crate::gateway::open::{Person, Proof};
use crate::gateway::refusal::Refusal;
use crate::gateway::settings::{Mode, Proxy};
use crate::gateway::state::Gateway;
use axum::http::{HeaderMap, HeaderName};
use std::net::IpAddr;
use terminal_lobby::sys::clock;

/// The longest identity, in bytes.
const MAX_IDENTITY: usize = 256;

/// What is known of the other side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// TCP: anybody on this host, from this address.
    Anybody(IpAddr),
    /// A Unix socket, by the kernel's word.
    Account(u32),
}

/// Whether a request comes from the login proxy.
pub(crate) fn comes_from_proxy(
    proxy: &Proxy,
    secret: Option<&Secret>,
    proxy_uid: Option<u32>,
    peer: Peer,
    headers: &HeaderMap,
) -> bool {
    match peer {
        Peer::Account(uid) => proxy_uid == Some(uid),
        Peer::Anybody(_) => {
            let sent = only(headers, &proxy.secret_header).ok().flatten();
            secret.is_some_and(|secret| sent.is_some_and(|sent| secret.is(sent)))
        }
    }
}

/// The identity that the login proxy names; `None` if it names none.
fn identity<'a>(proxy: &Proxy, headers: &'a HeaderMap) -> Result<Option<&'a str>, Refusal> {
    let Some(identity) = only(headers, &proxy.header)? else { return Ok(None) };
    // Some programs join two headers with a comma.
    let is_name = |c: char| !c.is_control() && c != ',' && !c.is_whitespace();
    if identity.is_empty() || identity.len() > MAX_IDENTITY || !identity.chars().all(is_name) {
        return Err(Refusal::Header);
    }
    Ok(Some(identity))
}

/// The identity that the login proxy names, if it names one.
pub(crate) fn named<'a>(proxy: &Proxy, headers: &'a HeaderMap) -> Option<&'a str> {
    identity(proxy, headers).ok().flatten()
}

/// The value of a header that may be there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::Header);
    }
    std::str::from_utf8(value.as_bytes()).map(Some).map_err(|_| Refusal::Header)
}

/// The person that a request is from.
pub(crate) async fn person(gateway: &Gateway, headers: &HeaderMap) -> Result<Person, Refusal> {
    let known = gateway.people.now();
    let Some(proxy) = &gateway.settings.proxy else {
        return of_login(gateway, headers, &known).await;
    };
    let Some(identity) = identity(proxy, headers)? else { return Err(Refusal::NotLoggedIn) };
    if known.unreadable.is_some() {
        return Err(Refusal::Unreadable);
    }
    let Some(user) = known.user_of(identity) else {
        Audit::unknown(identity);
        return Err(Refusal::Unknown);
    };
    let proof = Proof::Identity(identity.to_owned());
    Ok(Person { proof, user: user.to_owned(), login: None })
}

async fn of_login(
    gateway: &Gateway,
    headers: &HeaderMap,
    known: &Known,
) -> Result<Person, Refusal> {
    if known.unreadable.is_some() {
        return Err(Refusal::Unreadable);
    }
    let found = gateway.logins.find(headers, known, clock::now());
    let (person, is_worth_writing) = found.ok_or(Refusal::NotLoggedIn)?;
    if is_worth_writing && let Err(error) = gateway.logins.write().await {
        tracing::warn!(%error, "the use of a login was not written");
    }
    Ok(person)
}

/// Whether what is open for a person may go on.
pub(crate) fn may_go_on(gateway: &Gateway, known: &Known, person: &Person) -> bool {
    let is_same = user_of(&person.proof, known) == Some(&person.user);
    let has_login = |id: &String| gateway.logins.has(id, clock::now());
    is_same
        && (gateway.settings.mode == Mode::Proxy || person.login.as_ref().is_some_and(has_login))
}
