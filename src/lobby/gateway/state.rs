//! What the gateway has.

use super::audit::Audit;
use super::login::logins::Logins;
use super::login::provider::Provider;
use super::metrics::Metrics;
use super::open::{Open, Pass};
use super::people::People;
use super::refusal::Refusal;
use super::relay::awake::Awake;
use super::relay::seen::Seen;
use super::settings::Settings;
use super::share::index::Index;
use super::t3::T3;
use crate::auth::{Attempts, Origins, Secret, Tickets};
use std::sync::Arc;
use terminal_lobby::sys::clock::Epoch;

/// The gateway; a clone is the same one.
#[derive(Clone)]
pub(crate) struct Gateway(Arc<Parts>);

/// The parts of the gateway.
pub(crate) struct Parts {
    pub(crate) settings: Settings,
    pub(crate) origins: Origins,
    pub(crate) people: People,
    pub(crate) open: Open,
    pub(crate) logins: Logins,
    pub(crate) metrics: Metrics,
    /// Unless T3 Code is not served.
    pub(crate) t3: Option<T3>,
    pub(crate) audit: Audit,
    pub(crate) agents_seen: Seen,
    pub(crate) awake: Awake,
    pub(crate) index: Index,
    pub(crate) tickets: Tickets<Pass>,
    pub(crate) provider: Option<Provider>,
    /// What the login proxy has to send over TCP.
    pub(crate) proxy_secret: Option<Secret>,
    /// The account of the login proxy on a Unix socket.
    pub(crate) proxy_uid: Option<u32>,
    pub(super) failed_logins: Attempts,
    pub(crate) host: String,
    pub(crate) started: Epoch,
}

impl Gateway {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Counts a login that failed, and says how it is refused. Only what failed counts: who guesses keeps no one out.
    pub(super) fn login_failed(&self) -> Refusal {
        if self.failed_logins.one_more(self.settings.limits.failed_logins_per_minute) {
            self.metrics.login("refused");
            return Refusal::NotLoggedIn;
        }
        self.metrics.login("too_many");
        Refusal::TooManyLogins
    }
}

impl std::ops::Deref for Gateway {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
