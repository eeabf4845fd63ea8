//! Metrics for Prometheus' node exporter (text exposition format 0.0.4). Users control nothing in it
//! but numbers; names come from the map (pure).

use super::user_status::UserStatus;
use crate::events::{CAUSES, Cause, KINDS, Kind};
use crate::persist::report::{EventCounts, SaveResult, ServerState, StatusReport};
use crate::sys::clock::Epoch;
use std::fmt::Write;

/// A metric with one value for a user.
struct Metric {
    name: &'static str,
    help: &'static str,
    kind: &'static str,
    /// `None` if there is no value for the user.
    value: fn(&UserStatus) -> Option<String>,
}

const METRICS: [Metric; 17] = [
    Metric {
        name: "last_good_save_timestamp_seconds",
        help: "When a save last succeeded (saved, unchanged, or nothing to save).",
        kind: "gauge",
        value: |user| time(user.status.last_good_save),
    },
    Metric {
        name: "last_save_timestamp_seconds",
        help: "When a save was last attempted.",
        kind: "gauge",
        value: |user| time(user.status.last_save),
    },
    Metric {
        name: "last_save_success",
        help: "Whether the last save succeeded.",
        kind: "gauge",
        value: |user| {
            let result = user.status.last_result?;
            Some(flag(result != SaveResult::Failed))
        },
    },
    Metric {
        name: "last_save_duration_seconds",
        help: "How long the last save took.",
        kind: "gauge",
        value: |user| user.status.last_save.map(|_| seconds(user.status.last_save_ms)),
    },
    Metric {
        name: "save_overdue",
        help: "Whether a tmux server has run for longer than the limit without a good save.",
        kind: "gauge",
        value: |user| Some(flag(user.save_overdue)),
    },
    Metric {
        name: "save_failures_since_good",
        help: "Saves that failed since the last good one.",
        kind: "gauge",
        value: |user| Some(user.status.failures_since_good.to_string()),
    },
    Metric {
        name: "snapshot_timestamp_seconds",
        help: "When the newest valid snapshot was taken.",
        kind: "gauge",
        value: |user| time(user.status.taken),
    },
    Metric {
        name: "confirmed_timestamp_seconds",
        help: "When the newest snapshot last matched the live sessions.",
        kind: "gauge",
        value: |user| time(user.status.confirmed),
    },
    Metric {
        name: "server_running",
        help: "Whether a tmux server of the user is running.",
        kind: "gauge",
        value: |user| Some(flag(user.status.server == ServerState::Running)),
    },
    Metric {
        name: "not_restored",
        help: "Whether the user's sessions were not restored when the host came up.",
        kind: "gauge",
        value: |user| Some(flag(user.status.must_be_restored())),
    },
    Metric {
        name: "not_restored_sessions",
        help: "Sessions that are missing because of that.",
        kind: "gauge",
        value: |user| Some(user.status.not_restored_sessions.to_string()),
    },
    Metric {
        name: "ended_sessions",
        help: "Sessions that were not closed and whose tmux server has ended, as one that was killed.",
        kind: "gauge",
        value: |user| Some(user.status.ended_sessions.to_string()),
    },
    Metric {
        name: "last_restore_timestamp_seconds",
        help: "When the last restore ended.",
        kind: "gauge",
        value: |user| time(user.status.last_restore),
    },
    Metric {
        name: "last_restore_duration_seconds",
        help: "How long the last restore took.",
        kind: "gauge",
        value: |user| user.status.last_restore.map(|_| seconds(user.status.last_restore_ms)),
    },
    Metric {
        name: "given_back_bytes_total",
        help: "Memory that agents gave back when they were suspended.",
        kind: "counter",
        value: |user| Some(user.status.events.given_back.to_string()),
    },
    Metric {
        name: "memory_warning_timestamp_seconds",
        help: "When the memory of an agent was last found near its limit.",
        kind: "gauge",
        value: |user| time(user.status.events.last_memory_warning),
    },
    Metric {
        name: "status_error",
        help: "Whether the state of the user could not be read.",
        kind: "gauge",
        value: |user| Some(flag(user.status.error.is_some())),
    },
];

