//! A user's services: enabled, or stopped and disabled while the user is parked (pure).

use super::account_id;
use super::change::{Action, Cause, Change, Step, Verb};
use super::service::Service;
use crate::provision::observe::observed::Observed;
use crate::provision::paths::HOST_UNITS;
use crate::roster::{Roster, Row};

/// A template of which each user has an instance.
struct Template {
    /// The part before the `@`.
    name: &'static str,
    kind: &'static str,
    /// The service whose environment it reads.
    reads: Option<Service>,
    /// It serves the lobby, and is of no use on a host without one.
    of_lobby: bool,
}

/// The template of the instances of T3 Code.
const TERMINAL: &str = "t3-serve@.service";

const UNITS: [Template; 4] = [
    Template::reading("t3-serve", "service", Service::Terminal),
    Template::reading("playwright-mcp", "service", Service::Playwright),
    Template::reading("playwright-snapshot-refresh", "timer", Service::Playwright),
    Template { name: "lobby-agent", kind: "socket", reads: None, of_lobby: true },
];

impl Template {
    const fn reading(name: &'static str, kind: &'static str, reads: Service) -> Self {
        Self { name, kind, reads: Some(reads), of_lobby: false }
    }

    fn file(&self) -> String {
        format!("{}@.{}", self.name, self.kind)
    }

    fn instance(&self, user: &str) -> String {
        format!("{}@{user}.{}", self.name, self.kind)
    }

    /// Why a user must not have it.
    fn unwanted(&self, row: &Row, observed: &Observed) -> Option<&'static str> {
        let no_lobby = self.of_lobby && !observed.has_lobby;
        row.parked.then_some("the user is parked").or(no_lobby.then_some("the host has no lobby"))
    }
}

/// The instances of a user.
pub(super) fn plan(user: &str, row: &Row, observed: &Observed) -> Vec<Change> {
    let present = UNITS.iter().filter(|unit| observed.units.templates.contains(&unit.file()));
    present.filter_map(|template| one(user, template, row, observed)).collect()
}

fn one(user: &str, template: &Template, row: &Row, observed: &Observed) -> Option<Change> {
    let unit = &template.instance(user);
    let unwanted = template.unwanted(row, observed);
    let (wanted, enabled) = (unwanted.is_none(), observed.units.enabled.contains(unit));
    let change = Change::new(Some(user), Step::Units, unit, format!("unit {unit}"));
    let recorded = observed.written.units.get(unit).copied();
    let cause = if recorded == Some(wanted) { Cause::Drift } else { Cause::Intent };
    if wanted && observed.units.masked.contains(unit) {
        let why = "masked by a person or by a cut: not unmasked here";
        return Some(change.to("enabled").from("masked").refused(cause, why));
    }
    let action = Action::Unit { unit: unit.to_owned(), enabled: wanted };
    if wanted == enabled {
        let why = unwanted?;
        let change = change.from("running").to("stopped").why(why);
        let runs = runs(unit, observed);
        return runs.then(|| change.done(Verb::Repair, Cause::Drift, action));
    }
    Some(if let Some(why) = unwanted {
        let change = change.from("enabled").to("stopped and disabled").why(why);
        change.done(Verb::Repair, cause, action)
    } else {
        let timer = unit.strip_suffix(".timer").is_some();
        let after = if timer { "enabled; missed runs are not made up for" } else { "enabled" };
        let verb = if recorded.is_none() { Verb::Add } else { Verb::Repair };
        let why = match recorded {
            Some(false) if template.of_lobby => "the user is not parked, and the host has a lobby",
            Some(false) => "no longer parked",
            Some(true) => "disabled since the last apply",
            None => "the user is not parked",
        };
        let environment = template.reads.map(|service| service.change_id(user));
        let change = change.needs([account_id(user)].into_iter().chain(environment));
        let change = change.to(after).why(why).done(verb, cause, action);
        if verb == Verb::Add { change } else { change.from("disabled") }
    })
}

/// The host's own units for the instances of T3 Code. Timers are armed, and make up for no run.
pub(super) fn of_host(roster: &Roster, observed: &Observed) -> Vec<Change> {
    let units = &observed.units;
    if roster.users.is_empty() || !units.templates.contains(TERMINAL) {
        return Vec::new();
    }
    let absent = |unit: &&&str| units.templates.contains(**unit) && !units.enabled.contains(**unit);
    let one = |unit: &&str| {
        let change = Change::new(None, Step::Units, unit, format!("unit {unit}"));
        let recorded = observed.written.units.contains_key(*unit);
        let (verb, cause) =
            if recorded { (Verb::Repair, Cause::Drift) } else { (Verb::Add, Cause::Intent) };
        if units.masked.contains(*unit) {
            let why = "masked by a person: not unmasked here";
            return change.to("enabled").from("masked").reported(cause, why);
        }
        let action = Action::Unit { unit: (*unit).to_owned(), enabled: true };
        let change = change.to("enabled").why("users have instances of T3 Code");
        change.done(verb, cause, action)
    };
    HOST_UNITS.iter().filter(absent).map(one).collect()
}

/// Whether an instance runs, or what its socket started.
fn runs(unit: &str, observed: &Observed) -> bool {
    let started = unit.strip_suffix(".socket").map(|name| format!("{name}.service"));
    let mut units = std::iter::once(unit).chain(started.as_deref());
    units.any(|unit| observed.units.active.contains(unit))
}

/// Templates that the host lacks: reported once, not for each user.
pub(super) fn missing(roster: &Roster, observed: &Observed) -> Vec<Change> {
    if roster.users.is_empty() {
        return Vec::new();
    }
    let wanted = UNITS.iter().filter(|unit| !unit.of_lobby || observed.has_lobby);
    let missing =
        wanted.map(Template::file).filter(|name| !observed.units.templates.contains(name));
    let report = |name: String| {
        let change = Change::new(None, Step::Units, &name, format!("unit {name}"));
        change.reported(Cause::Drift, "not installed on this host: enabled for no users")
    };
    missing.map(report).collect()
}
