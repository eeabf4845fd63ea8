//! Derives accounts, maps and ports from a roster and the ports on record (pure).

use super::groups::TierGroups;
use super::maps;
use super::ports::{self, Ledger, PortError, Ranges};
use super::row::{Roster, Row};
use serde::Serialize;
use serde_json::{Map, Value};

/// What one user gets.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    pub user: String,
    #[serde(flatten)]
    pub row: Row,
    pub groups: Vec<String>,
    /// `T3_PORT`.
    pub port: Option<u16>,
    /// `PLAYWRIGHT_PORT`.
    pub playwright_port: Option<u16>,
}

/// The result; as JSON it is the output of `provision derive`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Derived {
    /// In name order.
    pub accounts: Vec<Account>,
    /// The text of the file.
    pub ttyd_user_map: String,
    /// The text of the file.
    pub ttyd_admins: String,
    /// The members of the file.
    pub dispatch: Map<String, Value>,
    /// The ports of terminals, also of former users: the next `--ports`.
    pub ports: Ledger,
    /// The ports of browser tools, also of former users.
    pub playwright_ports: Ledger,
}

pub fn derive(
    roster: &Roster,
    ports: &Ledger,
    playwright_ports: &Ledger,
    ranges: &Ranges,
    groups: &TierGroups,
) -> Result<Derived, PortError> {
    let (ports, playwright_ports) = ports::allocate(roster, ports, playwright_ports, ranges)?;
    let account = |(user, row): (&String, &Row)| Account {
        user: user.clone(),
        row: row.clone(),
        groups: groups.of(row.tier).to_vec(),
        port: ports.get(user).copied(),
        playwright_port: playwright_ports.get(user).copied(),
    };
    Ok(Derived {
        accounts: roster.users.iter().map(account).collect(),
        ttyd_user_map: maps::ttyd_user_map(roster, &ports),
        ttyd_admins: maps::ttyd_admins(roster, &ports),
        dispatch: maps::dispatch(roster, &ports),
        ports,
        playwright_ports,
    })
}
