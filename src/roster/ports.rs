//! Ports that stay with their user, and are never given to another one.

use super::row::Roster;
use crate::yaml::problem::quoted;
use std::collections::BTreeMap;
use std::ops::Range;

/// Who has, or had, which port. A user who is in no roster any more stays in it: that is how a
/// port of the past is known.
pub type Ledger = BTreeMap<String, u16>;

/// The ports that new users get from.
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

/// Why ports cannot be given.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// The text is not the format.
    #[error("{0}")]
    Format(String),
    /// Two have one port.
    #[error("port {port} belongs to {one} and to {other}")]
    Shared {
        /// Which.
        port: u16,
        /// Whose.
        one: String,
        /// Whose, too.
        other: String,
    },
    /// Nothing is left.
    #[error("no port of {}..{} is left for {user}", range.start, range.end)]
    Exhausted {
        /// The range.
        range: Range<u16>,
        /// Who got none.
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
            return Err(PortError::Format(format!("{} is no user name", quoted(&user))));
        }
        if port < 1024 {
            return Err(PortError::Format(format!("port {port} of {user} is below 1024")));
        }
        if ledger.insert(user.clone(), port).is_some() {
            return Err(PortError::Format(format!("{} is there twice", quoted(&user))));
        }
    }
    Ok(ledger)
}

/// Gives every user of the roster a port of each kind: whoever has one keeps it, the others get
/// the lowest number of the range that nobody has or had, in name order.
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
