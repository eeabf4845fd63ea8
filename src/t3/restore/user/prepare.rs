//! Makes the data of a backup ready beside the present ones: copied, compared with the manifest, and on the disk.

use super::super::protocol::{NEW, What};
use super::swap::{MARK, mark, names};
use crate::sys::Dir;
use crate::sys::fs::{Existing, FileError, walk};
use crate::t3::backup::user::{Shelf, UserError};
use crate::t3::backup::{BackupId, FileFacts};
use crate::t3::state_dir::{ATTACHMENTS, DATABASE, SECRETS, SINGLE_FILES, USERDATA};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What is to be made ready.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    pub id: &'a BackupId,
    pub what: What,
    pub stamp: &'a str,
    /// The hash that the manifest must have.
    pub sha256: Option<&'a str>,
    /// How long it may take.
    pub seconds: u64,
    /// What stays free on the disk, in bytes.
    pub keep_free_bytes: u64,
}

/// Makes `userdata.new-STAMP`.
///
/// # Errors
/// If the backup is not as it was made ([`UserError::Corrupt`]), or does not fit. Nothing is left of it then, and the
/// present data are not touched in any case.
pub fn prepare(base: &Dir, shelf: &Shelf, order: &Order<'_>) -> Result<(), UserError> {
    remove_unfinished(base)?;
    let made = fill(base, shelf, order);
    if made.is_err() {
        let _ = remove_unfinished(base);
    }
    made
}

fn fill(base: &Dir, shelf: &Shelf, order: &Order<'_>) -> Result<(), UserError> {
    let until = Instant::now() + Duration::from_secs(order.seconds);
    let (manifest, sha256) = shelf.manifest(order.id)?;
    if order.sha256.is_some_and(|recorded| recorded != sha256) {
        return Err(UserError::Corrupt("its manifest was changed since it was made".to_owned()));
    }
    let attachments = match order.what {
        What::All => shelf.attachments(order.id)?,
        What::Database => Vec::new(),
    };
    let files =
        manifest.files.iter().filter(|(name, _)| order.what == What::All || *name == DATABASE);
    let files: Vec<(&String, &FileFacts)> = files.collect();
    let sizes = files.iter().map(|(_, facts)| facts.bytes);
    let sizes = sizes.chain(attachments.iter().map(|one| one.facts.bytes));
    check_space(base, sizes.fold(order.keep_free_bytes, u64::saturating_add))?;
    let from = shelf.open_backup(order.id)?.open_dir(USERDATA)?;
    let to = base.ensure_dir(&format!("{NEW}{}", order.stamp))?;
    if !manifest.files.contains_key(DATABASE) {
        return Err(UserError::Corrupt("it has no database".to_owned()));
    }
    for (name, facts) in files {
        match name.split_once('/') {
            None if name == DATABASE || SINGLE_FILES.contains(&name.as_str()) => {
                copy(&from, &to, OsStr::new(name), facts, until)?;
            }
            Some((SECRETS, name)) if !name.contains('/') => {
                let to = to.ensure_dir(SECRETS)?;
                copy(&from.open_dir(SECRETS)?, &to, OsStr::new(name), facts, until)?;
            }
            _ => return Err(UserError::Corrupt(format!("an unknown file: {name}"))),
        }
    }
    if order.what == What::All {
        let (from, to) = (from.open_dir(ATTACHMENTS)?, to.ensure_dir(ATTACHMENTS)?);
        for one in attachments {
            attachment((&from, &to), &one.path, &one.facts, until)?;
        }
    }
    to.write(MARK, &mark(order.stamp), Existing::Replaced)?;
    base.sync_file_system()?;
    Ok(base.sync()?)
}

/// Copies one attachment; directories on the way are made.
fn attachment(
    (from, to): (&Dir, &Dir),
    path: &[u8],
    facts: &FileFacts,
    until: Instant,
) -> Result<(), UserError> {
    let parts: Vec<&OsStr> = path.split(|byte| *byte == b'/').map(OsStr::from_bytes).collect();
    let is_name = |part: &&OsStr| !part.is_empty() && *part != "." && *part != "..";
    let Some((name, above)) = parts.split_last().filter(|_| parts.iter().all(is_name)) else {
        return Err(UserError::Corrupt("the name of an attachment leads elsewhere".to_owned()));
    };
    let (mut below_from, mut below_to): (Option<Dir>, Option<Dir>) = (None, None);
    for part in above {
        let to = below_to.as_ref().unwrap_or(to);
        match to.make_private_dir(part) {
            Err(error) if !error.is_existing() => return Err(error.into()),
            _ => {}
        }
        let next = to.open_dir(part)?;
        below_from = Some(below_from.as_ref().unwrap_or(from).open_dir(part)?);
        below_to = Some(next);
    }
    let (from, to) = (below_from.as_ref().unwrap_or(from), below_to.as_ref().unwrap_or(to));
    copy(from, to, name, facts, until)
}

fn copy(
    from: &Dir,
    to: &Dir,
    name: &OsStr,
    facts: &FileFacts,
    until: Instant,
) -> Result<(), UserError> {
    let changed = || {
        let path = crate::text::shown(&from.path().join(name)).to_string();
        UserError::Corrupt(format!("{path}: changed since the backup was made"))
    };
    let file = match from.open_own_file(Path::new(name)) {
        Err(error) if error.is_not_found() => return Err(changed()),
        file => file?,
    };
    match to.copy_new(Path::new(name), &file, facts.bytes, until) {
        Ok(made) if (made.bytes, &made.sha256) == (facts.bytes, &facts.sha256) => Ok(()),
        Ok(_) => Err(changed()),
        Err(error) if error.is_too_large() => Err(changed()),
        Err(error) => Err(error.into()),
    }
}

fn check_space(base: &Dir, needed: u64) -> Result<(), UserError> {
    let free = base.file_system()?.free;
    if free >= needed {
        return Ok(());
    }
    let path: PathBuf = base.path().to_owned();
    Err(UserError::NoSpace { path, free: free >> 20, needed: needed.div_ceil(1 << 20) })
}

/// Removes what killed or failed runs made ready. It never has the only copy of anything: what is exchanged with it
/// says by its mark which is which, and is finished first.
fn remove_unfinished(base: &Dir) -> Result<(), FileError> {
    for name in names(base)?.iter().filter(|name| name.starts_with(NEW)) {
        walk::remove(base, name)?;
    }
    Ok(())
}
