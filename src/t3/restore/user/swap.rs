//! Exchanges the present data with others beside them. Each step is one rename, and what is there says which of them
//! were done: a killed run is repeated.

use super::super::protocol::{BEFORE, NEW, is_stamp};
use crate::sys::Dir;
use crate::sys::fs::{Existing, FileError, walk};
use crate::t3::backup::user::UserError;
use crate::t3::state_dir::{BESIDE_DATABASE, DATABASE, RUNTIME, USERDATA, own_dir};
use rustix::fs::RenameFlags;
use std::ffi::OsStr;

/// Says, in the data, which restore put them there.
pub(super) const MARK: &str = ".restored";
/// Maximum size of the mark, in bytes.
const MAX_MARK: u64 = 100;
/// How many directories of data that were set aside are kept.
const KEPT: usize = 2;
/// Maximum number of entries of the base directory.
const MAX_ENTRIES: usize = 10_000;
/// Maximum number of entries that are taken over.
const MAX_TAKEN: usize = 1000;

/// The contents of the mark.
pub(super) fn mark(stamp: &str) -> Vec<u8> {
    format!("{stamp}\n").into_bytes()
}

/// Exchanges the data in `from` with the present ones, which get the name `userdata.before-STAMP`, and takes over what
/// they alone have. Safe to repeat.
///
/// # Errors
/// Then the data are either the present ones or those of `from`, as a whole.
pub fn swap(base: &Dir, from: &str, stamp: &str) -> Result<(), UserError> {
    let is_ours = from.strip_prefix(NEW).or(from.strip_prefix(BEFORE)).is_some_and(is_stamp);
    if !is_ours {
        return Err(UserError::Unusable {
            path: from.into(),
            why: "no data to restore".to_owned(),
        });
    }
    let before = format!("{BEFORE}{stamp}");
    if !has_mark(base, USERDATA, stamp)? {
        put_in_place(base, from, &before, stamp)?;
    }
    // What has that name now are the former data.
    if own_dir(base, from)?.is_some() && own_dir(base, &before)?.is_none() {
        base.place(from, &before)?;
    }
    base.sync()?;
    if let (Some(old), Some(new)) = (own_dir(base, &before)?, own_dir(base, USERDATA)?) {
        take_over(&old, &new)?;
    }
    for name in set_aside(base)?.iter().filter(|name| **name != before).skip(KEPT - 1) {
        walk::remove(base, name)?;
    }
    Ok(())
}

/// The directories of data that were set aside, the newest first.
pub fn set_aside(base: &Dir) -> Result<Vec<String>, FileError> {
    let mut found = names(base)?;
    found.retain(|name| name.strip_prefix(BEFORE).is_some_and(is_stamp));
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found)
}

fn put_in_place(base: &Dir, from: &str, before: &str, stamp: &str) -> Result<(), UserError> {
    let present = own_dir(base, USERDATA)?.is_some();
    match own_dir(base, from)? {
        Some(new) => new.write(MARK, &mark(stamp), Existing::Replaced)?,
        None => return Err(UserError::NoBackup(from.to_owned())),
    }
    if present && base.exchange(USERDATA, from)? {
        return Ok(base.sync()?);
    }
    // Without the exchange there is a moment without data; the instance does not start meanwhile.
    if present {
        base.rename(USERDATA, before, RenameFlags::empty())?;
        base.sync()?;
    }
    Ok(base.place(from, USERDATA)?)
}

fn has_mark(base: &Dir, name: &str, stamp: &str) -> Result<bool, FileError> {
    let Some(data) = own_dir(base, name)? else { return Ok(false) };
    match data.read(MARK, MAX_MARK) {
        Ok(found) => Ok(found == mark(stamp)),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Moves what only the former data have: logs, and what a backup of the database alone leaves as it is.
fn take_over(old: &Dir, new: &Dir) -> Result<(), UserError> {
    let Some(names) = old.names(MAX_TAKEN)? else {
        let why = format!("more than {MAX_TAKEN} entries: not taken over");
        return Err(UserError::Unusable { path: old.path().to_owned(), why });
    };
    let stays = |name: &OsStr| {
        let rest = [DATABASE, RUNTIME, MARK];
        rest.iter().chain(&BESIDE_DATABASE).any(|one| name == *one)
    };
    for name in names.iter().filter(|name| !stays(name)) {
        match old.rename_into(name, new) {
            Err(error) if !error.is_existing() => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// The names in the base directory.
pub(super) fn names(base: &Dir) -> Result<Vec<String>, FileError> {
    let names = base.names(MAX_ENTRIES)?.ok_or_else(|| {
        FileError::refused("listing", base.path(), format!("more than {MAX_ENTRIES} entries"))
    })?;
    Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
}
