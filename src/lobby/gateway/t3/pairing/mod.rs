//! Pairing: a browser without a session gets one by a credential that is made for its user.
//!
//! All navigations of one login that come while a pairing runs, or shortly after it, wait for that one and get its
//! session: they are one person's, in one browser or behind one proxy.

mod exchange;
pub(super) mod flights;
mod mint;
mod turns;

use super::failure::Failure;
use super::headers::cookies::Session;
use super::parts::T3;
use super::{check, journal};
use crate::gateway::open::Person;
use crate::gateway::state::Gateway;
use exchange::Exchanged;
use flights::{Flight, Key, Outcome, Paired, Unpaired};
use std::time::{Duration, Instant};
use terminal_lobby::t3::table::Instance;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How long a session is given to further navigations of the same login.
const LINGER: Duration = Duration::from_secs(10);
/// How long an exchange may take with all its tries.
const EXCHANGE: Duration = Duration::from_secs(15);
/// Pairs the browser of a person; `had` are the sessions that it has, none of which is good.
pub(super) async fn pair(
    gateway: &Gateway,
    person: &Person,
    instance: &Instance,
    had: &[Session],
) -> Outcome {
    let Some(t3) = &gateway.t3 else { return Err(Unpaired::Mint) };
    let (proof, login) = (person.proof.clone(), person.login.clone());
    let key = Key { proof, login, instance: instance.clone() };
    if let Some(paired) = just_now(t3, &key, had).await {
        return Ok(paired);
    }
    let mut outcome = {
        let mut state = t3.pairings.lock();
        let running = state.flights.get(&key).filter(|flight| flight.outcome.borrow().is_none());
        if let Some(flight) = running {
            flight.outcome.clone()
        } else {
            if let Some(waits) = state.waits(&person.user) {
                gateway.metrics.t3.paired(waits.word(), Duration::ZERO);
                return Err(waits);
            }
            let (sender, outcome) = watch::channel(None);
            let number = state.next;
            state.next += 1;
            state.flights.insert(key.clone(), Flight { number, outcome: outcome.clone() });
            let (gateway, person) = (gateway.clone(), person.clone());
            tokio::spawn(fly(gateway, person, key, number, sender));
            outcome
        }
    };
    let ended = outcome.wait_for(Option::is_some).await;
    ended.ok().and_then(|outcome| outcome.clone()).unwrap_or(Err(Unpaired::Mint))
}

/// The session of a pairing that ended just now, if it is good, and not what the browser has.
async fn just_now(t3: &T3, key: &Key, had: &[Session]) -> Option<Paired> {
    let (number, paired) = {
        let state = t3.pairings.lock();
        let flight = state.flights.get(key)?;
        let outcome = flight.outcome.borrow();
        (flight.number, outcome.as_ref()?.as_ref().ok()?.clone())
    };
    if !had.contains(&paired.session) && check::is_good(t3, &key.instance, &paired.session).await {
        return Some(paired);
    }
    let mut state = t3.pairings.lock();
    if state.flights.get(key).is_some_and(|flight| flight.number == number) {
        state.flights.remove(key);
    }
    None
}

/// Runs a pairing to its end, even if no request waits for it any more.
async fn fly(
    gateway: Gateway,
    person: Person,
    key: Key,
    number: u64,
    sender: watch::Sender<Option<Outcome>>,
) {
    let Some(t3) = &gateway.t3 else { return };
    let begin = Instant::now();
    let turn = t3.pairings.turns.of(&person.user);
    let patience = t3.settings.mint() + EXCHANGE;
    let outcome = match timeout(patience, turn.lock()).await {
        Ok(_turn) => run(&gateway, t3, &person, &key.instance, begin).await,
        Err(_) => Err(Unpaired::Mint),
    };
    let word = outcome.as_ref().map_or_else(|unpaired| unpaired.word(), |_| "paired");
    gateway.metrics.t3.paired(word, begin.elapsed());
    let has_failed = outcome.is_err();
    t3.pairings.lock().ended(&person.user, &outcome);
    sender.send_replace(Some(outcome));
    if !has_failed {
        sleep(LINGER).await;
    }
    let mut state = t3.pairings.lock();
    if state.flights.get(&key).is_some_and(|flight| flight.number == number) {
        state.flights.remove(&key);
    }
}

async fn run(
    gateway: &Gateway,
    t3: &T3,
    person: &Person,
    instance: &Instance,
    begin: Instant,
) -> Outcome {
    let user = &instance.os_user;
    // A credential is of no use to an instance that does not answer.
    let name = check::name(t3, instance).await.map_err(|failure| {
        if failure == Failure::Foreign {
            journal::foreign_port(person, instance.port);
        }
        Unpaired::Instance(failure)
    })?;
    let credential = mint::credential(&t3.settings, user).await.map_err(|error| {
        journal::not_paired(person, &format!("mint for {user} failed: {error}"));
        error.unpaired()
    })?;
    let exchanged = exchange::exchange(t3, instance, &credential, name.as_deref());
    let exchanged = timeout(EXCHANGE, exchanged).await;
    match exchanged.unwrap_or(Err(exchange::ExchangeError::Slow)) {
        Ok(Exchanged { session, set_cookie, endpoint, is_fallback }) => {
            journal::paired(person, endpoint, is_fallback, begin.elapsed());
            if is_fallback {
                gateway.metrics.t3.fallbacks.inc();
            }
            Ok(Paired { session, set_cookie })
        }
        Err(error) => {
            journal::not_paired(person, &error.message(user));
            Err(error.unpaired())
        }
    }
}
