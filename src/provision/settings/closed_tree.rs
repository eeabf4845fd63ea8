//! Decrypted trees of administrators that other users may not enter: `closed_trees` (pure).

use super::Invalid;
use super::values::{Absolute, Name, Relative};
use crate::identity::is_user_name;
use serde::Deserialize;

/// A directory that only its owner and one group may enter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Entry")]
pub struct ClosedTree {
    /// Its owner, who closes it.
    pub user: String,
    /// Relative to the owner's home, or absolute.
    pub path: String,
    /// The group that it gets; its own stays if there is none.
    pub group: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    user: String,
    path: String,
    group: Option<Name>,
}

impl TryFrom<Entry> for ClosedTree {
    type Error = Invalid;

    fn try_from(raw: Entry) -> Result<Self, Invalid> {
        if !is_user_name(&raw.user) {
            return Err(Invalid::value("the name of a user", raw.user));
        }
        if Absolute::try_from(raw.path.clone()).is_err() {
            Relative::try_from(raw.path.clone())?;
        }
        Ok(Self { user: raw.user, path: raw.path, group: raw.group.map(|group| group.0) })
    }
}
