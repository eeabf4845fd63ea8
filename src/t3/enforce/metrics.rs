//! What is on record about versions, as Prometheus metrics.

use super::error::EnforceError;
use super::state::State;
use super::{freeze, versions};
use crate::sys::clock::Epoch;
use crate::t3::paths::Paths;
use crate::t3::served;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The metrics of a host.
pub fn metrics(paths: &Paths, now: Epoch) -> Result<String, EnforceError> {
    let state = State::read(paths)?;
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, value: u64| {
        let name = format!("terminal_lobby_t3_enforce_{name}");
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
    };
    let last = state.last_run.as_ref();
    let is_good = last.is_some_and(|run| {
        // A freeze has a metric of its own.
        matches!(run.outcome.as_str(), "done" | "nothing-wanted" | "frozen")
    });
    gauge("last_run_seconds", "When the last run ended.", last.map_or(0, |run| run.at));
    gauge("last_run_good", "Whether nothing failed in the last run.", u64::from(is_good));
    let frozen = freeze::frozen(paths)?.is_some();
    gauge("frozen", "Whether versions are frozen.", u64::from(frozen));
    let since = state.target.as_ref().and_then(|target| target.behind_since);
    let behind = since.map_or(0, |since| now.saturating_sub(since));
    gauge("behind_seconds", "For how long not every instance has run the wanted version.", behind);
    let deferred = state.deferred.len() as u64;
    gauge("deferred", "Instances that are left for later, since they were busy.", deferred);
    let unfinished = state.change.is_some();
    gauge("unfinished", "Whether a change is neither finished nor undone.", u64::from(unfinished));
    let mut run: BTreeMap<String, u64> = BTreeMap::new();
    for user in served::ports(paths)?.keys() {
        if let Some(version) = versions::of_user(paths, user)?.version() {
            *run.entry(version.to_string()).or_default() += 1;
        }
    }
    let name = "terminal_lobby_t3_enforce_instances";
    let _ = writeln!(text, "# HELP {name} Instances by version.\n# TYPE {name} gauge");
    for (version, count) in run {
        let _ = writeln!(text, "{name}{{version=\"{version}\"}} {count}");
    }
    Ok(text)
}
