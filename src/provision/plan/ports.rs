//! The ports of all users: those on record, those in existing environment files, and new ones (pure).

use super::service::{Service, shown_port};
use crate::identity::is_user_name;
use crate::provision::edit::environment_file;
use crate::provision::observe::observed::{File, Observed};
use crate::provision::paths::SERVICES;
use crate::roster::Roster;
use crate::roster::ports::{self, Ledger, PortError, Ranges};
use std::collections::{BTreeMap, BTreeSet};

/// Why the value in an environment file gives its user no port.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("not read: {0}")]
    NotRead(String),
    #[error("{0} is not a port")]
    NotAPort(String),
    #[error("port {0} is below 1024")]
    Privileged(u16),
    #[error("port {port} belongs to {user}")]
    Taken { port: u16, user: String },
}

/// Ports, and users who have none of a kind yet.
#[derive(Debug, Default)]
pub(super) struct Ports {
    /// Of the terminals.
    pub(super) t3: Ledger,
    /// Of the browser tools.
    pub(super) playwright: Ledger,
    refused: BTreeMap<(String, Service), String>,
}

impl Ports {
    pub(super) fn of(&self, user: &str, service: Service) -> Option<u16> {
        self.ledger(service).get(user).copied()
    }

    pub(super) fn refused(&self, user: &str, service: Service) -> Option<&String> {
        self.refused.get(&(user.to_owned(), service))
    }

    /// The user and the service that have a port.
    pub(super) fn holder(&self, port: u16) -> Option<(&str, Service)> {
        [Service::Terminal, Service::Playwright].into_iter().find_map(|service| {
            let mut held = self.ledger(service).iter();
            held.find(|(_, held)| **held == port).map(|(user, _)| (user.as_str(), service))
        })
    }

    fn ledger(&self, service: Service) -> &Ledger {
        match service {
            Service::Terminal => &self.t3,
            Service::Playwright => &self.playwright,
        }
    }

    /// Users who have no port of one kind or the other.
    pub(super) fn without_port(&self) -> BTreeSet<String> {
        self.refused.keys().map(|(user, _)| user.clone()).collect()
    }
}

/// Assigns the ports. A port in an environment file counts if its user has none on record and no other
/// user has it; then new users get theirs.
pub(super) fn assign(
    roster: &Roster,
    observed: &Observed,
    ranges: &Ranges,
) -> Result<Ports, PortError> {
    let mut found = Ports {
        t3: observed.ports.clone(),
        playwright: observed.playwright_ports.clone(),
        refused: BTreeMap::new(),
    };
    let no_users = Roster::default();
    ports::allocate(&no_users, &found.t3, &found.playwright, ranges)?; // two users with one port
    let mut taken: BTreeMap<u16, String> = found
        .t3
        .iter()
        .chain(&found.playwright)
        .map(|(user, port)| (*port, user.clone()))
        .collect();
    for user in clashing(roster) {
        let why = format!("{} would belong to two services", Service::Terminal.file(&user));
        found.refused.insert((user, Service::Terminal), why);
    }
    for (user, service, value) in environments(observed) {
        if found.ledger(service).contains_key(&user) || found.refused(&user, service).is_some() {
            continue;
        }
        match value.and_then(|value| free(&value, &taken)) {
            Ok(port) => {
                taken.insert(port, user.clone());
                let ledger = match service {
                    Service::Terminal => &mut found.t3,
                    Service::Playwright => &mut found.playwright,
                };
                ledger.insert(user, port);
            }
            Err(why) => drop(found.refused.insert((user, service), why.to_string())),
        }
    }
    // Each kind by itself: a missing port of one kind holds up no other.
    let settled = |service: Service| roster.select(|user| found.refused(user, service).is_none());
    let give = |service, t3| ports::allocate(&settled(service), t3, &found.playwright, ranges);
    let (t3, _) = give(Service::Terminal, &found.t3)?;
    let (_, playwright) = give(Service::Playwright, &t3)?;
    Ok(Ports { t3, playwright, ..found })
}

/// The port in a value, if no other user has it.
fn free(value: &[u8], taken: &BTreeMap<u16, String>) -> Result<u16, Refusal> {
    let text = std::str::from_utf8(value).unwrap_or_default();
    // Only as it is written here: a program may take 04100 for another number.
    let port = text.parse::<u16>().ok().filter(|port| port.to_string() == text);
    let port = port.ok_or_else(|| Refusal::NotAPort(shown_port(value)))?;
    if port < 1024 {
        return Err(Refusal::Privileged(port));
    }
    taken.get(&port).map_or(Ok(port), |user| Err(Refusal::Taken { port, user: user.clone() }))
}

/// Users whose environment file would be that of another user's browser tool.
fn clashing(roster: &Roster) -> Vec<String> {
    let clashes = |user: &&String| {
        user.strip_prefix("playwright-").is_some_and(|other| roster.users.contains_key(other))
    };
    roster.users.keys().filter(clashes).cloned().collect()
}

/// The values in existing environment files, each with user and service.
fn environments(observed: &Observed) -> Vec<(String, Service, Result<Vec<u8>, Refusal>)> {
    let mut all = Vec::new();
    for (path, file) in &observed.files {
        let name = path.strip_prefix(SERVICES).and_then(|name| name.strip_prefix('/'));
        let Some(name) = name.and_then(|name| name.strip_suffix(".env")) else { continue };
        let (user, service) = match name.strip_prefix("playwright-") {
            Some(user) => (user, Service::Playwright),
            None => (name, Service::Terminal),
        };
        let value = match file {
            File::Read { bytes, .. } => environment_file::get(bytes, service.key()).map(Ok),
            File::Unknown(why) => Some(Err(Refusal::NotRead(why.clone()))),
        };
        all.extend(
            value.filter(|_| is_user_name(user)).map(|value| (user.to_owned(), service, value)),
        );
    }
    all
}
