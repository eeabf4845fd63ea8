//! The tables of instances (pure): `dispatch.json`, who is served by which, and `closed.json`, who no longer is.

use crate::identity::is_user_name;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Where the tables are.
pub const DISPATCH: &str = "/etc/t3-serve/dispatch.json";
pub const CLOSED: &str = "/etc/t3-serve/closed.json";
/// Maximum size of a table, in bytes.
pub const MAX_TABLE: u64 = 8 << 20;

/// The instance that serves an identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct Instance {
    /// The name of the account as which it runs.
    pub os_user: String,
    /// The port on the loopback interface.
    pub port: u16,
}

/// Why a person who is known is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closed {
    /// The row of the roster says that the instance is not to run.
    Parked,
    /// The user left.
    Cut,
}

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("identity {identity:?}: '{name}' is no name of an account")]
    Name { identity: String, name: String },
    #[error("identity {identity:?}: the port is 0")]
    Port { identity: String },
    #[error("port {port} is given to '{one}' and to '{other}'")]
    SamePort { port: u16, one: String, other: String },
}

/// Reads `dispatch.json`: `{identity: {os_user, port}}`. A row without a port (`null`) is left out: its user has no
/// instance yet.
///
/// # Errors
/// If it is not of that form, or a port belongs to two users.
pub fn dispatch(text: &[u8]) -> Result<BTreeMap<String, Instance>, TableError> {
    #[derive(Deserialize)]
    struct Row {
        os_user: String,
        port: Option<u16>,
    }
    let rows: BTreeMap<String, Row> = serde_json::from_slice(text)?;
    let mut owners: BTreeMap<u16, String> = BTreeMap::new();
    let mut table = BTreeMap::new();
    for (identity, Row { os_user, port }) in rows {
        if !is_user_name(&os_user) {
            return Err(TableError::Name { identity, name: os_user });
        }
        let Some(port) = port else { continue };
        if port == 0 {
            return Err(TableError::Port { identity });
        }
        let owner = owners.entry(port).or_insert_with(|| os_user.clone());
        if *owner != os_user {
            return Err(TableError::SamePort { port, one: owner.clone(), other: os_user });
        }
        table.insert(identity, Instance { os_user, port });
    }
    Ok(table)
}

/// Reads `closed.json`: `{identity: "parked" | "cut"}`.
///
/// # Errors
/// If it is not of that form.
pub fn closed(text: &[u8]) -> Result<BTreeMap<String, Closed>, TableError> {
    Ok(serde_json::from_slice(text)?)
}

/// The users of a table, each once.
pub fn users(table: &BTreeMap<String, Instance>) -> BTreeSet<&str> {
    table.values().map(|instance| instance.os_user.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_as_it_is_generated() {
        let text = br#"{"ann@x.org": {"os_user": "ann", "port": 3773}, "bob": {"os_user": "bob", "port": null}}"#;
        let table = dispatch(text).unwrap();
        assert_eq!(table.len(), 1);
        assert_eq!(table["ann@x.org"], Instance { os_user: "ann".to_owned(), port: 3773 });
        assert_eq!(users(&table), BTreeSet::from(["ann"]));
        let closed = closed(br#"{"bob": "parked", "eve": "cut"}"#).unwrap();
        assert_eq!((closed["bob"], closed["eve"]), (Closed::Parked, Closed::Cut));
    }

    #[test]
    fn a_table_that_would_lead_to_another_users_instance_is_refused() {
        let text =
            br#"{"a": {"os_user": "ann", "port": 3773}, "b": {"os_user": "bob", "port": 3773}}"#;
        assert!(matches!(dispatch(text), Err(TableError::SamePort { port: 3773, .. })));
        let text = br#"{"a": {"os_user": "../ann", "port": 3773}}"#;
        assert!(matches!(dispatch(text), Err(TableError::Name { .. })));
    }
}