type Family = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    fn(&StatusReport) -> Vec<(&'static str, u64)>,
);

/// Metrics with several values for a user, distinguished by one more label.
const FAMILIES: [Family; 8] = [
    (
        "save_failures_total",
        "Saves that failed, as recorded by the user's own processes and by root.",
        "counter",
        "seen_by",
        |standing| {
            vec![("user", standing.failures_recorded), ("root", standing.failures_seen_by_root)]
        },
    ),
    (
        "sessions",
        "Sessions of the newest snapshot, each by its most alive pane.",
        "gauge",
        "state",
        |standing| standing.sessions.named().to_vec(),
    ),
    ("panes", "Panes of the newest snapshot.", "gauge", "state", |standing| {
        standing.panes.named().to_vec()
    }),
    ("agents", "Agents that run, by what they do.", "gauge", "doing", |standing| {
        standing.agents.named().to_vec()
    }),
    ("events_total", "What happened to sessions by itself.", "counter", "kind", |standing| {
        EventCounts::of(&standing.events.kinds, KINDS.map(Kind::word))
    }),
    (
        "deaths_total",
        "Agents and tmux servers that ended and were not closed.",
        "counter",
        "cause",
        |standing| EventCounts::of(&standing.events.deaths, CAUSES.map(Cause::word)),
    ),
    ("notifications_total", "Runs of the site's command.", "counter", "result", |standing| {
        EventCounts::of(&standing.events.notifications, ["done", "failed", "dropped"])
    }),
    ("restored_panes_total", "Panes that restores handled.", "counter", "action", |standing| {
        standing.restored.by_action().to_vec()
    }),
];

/// Renders the metrics of all users.
pub(crate) fn render(users: &[UserStatus], now: Epoch) -> String {
    let mut text = Text(String::new());
    text.family("users", "Users that were examined.", "gauge");
    text.sample("users", &[], &users.len().to_string());
    text.family("status_timestamp_seconds", "When this was written.", "gauge");
    text.sample("status_timestamp_seconds", &[], &now.to_string());
    for metric in &METRICS {
        text.family(metric.name, metric.help, metric.kind);
        for user in users {
            if let Some(value) = (metric.value)(user) {
                text.sample(metric.name, &[("user", user.user())], &value);
            }
        }
    }
    for (name, help, kind, label, values) in FAMILIES {
        text.family(name, help, kind);
        for user in users {
            for (which, value) in values(user.status) {
                let labels = [("user", user.user()), (label, which)];
                text.sample(name, &labels, &value.to_string());
            }
        }
    }
    text.0
}

struct Text(String);

// Writing to a String cannot fail.
impl Text {
    fn family(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(self.0, "# HELP tmux_persist_{name} {help}");
        let _ = writeln!(self.0, "# TYPE tmux_persist_{name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        let _ = write!(self.0, "tmux_persist_{name}");
        for (at, (label, text)) in labels.iter().enumerate() {
            let opening = if at == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{opening}{label}=\"{}\"", escaped(text));
        }
        let closing = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{closing} {value}");
    }
}

/// A label's value: the format knows three escapes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}

fn time(epoch: Option<Epoch>) -> Option<String> {
    epoch.map(|epoch| epoch.to_string())
}

fn flag(value: bool) -> String {
    u8::from(value).to_string()
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_seconds_are_exact() {
        let mut text = Text(String::new());
        text.sample("x", &[("user", "a\"b\\c\nd"), ("state", "live")], &seconds(1007));
        assert_eq!(text.0, "tmux_persist_x{user=\"a\\\"b\\\\c\\nd\",state=\"live\"} 1.007\n");
    }
}
