//! Freezes a home: renames it into a directory on the same file system that only root can enter; and
//! puts it back.

use super::error::{HomeError, OffboardError};
use super::record::{ClosedHome, CutRecord, CutRecordFile, Frozen};
use super::sharers;
use super::step_runner::StepResult;
use crate::sys::Dir;
use crate::sys::fs::{self, Attributes, trusted_path, walk};
use crate::text::shown;
use rustix::fs::{FileType, Stat};
use std::path::{Path, PathBuf};

/// The directory beside the homes; root's, mode 0700.
const DIRECTORY: &str = ".terminal-lobby-frozen";

/// A frozen home, or one that can be frozen: its directory, and its name there.
type Place = (Dir, String);

/// The directory of a home, with links resolved, and the home's name there.
struct Home {
    parent: Dir,
    name: String,
}

impl Home {
    fn of(record: &CutRecord) -> Result<Self, OffboardError> {
        let home = Path::new(&record.home);
        let no_parent = || HomeError::NoParent(home.to_owned());
        let name = home.file_name().and_then(|name| name.to_str()).ok_or_else(no_parent)?;
        let parent = home.parent().filter(|parent| parent.is_absolute()).ok_or_else(no_parent)?;
        Ok(Self { parent: trusted_path::open_dir(parent)?, name: name.to_owned() })
    }

    fn path(&self) -> PathBuf {
        self.parent.path().join(&self.name)
    }

    /// The directory of frozen homes: made when absent, refused when it is open to others.
    fn frozen_dir(&self) -> Result<Dir, OffboardError> {
        let dir = self.parent.ensure_dir(DIRECTORY)?;
        let stat = stat(&dir)?;
        if stat.st_uid != 0 || stat.st_mode & 0o077 != 0 {
            return Err(HomeError::OpenToOthers(dir.path().to_owned()).into());
        }
        Ok(dir)
    }
}

/// Makes the home's top directory root's alone: nothing below it can be reached then, a copy with a set-id
/// bit included. A home that cannot be closed is a line: it does not stop the cut.
pub(super) fn close(file: &mut CutRecordFile) -> StepResult {
    let path = file.record.home.clone();
    let left = |why: &str| Ok(vec![format!("home {}: left as it is: {why}", shown(&path))]);
    if file.record.frozen.is_some() {
        return Ok(Vec::new());
    }
    if let Err(why) = sharers::check_home(&file.record.user, &path) {
        return left(&why.to_string());
    }
    let home = match Home::of(&file.record) {
        Ok(home) => home,
        Err(why) => return left(&why.to_string()),
    };
    let dir = match home.parent.open_dir(&home.name) {
        Ok(dir) => dir,
        Err(error) if error.is_not_found() => return left("absent"),
        Err(error) => return left(&error.to_string()),
    };
    let found = stat(&dir)?;
    if let Some(closed) = &file.record.closed
        && closed.inode == found.st_ino
        && found.st_uid == 0
    {
        return Ok(vec![format!("home {}: already closed", shown(&path))]);
    }
    if found.st_uid != file.record.uid {
        return left(&format!("it belongs to uid {}", found.st_uid));
    }
    let (inode, uid, gid) = (found.st_ino, found.st_uid, found.st_gid);
    file.record.closed = Some(ClosedHome { inode, uid, gid, mode: found.st_mode & 0o7777 });
    file.save()?;
    match fs::set_directory(&dir, Attributes { uid: 0, gid: 0, mode: 0o700 }) {
        Ok(()) => Ok(vec![format!("home {}: closed", shown(&path))]),
        Err(error) => left(&error.to_string()),
    }
}

