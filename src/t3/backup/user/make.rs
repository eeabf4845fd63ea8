//! One backup: copied beside the others under another name, checked, described, and only then given its name.

use super::attachments::{self, Previous};
use super::database::{self, Source};
use super::{Shelf, UserError, single_files};
use crate::sys::Dir;
use crate::sys::fs::{Existing, hash_open};
use crate::t3::backup::id::BackupId;
use crate::t3::backup::limits::Limits;
use crate::t3::backup::manifest::{FILES, FORMAT, FileFacts, MANIFEST, Manifest, encode};
use crate::t3::backup::protocol::Made;
use crate::t3::backup::retention::superfluous;
use crate::t3::state_dir::{ATTACHMENTS, DATABASE, ENVIRONMENT_ID, USERDATA, own_dir};
use crate::text::hex;
use rustix::fs::FileType;
use sha2::{Digest as _, Sha256};
use std::time::{Duration, Instant};

/// Maximum size of the name of an environment, in bytes.
const MAX_ENVIRONMENT: u64 = 4096;

/// What is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    pub id: &'a BackupId,
    pub limits: &'a Limits,
    /// The backup of the running change, which stays.
    pub protected: Option<&'a BackupId>,
    /// Seconds since the epoch.
    pub now: u64,
}

/// Makes a backup of the instance whose base directory is `base`, and then removes those that are no longer needed.
///
/// # Errors
/// Then nothing is left of it, and the older ones are as they were.
pub fn make(base: &Dir, shelf: &Shelf, order: &Order<'_>) -> Result<Made, UserError> {
    let begin = Instant::now();
    shelf.remove_partial()?;
    let userdata = own_dir(base, USERDATA)?.ok_or(UserError::NoData)?;
    let mut made = match fill(&userdata, shelf, order, begin) {
        Ok(made) => made,
        Err(error) => {
            let _ = shelf.remove_partial();
            return Err(error);
        }
    };
    for id in superfluous(&shelf.complete()?, order.limits, order.protected, order.now) {
        match shelf.remove(&id) {
            Ok(()) => made.removed.push(id),
            Err(error) => made.notes.push(format!("an older backup was not removed: {error}")),
        }
    }
    Ok(made)
}

fn fill(
    userdata: &Dir,
    shelf: &Shelf,
    order: &Order<'_>,
    begin: Instant,
) -> Result<Made, UserError> {
    let Order { id, limits, .. } = *order;
    let (until, seconds) = (begin + Duration::from_secs(limits.seconds), limits.seconds);
    match userdata.stat(DATABASE)? {
        None => return Err(UserError::NoData),
        Some(stat) if !FileType::from_raw_mode(stat.st_mode).is_file() => {
            let path = userdata.path().join(DATABASE);
            return Err(UserError::Unusable { path, why: "not a regular file".to_owned() });
        }
        Some(_) => {}
    }
    let source = Source::open(&userdata.path().join(DATABASE), until, seconds)?;
    let (previous, mut notes) = (previous(shelf), Vec::new());
    let attached = match own_dir(userdata, ATTACHMENTS) {
        Ok(dir) => dir,
        Err(error) => {
            notes.push(error.to_string());
            None
        }
    };
    let estimate = attached.as_ref().map_or(0, |dir| attachments::estimate(dir, limits, &previous));
    check_space(shelf, source.size()?.saturating_add(estimate), limits)?;
    let dir = shelf.begin(id)?;
    let to = dir.ensure_dir(USERDATA)?;
    let copy = to.path().join(DATABASE);
    source.copy_to(&copy)?;
    drop(source);
    let facts = database::check(&copy, until, seconds)?;
    to.set_mode(DATABASE, 0o600)?;
    let hashed = to.open_own_file(DATABASE).map(|file| hash_open(&file, u64::MAX, until))?;
    let hashed = hashed.map_err(|source| crate::sys::FileError {
        doing: "reading",
        path: copy.clone(),
        source,
    })?;
    let mut files = single_files::copy(userdata, &to, until, &mut notes)?;
    let database_bytes = hashed.bytes;
    files.insert(DATABASE.to_owned(), FileFacts { bytes: hashed.bytes, sha256: hashed.sha256 });
    let copies = to.ensure_dir(ATTACHMENTS)?;
    let attached = match attached {
        Some(from) => attachments::copy(&from, &copies, &previous, limits, until)?,
        None => attachments::Copied::default(),
    };
    let list = encode(&attached.list);
    dir.write(FILES, &list, Existing::Kept)?;
    notes.extend(attached.notes);
    let manifest = Manifest {
        format: FORMAT,
        id: id.clone(),
        made_by: env!("CARGO_PKG_VERSION").to_owned(),
        environment: environment(&to),
        migration_level: facts.migration_level,
        pages: facts.pages,
        page_bytes: facts.page_bytes,
        files,
        attachments: attached.list.len(),
        attachment_bytes: attached.bytes,
        linked: attached.linked,
        list_sha256: hex(&Sha256::digest(&list)),
        notes: notes.clone(),
        took_ms: begin.elapsed().as_millis().try_into().unwrap_or(u64::MAX),
    };
    let bytes = serde_json::to_vec_pretty(&manifest)
        .map_err(|source| UserError::Json { path: dir.path().join(MANIFEST), source })?;
    // All that the manifest names is on the disk before there is a manifest.
    dir.sync_file_system()?;
    dir.write(MANIFEST, &bytes, Existing::Kept)?;
    shelf.finish(id)?;
    let bytes_new = database_bytes.saturating_add(attached.new_bytes);
    Ok(Made { bytes: bytes_new, sha256: hex(&Sha256::digest(&bytes)), notes, removed: Vec::new() })
}

/// The newest complete backup's attachments; none if they cannot be read.
fn previous(shelf: &Shelf) -> Previous {
    let found = || {
        let id = shelf.complete().ok()?.pop()?;
        let list = shelf.attachments(&id).ok()?;
        let dir = shelf.open_backup(&id).ok()?.open_dir(USERDATA).ok()?.open_dir(ATTACHMENTS).ok();
        let list = list.into_iter().map(|one| (one.path.clone(), one)).collect();
        Some(Previous { dir, list })
    };
    found().unwrap_or_default()
}

fn check_space(shelf: &Shelf, needed: u64, limits: &Limits) -> Result<(), UserError> {
    let free = shelf.dir().file_system()?.free;
    let needed = needed.saturating_add(limits.keep_free_bytes);
    if free >= needed {
        return Ok(());
    }
    let path = shelf.dir().path().to_owned();
    Err(UserError::NoSpace { path, free: free >> 20, needed: needed.div_ceil(1 << 20) })
}

fn environment(userdata: &Dir) -> Option<String> {
    let bytes = userdata.read(ENVIRONMENT_ID, MAX_ENVIRONMENT).ok()?;
    Some(String::from_utf8_lossy(bytes.trim_ascii()).into_owned())
}
