//! Restores one home: into a new directory that only root can enter, and from there, complete, to its
//! place.

use super::BackupError;
use super::restic::{Restic, Snapshot};
use crate::sys::accounts::{self, Account};
use crate::sys::fs::trusted_path;
use crate::sys::process::tool;
use crate::sys::{Dir, fs};
use rustix::fs::FileType;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// How long the removal of a restored copy may take that did not get to its place.
const REMOVAL: Duration = Duration::from_mins(30);

/// Where a restored home goes.
#[derive(Debug)]
pub struct Place {
    parent: Dir,
    name: PathBuf,
    /// The account that must own it; `None` where it is only to be looked at.
    account: Option<Account>,
}

impl Place {
    /// The place of a user's home, where nothing or an empty directory may be.
    pub fn home(user: &str) -> Result<Self, BackupError> {
        let account = accounts::by_name(user)?;
        let place = Self { account: Some(account.clone()), ..Self::at(&account.home)? };
        place.check_free()?;
        Ok(place)
    }

    /// A directory that does not exist yet.
    pub fn new_directory(path: &Path) -> Result<Self, BackupError> {
        let place = Self::at(path)?;
        if place.parent.stat(&place.name)?.is_some() {
            return Err(place.refused("it exists already"));
        }
        Ok(place)
    }

    fn at(path: &Path) -> Result<Self, BackupError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            let why = "expected the path of a directory".to_owned();
            return Err(BackupError::Refused { path: path.to_owned(), why });
        };
        Ok(Self { parent: trusted_path::open_dir(parent)?, name: name.into(), account: None })
    }

    /// Its path.
    pub fn path(&self) -> PathBuf {
        self.parent.path().join(&self.name)
    }

    fn refused(&self, why: impl Into<String>) -> BackupError {
        BackupError::Refused { path: self.path(), why: why.into() }
    }

    /// Checks that nothing of a person's is there.
    fn check_free(&self) -> Result<(), BackupError> {
        let Some(stat) = self.parent.stat(&self.name)? else { return Ok(()) };
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            return Err(self.refused("something that is not a directory is there"));
        }
        let names = self.parent.open_dir(&self.name)?.names(1)?;
        if names.is_some_and(|names| names.is_empty()) {
            return Ok(());
        }
        Err(self.refused("the home is not empty: nothing is restored over it"))
    }
}

/// The newest backup of a user's home, or the one whose id begins with `id`.
pub fn choose(
    snapshots: Vec<Snapshot>,
    user: &str,
    id: Option<&str>,
) -> Result<Snapshot, BackupError> {
    let mut of_user: Vec<Snapshot> =
        snapshots.into_iter().filter(|snapshot| snapshot.user() == Some(user)).collect();
    let Some(id) = id else {
        return of_user.pop().ok_or_else(|| BackupError::NoSnapshot(user.to_owned()));
    };
    of_user.retain(|snapshot| !id.is_empty() && snapshot.id.starts_with(id));
    match of_user.pop() {
        Some(snapshot) if of_user.is_empty() => Ok(snapshot),
        _ => Err(BackupError::NoSuchSnapshot { user: user.to_owned(), id: id.to_owned() }),
    }
}

/// Restores a backup to its place. Until it is complete it is in a directory beside that place which only
/// root can enter, so that no user can lead restic elsewhere.
pub fn restore(
    restic: &Restic<'_>,
    snapshot: &Snapshot,
    place: &Place,
) -> Result<PathBuf, BackupError> {
    let staging = format!(".restore-{}", fs::random_hex());
    let staged = place.parent.ensure_dir(&staging)?; // 0700
    let result = restic
        .restore(snapshot, staged.path())
        .and_then(|()| put_in_place(&staged, snapshot, place));
    // Whatever is left in it is a copy: the directories above the home, or all of it after an error.
    let left = staged.path().as_os_str();
    let removal = [OsStr::new("-rf"), OsStr::new("--one-file-system"), OsStr::new("--"), left];
    if let Err(error) = tool::run("rm", removal, REMOVAL) {
        tracing::warn!(path = %staged.path().display(), %error, "not removed");
    }
    result.map(|()| place.path())
}

fn put_in_place(staged: &Dir, snapshot: &Snapshot, place: &Place) -> Result<(), BackupError> {
    let path = snapshot.paths.first().map(PathBuf::from).unwrap_or_default();
    let parts: Vec<&OsStr> = path
        .components()
        .filter_map(|part| if let Component::Normal(name) = part { Some(name) } else { None })
        .collect();
    let Some((name, above)) = parts.split_last() else {
        return Err(place.refused("the backup is not one of a home"));
    };
    let mut from: Option<Dir> = None;
    for part in above {
        from = Some(from.as_ref().unwrap_or(staged).open_dir(part)?);
    }
    let from = from.as_ref().unwrap_or(staged);
    let stat = from.stat(name)?.ok_or_else(|| place.refused("the backup holds no home"))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return Err(place.refused("the backup holds no directory"));
    }
    if let Some(account) = &place.account {
        if stat.st_uid != account.uid.as_raw() {
            let (was, is) = (stat.st_uid, account.uid);
            let why = format!("the backup belongs to uid {was}, and {} has uid {is}", account.name);
            return Err(place.refused(why));
        }
        place.check_free()?;
        if place.parent.stat(&place.name)?.is_some() {
            // Only while it is empty: a file that came meanwhile makes it fail.
            place.parent.remove_dir(&place.name)?;
        }
    }
    Ok(from.move_to(name, &place.parent, place.name.as_os_str())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(id: &str, user: &str) -> Snapshot {
        Snapshot {
            id: id.to_owned(),
            time: String::new(),
            hostname: String::new(),
            tags: vec!["terminal-lobby".to_owned(), format!("home={user}")],
            paths: vec![format!("/home/{user}")],
        }
    }

    #[test]
    fn the_newest_backup_of_that_user_is_chosen_or_the_one_that_is_named() {
        let all = || {
            [("aa1", "ann"), ("bb1", "bob"), ("aa2", "ann"), ("bb2", "bob")]
                .map(|(id, user)| snapshot(id, user))
                .to_vec()
        };
        let id = |user: &str, id: Option<&str>| choose(all(), user, id).map(|found| found.id).ok();
        assert_eq!(id("ann", None).as_deref(), Some("aa2"));
        assert_eq!(id("ann", Some("aa1")).as_deref(), Some("aa1"));
        for (user, wanted) in
            [("cem", None), ("ann", Some("bb1")), ("ann", Some("aa")), ("ann", Some(""))]
        {
            assert_eq!(id(user, wanted), None, "{user} {wanted:?}");
        }
    }
}
