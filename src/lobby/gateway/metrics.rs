//! Metrics for Prometheus. No label has a value that a user chooses.

use super::refusal::Refusal;
use super::relay::failure::Failure;
use super::t3::T3Metrics;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// Upper bounds of the latency of passing through, in seconds.
const BUCKETS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Status {
    class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Done {
    event: &'static str,
}

/// The metrics, and the registry that names them.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Status, Counter>,
    pub(super) connections: Gauge,
    pub(super) views: Gauge,
    refusals: Family<Reason, Counter>,
    logins: Family<Outcome, Counter>,
    failures: Family<Reason, Counter>,
    pub(super) cuts: Counter,
    shares: Family<Done, Counter>,
    passing: Histogram,
    pub(super) map_is_readable: Gauge,
    pub(super) users: Gauge,
    pub(super) t3: T3Metrics,
}

impl Metrics {
    /// None of it has happened yet; those of T3 Code are there only if it is served.
    pub(super) fn new(serves_t3: bool) -> Self {
        let mut registry = Registry::with_prefix("lobby");
        let new = Self {
            t3: T3Metrics::new(&mut registry, serves_t3),
            registry,
            requests: Family::default(),
            connections: Gauge::default(),
            views: Gauge::default(),
            refusals: Family::default(),
            logins: Family::default(),
            failures: Family::default(),
            cuts: Counter::default(),
            shares: Family::default(),
            passing: Histogram::new(BUCKETS),
            map_is_readable: Gauge::default(),
            users: Gauge::default(),
        };
        new.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("requests", "Requests, by class of status", self.requests.clone());
        registry.register("connections", "Open connections", self.connections.clone());
        registry.register("views", "Open WebSockets", self.views.clone());
        registry.register("refusals", "Refused requests, by reason", self.refusals.clone());
        registry.register("logins", "Logins, by outcome", self.logins.clone());
        registry.register(
            "agent_failures",
            "Requests that an agent did not answer, by reason",
            self.failures.clone(),
        );
        registry.register("cuts", "Requests and WebSockets that were cut", self.cuts.clone());
        registry.register("shares", "What was done with shares and links", self.shares.clone());
        registry.register(
            "agent_answer_seconds",
            "Time until an agent's answer began",
            self.passing.clone(),
        );
        registry.register(
            "user_map_readable",
            "1 if the user map can be read",
            self.map_is_readable.clone(),
        );
        registry.register("users", "Users that may come in", self.users.clone());
        self
    }

    pub(super) fn answered(&self, status: u16) {
        let class = match status / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        self.requests.get_or_create(&Status { class }).inc();
    }

    pub(super) fn refused(&self, refusal: Refusal) {
        self.refusals.get_or_create(&Reason { reason: refusal.word() }).inc();
    }

    pub(super) fn login(&self, outcome: &'static str) {
        self.logins.get_or_create(&Outcome { outcome }).inc();
    }

    pub(super) fn shared(&self, event: &'static str) {
        self.shares.get_or_create(&Done { event }).inc();
    }

    pub(super) fn passed(&self, time: Duration, failure: Option<Failure>) {
        match failure {
            None => self.passing.observe(time.as_secs_f64()),
            Some(failure) => {
                self.failures.get_or_create(&Reason { reason: failure.word() }).inc();
            }
        }
    }

    /// All of them, in the text format.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        if text::encode(&mut out, &self.registry).is_err() {
            out.clear(); // writing to a string does not fail
        }
        out
    }
}

/// Counts one thing that is open, until it is dropped.
#[derive(Debug)]
pub(super) struct Counted(Gauge);

impl Counted {
    pub(super) fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
