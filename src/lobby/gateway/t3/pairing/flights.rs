//! Which pairings run, which ended just now, and who has to wait.

use super::turns::Turns;
use crate::gateway::open::Proof;
use crate::gateway::t3::failure::Failure;
use crate::gateway::t3::headers::cookies::Session;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use terminal_lobby::t3::table::Instance;
use tokio::sync::watch;

/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// How many pairings of one user may succeed in a minute: more go in circles.
const MOST_IN_A_MINUTE: usize = 12;
const MINUTE: Duration = Duration::from_mins(1);

/// A browser's new session, and the cookie that gives it.
#[derive(Debug, Clone)]
pub(in crate::gateway::t3) struct Paired {
    pub(in crate::gateway::t3) session: Session,
    pub(in crate::gateway::t3) set_cookie: String,
}

/// Why a browser was not paired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::gateway::t3) enum Unpaired {
    /// The instance does not answer; no credential was asked for.
    Instance(Failure),
    /// No credential.
    Mint,
    /// No credential: the program's version is not that of the instance.
    OtherVersion,
    /// The instance took no credential.
    Exchange,
    /// Its answer set no cookie.
    NoCookie,
    /// It failed just before.
    Waits(Duration),
    /// It succeeds again and again.
    Loops,
}

impl Unpaired {
    pub(in crate::gateway::t3) const WORDS: [&'static str; 7] =
        ["instance", "mint", "other_version", "exchange", "no_cookie", "waits", "loops"];

    pub(in crate::gateway::t3) fn word(self) -> &'static str {
        match self {
            Self::Instance(_) => "instance",
            Self::Mint => "mint",
            Self::OtherVersion => "other_version",
            Self::Exchange => "exchange",
            Self::NoCookie => "no_cookie",
            Self::Waits(_) => "waits",
            Self::Loops => "loops",
        }
    }
}

pub(super) type Outcome = Result<Paired, Unpaired>;

/// Whose pairing it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) proof: Proof,
    pub(super) login: Option<String>,
    pub(super) instance: Instance,
}

#[derive(Debug)]
pub(super) struct Flight {
    pub(super) number: u64,
    pub(super) outcome: watch::Receiver<Option<Outcome>>,
}

#[derive(Debug, Default)]
struct Failures {
    count: u32,
    until: Option<Instant>,
}

/// All pairings.
#[derive(Debug, Default)]
pub(in crate::gateway::t3) struct Pairings {
    state: Mutex<State>,
    pub(super) turns: Turns,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) next: u64,
    pub(super) flights: HashMap<Key, Flight>,
    failures: HashMap<String, Failures>,
    succeeded: HashMap<String, Vec<Instant>>,
}

impl Pairings {
    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Why a user has to wait, if so.
    pub(super) fn waits(&self, user: &str) -> Option<Unpaired> {
        let now = Instant::now();
        let until = self.failures.get(user).and_then(|failures| failures.until);
        if let Some(until) = until.filter(|until| *until > now) {
            return Some(Unpaired::Waits(until - now));
        }
        let recent = self.succeeded.get(user).into_iter().flatten();
        let recent = recent.filter(|at| now.duration_since(**at) < MINUTE).count();
        (recent >= MOST_IN_A_MINUTE).then_some(Unpaired::Loops)
    }

    pub(super) fn ended(&mut self, user: &str, outcome: &Outcome) {
        let now = Instant::now();
        match outcome {
            Ok(_) => {
                self.failures.remove(user);
                let all = self.succeeded.entry(user.to_owned()).or_default();
                all.retain(|at| now.duration_since(*at) < MINUTE);
                all.push(now);
            }
            // It starts: it may be there at the next moment.
            Err(Unpaired::Instance(_)) => {}
            Err(_) => {
                let failures = self.failures.entry(user.to_owned()).or_default();
                failures.count += 1;
                failures.until = Some(now + pause(failures.count));
            }
        }
    }
}

/// The pause after so many failures in a row.
fn pause(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.clamp(1, 7).saturating_sub(1)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute() {
        let all: Vec<u64> = (0..9).map(|count| pause(count).as_secs()).collect();
        assert_eq!(all, [1, 1, 2, 4, 8, 16, 32, 60, 60]);
    }
}
