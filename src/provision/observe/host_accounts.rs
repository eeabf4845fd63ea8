//! The accounts of this host, from its user database.

use crate::roster::{self, HostFacts};
use crate::sys::accounts::{self, AccountError};
use crate::sys::fs;
use std::path::Path;

const LOGIN_DEFS: &str = "/etc/login.defs";
const MAX_LOGIN_DEFS: u64 = 1 << 20;

/// What the host knows about these names.
///
/// # Errors
/// Its user database does not answer: an account that may exist must not seem absent.
pub fn facts<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<HostFacts, AccountError> {
    // A host without the file, or with one that cannot be read, has the usual minimum.
    let defs = fs::read(Path::new(LOGIN_DEFS), MAX_LOGIN_DEFS).unwrap_or_default();
    let defs = String::from_utf8_lossy(&defs);
    let mut facts = HostFacts {
        uid_min: roster::uid_min(&defs),
        uid_max: roster::uid_max(&defs),
        ..HostFacts::default()
    };
    for name in names.into_iter().filter(|name| crate::identity::is_user_name(name)) {
        if let Some(uid) = accounts::uid_of(name)? {
            facts.uids.insert(name.to_owned(), uid.as_raw());
        }
    }
    Ok(facts)
}

/// As [`facts`], with the groups of these names.
///
/// # Errors
/// As [`facts`].
pub fn facts_and_groups<'a>(
    names: impl IntoIterator<Item = &'a str> + Clone,
) -> Result<HostFacts, AccountError> {
    let mut found = facts(names.clone())?;
    for name in names.into_iter().filter(|name| crate::identity::is_user_name(name)) {
        if accounts::has_group(name)? {
            found.groups.insert(name.to_owned());
        }
    }
    Ok(found)
}
