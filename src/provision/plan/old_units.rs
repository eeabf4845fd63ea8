//! Older units and processes of users that hold ports of users (pure): named, with the command that ends
//! them. What they are is the users' own report, so it is repeated and nothing follows from it.

use super::change::{Cause, Change, Step};
use super::ports::Ports;
use super::service::Service;
use crate::provision::observe::observed::{HomeView, Observed};
use crate::provision::protocol::clip;
use crate::provision::protocol::old_units::{Listener, UnitFile};

pub(super) fn plan(user: &str, observed: &Observed, ports: &Ports) -> Vec<Change> {
    let HomeView::Facts(facts) = observed.home_view(user) else { return Vec::new() };
    let Some(facts) = &facts.old_units else { return Vec::new() };
    let units = facts.units.iter().filter_map(|unit| of_unit(user, unit, ports));
    let listeners = facts.listeners.iter().filter_map(|process| of_process(user, process, ports));
    let problems = facts.problems.iter().map(|problem| {
        let change = Change::new(Some(user), Step::Units, "own-units", "the user's own units");
        change.reported(Cause::Drift, format!("not read: {}", clip(problem)))
    });
    units.chain(listeners).chain(problems).collect()
}

fn of_unit(user: &str, unit: &UnitFile, ports: &Ports) -> Option<Change> {
    let held = unit.ports.iter().filter_map(|port| Some((*port, ports.holder(*port)?)));
    let held: Vec<String> = held.map(shown).collect();
    if held.is_empty() {
        return None;
    }
    let path = clip(&unit.path);
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let change =
        Change::new(Some(user), Step::Units, &format!("old-unit/{name}"), format!("~/{path}"));
    let change = with_command(change, user, &name);
    Some(
        change
            .reported(Cause::Drift, format!("a unit of the user's own names {}", held.join(", "))),
    )
}

fn of_process(user: &str, process: &Listener, ports: &Ports) -> Option<Change> {
    let (holder, service) = ports.holder(process.port)?;
    let ours = format!("{}@{holder}.service", service.unit());
    if process.group.split('/').any(|part| part == ours) && holder == user {
        return None;
    }
    let what = format!("process {} ({})", process.pid, clip(&process.command));
    let part = format!("listens/{}", process.port);
    let change = Change::new(Some(user), Step::Units, &part, what);
    // The last part of the group is the unit of the user's own manager.
    let unit = process
        .group
        .rsplit('/')
        .next()
        .filter(|name| name.ends_with(".service") && process.group.contains("/user@"));
    let change = match unit {
        Some(unit) => with_command(change, user, unit),
        None => change.hint(format!("kill {}", process.pid)),
    };
    let why = format!("listens on {}", shown((process.port, (holder, service))));
    Some(change.reported(Cause::Drift, why))
}

/// A port with its holder.
fn shown((port, (user, service)): (u16, (&str, Service))) -> String {
    format!("port {port} ({}@{user})", service.unit())
}

/// Adds the command that ends a unit of the user's own, unless a shell would take its name for more.
fn with_command(change: Change, user: &str, unit: &str) -> Change {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@._-:".contains(c);
    if unit.starts_with('-') || !unit.chars().all(plain) {
        return change;
    }
    change.hint(format!("systemctl --user --machine={user}@ disable --now {unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::observe::observed::HomeReport;
    use crate::provision::plan::tests::host;
    use crate::provision::protocol::{HomeFacts, OldUnitsFacts};
    use std::collections::BTreeSet;

    fn planned(facts: OldUnitsFacts) -> Vec<Change> {
        let mut observed = host(&["ann"]);
        let facts = HomeFacts { old_units: Some(facts), ..HomeFacts::default() };
        observed.home_reports.insert("ann".to_owned(), HomeReport::Facts(Box::new(facts)));
        let mut ports = Ports::default();
        ports.t3.extend([("ann".to_owned(), 3774), ("bob".to_owned(), 3775)]);
        ports.playwright.insert("ann".to_owned(), 8932);
        plan("ann", &observed, &ports)
    }

    fn unit(path: &str, ports: &[u16]) -> UnitFile {
        UnitFile { path: path.to_owned(), ports: ports.iter().copied().collect::<BTreeSet<_>>() }
    }

    #[test]
    fn older_units_that_hold_a_port_of_the_roster_are_named_with_what_ends_them() {
        let units = vec![
            unit(".config/systemd/user/old-t3.service", &[3774, 9999]),
            unit(".config/systemd/user/other.service", &[9999]),
            unit(".config/systemd/user/$(reboot).service", &[3775]),
            unit(".config/systemd/user/-f.service", &[8932]),
        ];
        let changes = planned(OldUnitsFacts { units, ..OldUnitsFacts::default() });
        let found: Vec<_> =
            changes.iter().map(|change| (change.what.as_str(), change.hint.as_deref())).collect();
        let command = "systemctl --user --machine=ann@ disable --now old-t3.service";
        let wanted = [
            ("~/.config/systemd/user/old-t3.service", Some(command)),
            ("~/.config/systemd/user/$(reboot).service", None),
            ("~/.config/systemd/user/-f.service", None),
        ];
        assert_eq!(found, wanted);
        assert!(changes[0].why.ends_with("names port 3774 (t3-serve@ann)"), "{}", changes[0].why);
    }

    #[test]
    fn a_process_that_listens_on_a_users_port_is_named_unless_it_is_the_service() {
        let system = "/system.slice/system-t3\\x2dserve.slice/t3-serve@ann.service";
        let own = "/user.slice/user-1001.slice/user@1001.service/app.slice/old.service";
        for (port, group, wanted) in [
            (3774, system, None),
            (3775, system, Some("kill 7")),
            (9999, own, None),
            (3774, own, Some("systemctl --user --machine=ann@ disable --now old.service")),
            (3774, "/user.slice/user-1001.slice/session-3.scope", Some("kill 7")),
            (8932, "/system.slice/x@ann.service", Some("kill 7")),
        ] {
            let listeners =
                vec![Listener { port, pid: 7, command: "t3".into(), group: group.into() }];
            let changes = planned(OldUnitsFacts { listeners, ..OldUnitsFacts::default() });
            let hint = changes.first().and_then(|change| change.hint.as_deref());
            assert_eq!(hint, wanted, "{port} {group}");
        }
    }
}
