//! Packages and tools: missing ones are installed. A package is never removed, upgraded or downgraded; a
//! tool gets the version of its pin (pure).

use super::{Action, Change, Kind, Plan, missing};
use crate::provision::change::{Cause, Verb};
use crate::provision::host_base::observed::{Observed, Tool};
use crate::provision::host_base::spec::HostSpec;

pub(crate) fn packages(spec: &HostSpec, observed: &Observed, plan: &mut Plan) {
    for (name, pin) in &spec.packages {
        let id = format!("package/{name}");
        let change = Change::new(Kind::Packages, &id, name);
        let Some(packages) = &observed.packages else {
            let why = "this host has no dpkg".to_owned();
            plan.changes.push(change.refused(Cause::Intent, why));
            continue;
        };
        let there = packages.get(name);
        let action = || Action::Package { name: name.clone(), version: pin.clone() };
        match (there.filter(|package| package.installed), pin) {
            (Some(package), Some(pin)) if package.version != *pin => {
                let change = change.from(&package.version).to(pin);
                let why = "another version is installed: packages are never upgraded or downgraded";
                plan.changes.push(change.refused(Cause::Drift, why));
            }
            (Some(package), _) => plan.adopt(id, &package.version),
            (None, _) => {
                let change = Change { after: pin.clone(), ..change };
                let half = there.filter(|package| !package.version.is_empty());
                let cause = missing(observed, &id);
                let change = match half {
                    Some(package) => change.from(format!("{}, incomplete", package.version)),
                    None => change,
                };
                let verb = if cause == Cause::Drift { Verb::Repair } else { Verb::Add };
                plan.changes.push(change.done(verb, cause, action()));
            }
        }
    }
}

pub(crate) fn npm(spec: &HostSpec, observed: &Observed, plan: &mut Plan) {
    for (name, version) in &spec.npm {
        let id = format!("npm/{name}");
        let change = Change::new(Kind::Npm, &id, name).to(version);
        let replace = matches!(observed.npm.get(name), Some(Tool::Broken(_)));
        let action = || Action::Npm { name: name.clone(), version: version.clone(), replace };
        let last = observed.record.made.get(&id);
        let unfinished = observed.record.unfinished.contains_key(&id);
        let change = match observed.npm.get(name) {
            // npm does not install a package in one step: an incomplete one has its version, too.
            Some(Tool::Version(there, _)) if unfinished => {
                let change = change.from(format!("{there}, perhaps incomplete"));
                change.done(Verb::Repair, Cause::Drift, action())
            }
            Some(Tool::Version(there, _)) if there == version => {
                plan.adopt(id, version);
                continue;
            }
            Some(Tool::Version(there, place)) => {
                let moved = last.is_some_and(|last| last != there);
                let cause = if moved { Cause::Drift } else { Cause::Intent };
                change.from(format!("{there} in {place}")).done(Verb::Repair, cause, action())
            }
            Some(Tool::Broken(why)) => {
                change.from(why.clone()).done(Verb::Repair, Cause::Drift, action())
            }
            None => {
                let cause = missing(observed, &id);
                let verb = if cause == Cause::Drift { Verb::Repair } else { Verb::Add };
                change.done(verb, cause, action())
            }
        };
        plan.changes.push(change);
    }
}
