//! The ports of everybody: those on record, those that environments of before have, new ones.

use super::environment::{Kind, shown};
use crate::identity::is_user_name;
use crate::provision::edit::environment_file;
use crate::provision::observe::observed::{File, Observed, SERVICES};
use crate::roster::Roster;
use crate::roster::ports::{self, Ledger, PortError, Ranges};
use std::collections::{BTreeMap, BTreeSet};

/// Ports, and users whose ports are not settled.
#[derive(Debug, Default)]
pub(super) struct Ports {
    /// Of the terminals.
    pub(super) t3: Ledger,
    /// Of the browser tools.
    pub(super) playwright: Ledger,
    refused: BTreeMap<(String, Kind), String>,
}

impl Ports {
    pub(super) fn of(&self, user: &str, kind: Kind) -> Option<u16> {
        self.ledger(kind).get(user).copied()
    }

    pub(super) fn refused(&self, user: &str, kind: Kind) -> Option<&String> {
        self.refused.get(&(user.to_owned(), kind))
    }

    fn ledger(&self, kind: Kind) -> &Ledger {
        match kind {
            Kind::Service => &self.t3,
            Kind::Playwright => &self.playwright,
        }
    }

    /// Users who have no settled port of one kind or the other.
    pub(super) fn unsettled(&self) -> BTreeSet<String> {
        self.refused.keys().map(|(user, _)| user.clone()).collect()
    }
}

/// Settles the ports. A port of an environment counts when its user has none on record, and it is
/// nobody else's; then new users get theirs.
pub(super) fn settle(
    roster: &Roster,
    observed: &Observed,
    ranges: &Ranges,
) -> Result<Ports, PortError> {
    let mut found = Ports {
        t3: observed.ports.clone(),
        playwright: observed.playwright_ports.clone(),
        refused: BTreeMap::new(),
    };
    let nobody = Roster::default();
    ports::allocate(&nobody, &found.t3, &found.playwright, ranges)?; // two with one port
    let mut taken: BTreeMap<u16, String> = found
        .t3
        .iter()
        .chain(&found.playwright)
        .map(|(user, port)| (*port, user.clone()))
        .collect();
    for user in clashing(roster) {
        let why = format!("{} would be two services' file", Kind::Service.file(&user));
        found.refused.insert((user, Kind::Service), why);
    }
    for (user, kind, value) in environments(observed) {
        if found.ledger(kind).contains_key(&user) || found.refused(&user, kind).is_some() {
            continue;
        }
        match value.and_then(|value| free(&value, &taken)) {
            Ok(port) => {
                taken.insert(port, user.clone());
                let ledger = match kind {
                    Kind::Service => &mut found.t3,
                    Kind::Playwright => &mut found.playwright,
                };
                ledger.insert(user, port);
            }
            Err(why) => drop(found.refused.insert((user, kind), why)),
        }
    }
    // Each kind by itself: a port of one kind that is not settled holds up no other.
    let settled = |kind: Kind| {
        let rows = roster.users.iter().filter(|(user, _)| found.refused(user, kind).is_none());
        Roster { users: rows.map(|(user, row)| (user.clone(), row.clone())).collect() }
    };
    let give = |kind, t3| ports::allocate(&settled(kind), t3, &found.playwright, ranges);
    let (t3, _) = give(Kind::Service, &found.t3)?;
    let (_, playwright) = give(Kind::Playwright, &t3)?;
    Ok(Ports { t3, playwright, ..found })
}

/// A port that nobody has.
fn free(value: &[u8], taken: &BTreeMap<u16, String>) -> Result<u16, String> {
    let port = std::str::from_utf8(value).ok().and_then(|text| text.parse::<u16>().ok());
    let port = port.ok_or_else(|| format!("{} is no port", shown(value)))?;
    if port < 1024 {
        return Err(format!("port {port} is below 1024"));
    }
    taken.get(&port).map_or(Ok(port), |other| Err(format!("port {port} belongs to {other}")))
}

/// Users named so that their own environment is the browser tool's of another user.
fn clashing(roster: &Roster) -> Vec<String> {
    let clashes = |user: &&String| {
        user.strip_prefix("playwright-").is_some_and(|other| roster.users.contains_key(other))
    };
    roster.users.keys().filter(clashes).cloned().collect()
}

/// The ports that environments have, with whose they are; an error where it cannot be known.
fn environments(observed: &Observed) -> Vec<(String, Kind, Result<Vec<u8>, String>)> {
    let mut all = Vec::new();
    for (path, file) in &observed.files {
        let name = path.strip_prefix(SERVICES).and_then(|name| name.strip_prefix('/'));
        let Some(name) = name.and_then(|name| name.strip_suffix(".env")) else { continue };
        let (user, kind) = match name.strip_prefix("playwright-") {
            Some(user) => (user, Kind::Playwright),
            None => (name, Kind::Service),
        };
        let value = match file {
            File::Read { bytes, .. } => environment_file::get(bytes, kind.key()).map(Ok),
            File::Unknown(why) => Some(Err(format!("not read: {why}"))),
        };
        all.extend(
            value.filter(|_| is_user_name(user)).map(|value| (user.to_owned(), kind, value)),
        );
    }
    all
}
