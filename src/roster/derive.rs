//! Everything that follows from a roster and the ports that were given before.

use super::groups::TierGroups;
use super::maps;
use super::ports::{self, Ledger, PortError, Ranges};
use super::row::{Roster, Row};
use serde::Serialize;
use serde_json::{Map, Value};

/// What to do for one user.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The OS user.
    pub user: String,
    /// The row.
    #[serde(flatten)]
    pub row: Row,
    /// The tier's groups.
    pub groups: Vec<String>,
    /// `T3_PORT`.
    pub port: Option<u16>,
    /// `PLAYWRIGHT_PORT`.
    pub playwright_port: Option<u16>,
}

/// All of it; as JSON it is what `provision derive` prints.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Derived {
    /// In name order.
    pub accounts: Vec<Account>,
    /// The file's text.
    pub ttyd_user_map: String,
    /// The file's text.
    pub ttyd_admins: String,
    /// The file's members.
    pub dispatch: Map<String, Value>,
    /// Every port of a terminal, those of the past too: the next `--ports`.
    pub ports: Ledger,
    /// Every port of a browser tool, those of the past too.
    pub playwright_ports: Ledger,
}

/// Derives it.
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
