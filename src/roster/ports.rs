//! Ports: a user keeps a port for good, and no port is given to two users (pure).

use super::row::Roster;
use crate::yaml::problem::quoted;
use std::collections::BTreeMap;
use std::ops::Range;

/// The ports of present and former users. A user who left the roster stays in it, so that the port is not
/// given again.
pub type Ledger = BTreeMap<String, u16>;

/// The ranges that ports of new users come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges {
    /// Of the terminals, `T3_PORT`.
    pub t3: Range<u16>,
    /// Of the browser tools, `PLAYWRIGHT_PORT`.
    pub playwright: Range<u16>,
}

impl Default for Ranges {
    fn default() -> Self {
        Self { t3: 3773..8931, playwright: 8931..u16::MAX }
    }
}

/// Why ports cannot be assigned.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// The ledger is invalid.
    #[error("{0}")]
    Format(String),
    /// Two users have one port.
    #[error("port {port} belongs to both {one} and {other}")]
    Shared { port: u16, one: String, other: String },
    #[error("no port of {}..{} is left for {user}", range.start, range.end)]
    Exhausted {
        range: Range<u16>,
        /// The user without a port.
        user: String,
    },
}

/// Reads a ledger: `{"user": port, ...}`.
pub fn read(text: &[u8]) -> Result<Ledger, PortError> {
    let members: super::json::Members<u16> = serde_json::from_slice(text)
        .map_err(|error| PortError::Format(format!("expected {{\"user\": port}}: {error}")))?;
    let mut ledger = Ledger::new();
    for (user, port) in members.0 {
        if !crate::identity::is_user_name(&user) {
            return Err(PortError::Format(format!("{} is not a valid user name", quoted(&user))));
        }
        if port < 1024 {
            return Err(PortError::Format(format!("port {port} of {user} is below 1024")));
        }
        if ledger.insert(user.clone(), port).is_some() {
            return Err(PortError::Format(format!("duplicate user {}", quoted(&user))));
        }
    }
    Ok(ledger)
}

/// Assigns a port of each kind to every user of the roster: existing ports are kept; the other users get,
/// in name order, the lowest port of the range that was never used before.
pub fn allocate(
    roster: &Roster,
    t3: &Ledger,
    playwright: &Ledger,
    ranges: &Ranges,
) -> Result<(Ledger, Ledger), PortError> {
    let mut taken: BTreeMap<u16, String> = BTreeMap::new();
    let kinds = [(t3, "T3"), (playwright, "PLAYWRIGHT")];
    for (user, port, kind) in
        kinds.iter().flat_map(|(ledger, kind)| ledger.iter().map(move |(u, p)| (u, *p, kind)))
    {
        let other = format!("{user} ({kind}_PORT)");
        if let Some(one) = taken.insert(port, other.clone()) {
            return Err(PortError::Shared { port, one, other });
        }
    }
    let mut give = |ledger: &Ledger, range: &Range<u16>| {
        let mut ledger = ledger.clone();
        let mut next = range.start;
        for user in roster.users.keys() {
            if ledger.contains_key(user) {
                continue;
            }
            let free = (next..range.end).find(|port| !taken.contains_key(port));
            let exhausted = || PortError::Exhausted { range: range.clone(), user: user.clone() };
            let port = free.ok_or_else(exhausted)?;
            taken.insert(port, user.clone());
            ledger.insert(user.clone(), port);
            next = port;
        }
        Ok(ledger)
    };
    Ok((give(t3, &ranges.t3)?, give(playwright, &ranges.playwright)?))
}