/// Gives the top directory of a home, `name` in `parent`, the owner and the mode that it had.
fn reopen(file: &mut CutRecordFile, parent: &Dir, name: &str) -> Result<(), OffboardError> {
    let Some(closed) = file.record.closed.clone() else { return Ok(()) };
    let dir = match parent.open_dir(name) {
        Ok(dir) => dir,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let found = stat(&dir)?;
    if found.st_ino == closed.inode && found.st_uid == 0 {
        let ClosedHome { uid, gid, mode, .. } = closed;
        fs::set_directory(&dir, Attributes { uid, gid, mode })?;
    }
    file.record.closed = None;
    Ok(file.save()?)
}

/// Checks whether the home can be frozen, and gives its place. Changes nothing.
pub(super) fn freezable(record: &CutRecord) -> Result<Place, OffboardError> {
    let home = Home::of(record)?;
    check(record, &home)?;
    Ok((home.parent, home.name))
}

/// The inode of a home that can be frozen.
fn check(record: &CutRecord, home: &Home) -> Result<u64, OffboardError> {
    let path = home.path();
    let Some(found) = home.parent.stat(&home.name)? else {
        return Err(HomeError::Missing(path).into());
    };
    if !FileType::from_raw_mode(found.st_mode).is_dir() {
        return Err(HomeError::NotADirectory(path).into());
    }
    let closed = record.closed.as_ref();
    let is_closed = closed.is_some_and(|closed| closed.inode == found.st_ino) && found.st_uid == 0;
    if found.st_uid != record.uid && !is_closed {
        let (uid, expected) = (found.st_uid, record.uid);
        return Err(HomeError::ForeignOwner { path, uid, expected }.into());
    }
    if stat(&home.parent)?.st_dev != found.st_dev {
        return Err(HomeError::OwnFileSystem(path).into());
    }
    let doing = "reading the mounts of this host";
    let mounts = walk::mounts_below(&path).map_err(OffboardError::io(doing))?;
    if let Some(mount) = mounts.into_iter().next() {
        return Err(HomeError::Mounted(mount).into());
    }
    Ok(found.st_ino)
}

fn stat(dir: &Dir) -> Result<Stat, OffboardError> {
    let doing = format!("inspecting {}", shown(dir.path()));
    rustix::fs::fstat(dir.fd()).map_err(|errno| OffboardError::io(doing)(errno.into()))
}

/// Freezes the home, unless it is frozen already, and gives its place then.
pub(super) fn freeze(file: &mut CutRecordFile) -> Result<Place, OffboardError> {
    if let Some(frozen) = &file.record.frozen {
        let frozen = frozen.clone();
        if let Some((dir, name)) = find(&frozen)? {
            reopen(file, &dir, &name)?;
            return Ok((dir, name));
        }
    }
    let home = Home::of(&file.record)?;
    let inode = check(&file.record, &home)?;
    let dir = home.frozen_dir()?;
    let user = file.record.user.clone();
    let place = dir.path().join(&user);
    if dir.stat(&user)?.is_some() {
        return Err(HomeError::AlreadyFrozen(place).into());
    }
    let place = place.to_str().ok_or(HomeError::NotUtf8)?.to_owned();
    file.record.frozen = Some(Frozen { place, inode });
    file.save()?;
    home.parent.move_across(&home.name, &dir, &user, 0)?;
    // Only root reaches it there: the archive holds it as it was.
    reopen(file, &dir, &user)?;
    Ok((dir, user))
}

/// The place of a frozen home; `None` when it is missing.
pub(super) fn find(frozen: &Frozen) -> Result<Option<Place>, OffboardError> {
    let path = Path::new(&frozen.place);
    let parent = path.parent().filter(|parent| parent.file_name() == Some(DIRECTORY.as_ref()));
    let (Some(parent), Some(name)) = (parent, path.file_name().and_then(|name| name.to_str()))
    else {
        return Err(HomeError::UnknownPlace(path.to_owned()).into());
    };
    let dir = match trusted_path::open_dir(parent) {
        Ok(dir) => dir,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some(found) = dir.stat(name)? else { return Ok(None) };
    if found.st_ino != frozen.inode {
        return Err(HomeError::Replaced(path.to_owned()).into());
    }
    Ok(Some((dir, name.to_owned())))
}

/// As [`find`], of a home that must be frozen.
pub(super) fn existing(record: &CutRecord) -> Result<Place, OffboardError> {
    let Some(frozen) = &record.frozen else {
        return Err(HomeError::NotFrozen { user: record.user.clone() }.into());
    };
    Ok(find(frozen)?.ok_or_else(|| HomeError::FrozenMissing(frozen.place.clone()))?)
}

/// Puts a frozen home back.
pub(super) fn thaw(file: &mut CutRecordFile) -> StepResult {
    let Some(frozen) = file.record.frozen.clone() else {
        if file.record.closed.is_none() {
            return Ok(Vec::new());
        }
        let home = Home::of(&file.record)?;
        reopen(file, &home.parent, &home.name)?;
        return Ok(vec![format!("home {}: opened", shown(&home.path()))]);
    };
    let home = Home::of(&file.record)?;
    let at_home = home.parent.stat(&home.name)?;
    match find(&frozen)? {
        Some((dir, name)) => {
            if at_home.is_some() {
                let (home, frozen) = (home.path(), frozen.place);
                return Err(HomeError::Blocked { home, frozen }.into());
            }
            dir.move_across(&name, &home.parent, &home.name, 0)?;
        }
        None if at_home.is_some_and(|stat| stat.st_ino == frozen.inode) => {}
        None => return Err(HomeError::FrozenMissing(frozen.place).into()),
    }
    file.record.frozen = None;
    file.save()?;
    reopen(file, &home.parent, &home.name)?;
    Ok(vec![format!("home {}: put back", shown(&home.path()))])
}
