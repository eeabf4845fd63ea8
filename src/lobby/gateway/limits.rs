//! The bounds of everything that others can make the gateway hold or wait for.

use serde::Deserialize;
use std::time::Duration;

/// The section `[limits]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Open connections of all browsers.
    pub(crate) connections: usize,
    /// Requests and WebSockets of one user at once.
    pub(crate) connections_per_user: usize,
    pub(crate) header_bytes: usize,
    pub(crate) header_seconds: u64,
    pub(crate) body_bytes: usize,
    pub(crate) stalled_seconds: u64,
    pub(crate) agent_seconds: u64,
    pub(crate) logins_per_user: usize,
    pub(crate) login_days: u64,
    pub(crate) login_idle_days: u64,
    pub(crate) failed_logins_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_user: 500,
            header_bytes: 16 << 10,
            header_seconds: 10,
            body_bytes: 1 << 20,
            stalled_seconds: 30,
            agent_seconds: 10,
            logins_per_user: 20,
            login_days: 30,
            login_idle_days: 7,
            failed_logins_per_minute: 120,
        }
    }
}

impl Limits {
    pub(crate) fn header_time(&self) -> Duration {
        Duration::from_secs(self.header_seconds)
    }

    pub(crate) fn stalled(&self) -> Duration {
        Duration::from_secs(self.stalled_seconds)
    }

    pub(crate) fn agent(&self) -> Duration {
        Duration::from_secs(self.agent_seconds)
    }

    /// The first limit with which nothing could work, and why.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let is_zero = [
            ("connections", self.connections == 0),
            ("connections_per_user", self.connections_per_user == 0),
            ("header_seconds", self.header_seconds == 0),
            ("stalled_seconds", self.stalled_seconds == 0),
            ("agent_seconds", self.agent_seconds == 0),
            ("logins_per_user", self.logins_per_user == 0),
            ("login_days", self.login_days == 0),
            ("login_idle_days", self.login_idle_days == 0),
            ("failed_logins_per_minute", self.failed_logins_per_minute == 0),
        ];
        if let Some((key, _)) = is_zero.into_iter().find(|(_, is_zero)| *is_zero) {
            return Some((key, "at least 1"));
        }
        if self.header_bytes < 8 << 10 {
            return Some(("header_bytes", "at least 8192"));
        }
        if self.body_bytes < 64 << 10 {
            return Some(("body_bytes", "at least 65536"));
        }
        None
    }
}
