//! Metrics of T3 Code behind the gateway. Every value of a label is printed from the start, so that a first failure is a
//! rise.

use super::failure::Failure;
use super::pairing::flights::Unpaired;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// Upper bounds of times until an answer begins, in seconds.
const ANSWER: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];
/// Upper bounds of times that pairing takes, in seconds.
const PAIRING: [f64; 8] = [0.05, 0.1, 0.25, 1.0, 2.5, 5.0, 10.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct End {
    side: &'static str,
    cause: &'static str,
}

/// The metrics.
#[derive(Debug)]
pub(crate) struct T3Metrics {
    pairings: Family<Outcome, Counter>,
    pub(super) fallbacks: Counter,
    pub(super) loops: Counter,
    pairing_time: Histogram,
    failures: Family<Reason, Counter>,
    answer_time: Histogram,
    pub(super) sockets: Gauge,
    ends: Family<End, Counter>,
    table_is_readable: Gauge,
    instances: Gauge,
}

impl T3Metrics {
    /// New ones; registered if there is T3 Code.
    pub(crate) fn new(registry: &mut Registry, is_served: bool) -> Self {
        let new = Self {
            pairings: Family::default(),
            fallbacks: Counter::default(),
            loops: Counter::default(),
            pairing_time: Histogram::new(PAIRING),
            failures: Family::default(),
            answer_time: Histogram::new(ANSWER),
            sockets: Gauge::default(),
            ends: Family::default(),
            table_is_readable: Gauge::default(),
            instances: Gauge::default(),
        };
        if is_served {
            new.register(registry.sub_registry_with_prefix("t3"));
        }
        new
    }

    fn register(&self, registry: &mut Registry) {
        for outcome in Unpaired::WORDS.into_iter().chain(["paired"]) {
            let _ = self.pairings.get_or_create(&Outcome { outcome });
        }
        for failure in Failure::ALL {
            let _ = self.failures.get_or_create(&Reason { reason: failure.word() });
        }
        registry.register("pairings", "Pairings of browsers, by outcome", self.pairings.clone());
        registry.register(
            "fallbacks",
            "Pairings by the older of the two addresses for credentials",
            self.fallbacks.clone(),
        );
        registry.register("loops", "Redirects that were given up", self.loops.clone());
        registry.register("pairing_seconds", "Time that pairings took", self.pairing_time.clone());
        registry.register(
            "failures",
            "Requests that an instance did not answer, by reason",
            self.failures.clone(),
        );
        registry.register(
            "answer_seconds",
            "Time until an instance's answer began",
            self.answer_time.clone(),
        );
        registry.register("sockets", "Open WebSockets to instances", self.sockets.clone());
        registry.register(
            "socket_ends",
            "Ends of WebSockets, by side and cause",
            self.ends.clone(),
        );
        registry.register(
            "table_readable",
            "1 if the tables of instances can be read",
            self.table_is_readable.clone(),
        );
        registry.register("instances", "Users with an instance", self.instances.clone());
    }

    pub(super) fn paired(&self, outcome: &'static str, time: Duration) {
        self.pairings.get_or_create(&Outcome { outcome }).inc();
        self.pairing_time.observe(time.as_secs_f64());
    }

    pub(super) fn answered(&self, time: Duration, failure: Option<Failure>) {
        match failure {
            None => self.answer_time.observe(time.as_secs_f64()),
            Some(failure) => {
                self.failures.get_or_create(&Reason { reason: failure.word() }).inc();
            }
        }
    }

    pub(super) fn ended(&self, side: &'static str, cause: &'static str) {
        self.ends.get_or_create(&End { side, cause }).inc();
    }

    pub(super) fn tables(&self, are_readable: bool, instances: usize) {
        self.table_is_readable.set(are_readable.into());
        self.instances.set(i64::try_from(instances).unwrap_or(i64::MAX));
    }
}
