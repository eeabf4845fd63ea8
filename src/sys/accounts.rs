//! Accounts of the host, from its user database (NSS).

use nix::unistd::{Gid, Group, Uid, User, geteuid, getgrouplist};
use std::ffi::CString;
use std::path::PathBuf;

/// An account of the host, with what a process needs to become it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    pub uid: Uid,
    pub gid: Gid,
    /// Every group of the account, the primary one included.
    pub groups: Vec<Gid>,
    /// Home directory as the database names it; it need not exist.
    pub home: PathBuf,
    /// Login shell; `/bin/sh` if the database has none (passwd(5)).
    pub shell: PathBuf,
}

/// Why an account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The database has no such name or id.
    #[error("no account '{0}' on this host")]
    Unknown(String),
    #[error("looking up account '{name}': {}", source.desc())]
    Lookup {
        /// Name or id.
        name: String,
        source: nix::Error,
    },
}

/// Looks up an account by name, with its groups. To be called before a fork: NSS is not
/// async-signal-safe.
pub fn by_name(name: &str) -> Result<Account, AccountError> {
    let failed = |source| AccountError::Lookup { name: name.to_owned(), source };
    let user = User::from_name(name).map_err(failed)?;
    complete(user.ok_or_else(|| AccountError::Unknown(name.to_owned()))?)
}

/// The account this process runs as (its effective uid).
pub fn current() -> Result<Account, AccountError> {
    let uid = geteuid();
    let failed = |source| AccountError::Lookup { name: uid.to_string(), source };
    let user = User::from_uid(uid).map_err(failed)?;
    complete(user.ok_or_else(|| AccountError::Unknown(uid.to_string()))?)
}

/// The uid of an account; `None` if the host has no such account.
pub fn uid_of(name: &str) -> Result<Option<Uid>, AccountError> {
    let failed = |source| AccountError::Lookup { name: name.to_owned(), source };
    Ok(User::from_name(name).map_err(failed)?.map(|user| user.uid))
}

/// The gid of a group; `None` if the host has no such group.
pub fn gid_of(name: &str) -> Result<Option<Gid>, AccountError> {
    let failed = |source| AccountError::Lookup { name: name.to_owned(), source };
    Ok(Group::from_name(name).map_err(failed)?.map(|group| group.gid))
}

/// The name of an account; `None` if the host has none of that uid.
pub fn name_of(uid: u32) -> Result<Option<String>, AccountError> {
    let failed = |source| AccountError::Lookup { name: uid.to_string(), source };
    Ok(User::from_uid(Uid::from_raw(uid)).map_err(failed)?.map(|user| user.name))
}

/// Whether the host has a group of this name.
pub fn has_group(name: &str) -> Result<bool, AccountError> {
    let failed = |source| AccountError::Lookup { name: name.to_owned(), source };
    Ok(Group::from_name(name).map_err(failed)?.is_some())
}

/// Whether this process acts as root.
pub fn is_root() -> bool {
    geteuid().is_root()
}

fn complete(user: User) -> Result<Account, AccountError> {
    let failed = |source| AccountError::Lookup { name: user.name.clone(), source };
    let name = CString::new(user.name.as_str()).map_err(|_| failed(nix::Error::EINVAL))?;
    let groups = getgrouplist(&name, user.gid).map_err(failed)?;
    let shell =
        if user.shell.as_os_str().is_empty() { PathBuf::from("/bin/sh") } else { user.shell };
    Ok(Account { name: user.name, uid: user.uid, gid: user.gid, groups, home: user.dir, shell })
}
