//! A user's services: enabled, or stopped and disabled while the user is parked (pure).

use super::account_id;
use super::change::{Action, Cause, Change, Step, Verb};
use super::service::Service;
use crate::provision::observe::observed::Observed;
use crate::roster::{Roster, Row};

/// The parts before and after the `@`, and the service whose environment it reads.
const UNITS: [(&str, &str, Service); 3] = [
    ("t3-serve", "service", Service::Terminal),
    ("playwright-mcp", "service", Service::Playwright),
    ("playwright-snapshot-refresh", "timer", Service::Playwright),
];

/// The instances of a user.
pub(super) fn plan(user: &str, row: &Row, observed: &Observed) -> Vec<Change> {
    let has = |(name, kind, _): &&(&str, &str, _)| {
        observed.units.templates.contains(&format!("{name}@.{kind}"))
    };
    UNITS
        .iter()
        .filter(has)
        .filter_map(|(name, kind, reads)| {
            one(user, row, observed, &format!("{name}@{user}.{kind}"), reads.change_id(user))
        })
        .collect()
}

fn one(
    user: &str,
    row: &Row,
    observed: &Observed,
    unit: &str,
    environment: String,
) -> Option<Change> {
    let (wanted, enabled) = (!row.parked, observed.units.enabled.contains(unit));
    let change = Change::new(Some(user), Step::Units, unit, format!("unit {unit}"));
    let recorded = observed.written.units.get(unit).copied();
    let cause = if recorded == Some(wanted) { Cause::Drift } else { Cause::Intent };
    if wanted && observed.units.masked.contains(unit) {
        let why = "masked by a person or by a cut: not unmasked here";
        return Some(change.to("enabled").from("masked").refused(cause, why));
    }
    let action = Action::Unit { unit: unit.to_owned(), enabled: wanted };
    if wanted == enabled {
        let runs = !wanted && observed.units.active.contains(unit);
        let change = change.from("running").to("stopped").why("the user is parked");
        return runs.then(|| change.done(Verb::Repair, Cause::Drift, action));
    }
    Some(if wanted {
        let timer = unit.strip_suffix(".timer").is_some();
        let after = if timer { "enabled; missed runs are not made up for" } else { "enabled" };
        let verb = if recorded.is_none() { Verb::Add } else { Verb::Repair };
        let why = match recorded {
            Some(false) => "no longer parked",
            Some(true) => "disabled since the last apply",
            None => "the user is not parked",
        };
        let change = change.needs([account_id(user), environment]);
        let change = change.to(after).why(why).done(verb, cause, action);
        if verb == Verb::Add { change } else { change.from("disabled") }
    } else {
        let change = change.from("enabled").to("stopped and disabled").why("the user is parked");
        change.done(Verb::Repair, cause, action)
    })
}

/// Templates that the host lacks: reported once, not for each user.
pub(super) fn missing(roster: &Roster, observed: &Observed) -> Vec<Change> {
    if roster.users.is_empty() {
        return Vec::new();
    }
    let templates = UNITS.iter().map(|(name, kind, _)| format!("{name}@.{kind}"));
    let missing = templates.filter(|name| !observed.units.templates.contains(name));
    let report = |name: String| {
        let change = Change::new(None, Step::Units, &name, format!("unit {name}"));
        change.reported(Cause::Drift, "not installed on this host: enabled for no users")
    };
    missing.map(report).collect()
}
