//! The home out of everybody's reach: renamed, whole, into a directory of root's on the same file
//! system; and back.

use super::record::{Frozen, Kept};
use crate::sys::Dir;
use crate::sys::fs::{trusted_path, walk};
use rustix::fs::FileType;
use std::path::{Path, PathBuf};

/// Beside the homes; 0700, root's.
const PLACE: &str = ".terminal-lobby-frozen";

/// Where a home is, through no link, and its name there.
struct Home {
    parent: Dir,
    name: String,
}

impl Home {
    fn of(kept: &Kept) -> Result<Self, String> {
        let home = Path::new(&kept.record.home);
        let wrong = || format!("home {}: not a directory below another", shown(home));
        let name = home.file_name().and_then(|name| name.to_str()).ok_or_else(wrong)?;
        let parent = home.parent().filter(|parent| parent.is_absolute()).ok_or_else(wrong)?;
        let real = parent.canonicalize().map_err(|error| format!("{}: {error}", shown(parent)))?;
        trusted_path::assert_roots_own(&real).map_err(String::from)?;
        Ok(Self { parent: Dir::open(&real).map_err(String::from)?, name: name.to_owned() })
    }

    fn path(&self) -> PathBuf {
        self.parent.path().join(&self.name)
    }

    /// The directory of frozen homes: made when absent, refused when it is anybody's but root's.
    fn frozen(&self) -> Result<Dir, String> {
        let dir = self.parent.ensure_dir(PLACE).map_err(String::from)?;
        let stat = rustix::fs::fstat(dir.fd()).map_err(|error| error.to_string())?;
        if stat.st_uid != 0 || stat.st_mode & 0o077 != 0 {
            return Err(format!("{}: is not root's alone", shown(dir.path())));
        }
        trusted_path::assert_roots_own(dir.path()).map_err(String::from)?;
        Ok(dir)
    }
}

/// Looks whether the home can be frozen: gives the directory it is in, and its name there. Nothing
/// of it is changed.
pub(super) fn live(kept: &Kept) -> Result<(Dir, String), String> {
    let home = Home::of(kept)?;
    check(kept, &home)?;
    Ok((home.parent, home.name))
}

fn check(kept: &Kept, home: &Home) -> Result<u64, String> {
    let path = home.path();
    let stat = home.parent.stat(&home.name).map_err(String::from)?;
    let stat = stat.ok_or_else(|| format!("home {}: is not there", shown(&path)))?;
    if !FileType::from_raw_mode(stat.st_mode).is_dir() {
        return Err(format!("home {}: is no directory", shown(&path)));
    }
    if stat.st_uid != kept.record.uid {
        let (is, was) = (stat.st_uid, kept.record.uid);
        return Err(format!("home {}: belongs to uid {is}, not to {was}", shown(&path)));
    }
    let above = rustix::fs::fstat(home.parent.fd()).map_err(|error| error.to_string())?;
    if above.st_dev != stat.st_dev {
        return Err(format!(
            "home {}: is a file system of its own; archive it by hand",
            shown(&path)
        ));
    }
    let mounts = walk::mounts_below(&path).map_err(|error| error.to_string())?;
    if let Some(mount) = mounts.first() {
        return Err(format!("{}: something is mounted there; unmount it first", shown(mount)));
    }
    Ok(stat.st_ino)
}

/// Freezes the home, if it is not frozen yet; gives the directory it is in then, and its name.
pub(super) fn freeze(kept: &mut Kept) -> Result<(Dir, String), String> {
    if let Some(frozen) = &kept.record.frozen {
        let frozen = frozen.clone();
        if let Some(found) = find(&frozen)? {
            return Ok(found);
        }
    }
    let home = Home::of(kept)?;
    let inode = check(kept, &home)?;
    let dir = home.frozen()?;
    let user = kept.record.user.clone();
    let place = dir.path().join(&user);
    if dir.stat(&user).map_err(String::from)?.is_some() {
        return Err(format!("{}: an older frozen home is there", shown(&place)));
    }
    let place = place.to_str().ok_or("a home whose path is not UTF-8")?.to_owned();
    kept.record.frozen = Some(Frozen { place, inode });
    kept.save()?;
    home.parent.move_across(&home.name, &dir, &user, 0).map_err(String::from)?;
    Ok((dir, user))
}

/// The frozen home: the directory it is in, and its name. `None` when it is not there.
pub(super) fn find(frozen: &Frozen) -> Result<Option<(Dir, String)>, String> {
    let path = Path::new(&frozen.place);
    let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str()))
    else {
        return Err(format!("{}: not a place of a frozen home", shown(path)));
    };
    if parent.file_name() != Some(PLACE.as_ref()) {
        return Err(format!("{}: not a place of a frozen home", shown(path)));
    }
    if !parent.exists() {
        return Ok(None);
    }
    trusted_path::assert_roots_own(parent).map_err(String::from)?;
    let dir = Dir::open(parent).map_err(String::from)?;
    let Some(stat) = dir.stat(name).map_err(String::from)? else { return Ok(None) };
    if stat.st_ino != frozen.inode {
        return Err(format!("{}: is another directory than the one that was frozen", shown(path)));
    }
    Ok(Some((dir, name.to_owned())))
}

/// Puts a frozen home back.
pub(super) fn thaw(kept: &mut Kept) -> Result<Vec<String>, String> {
    let Some(frozen) = kept.record.frozen.clone() else { return Ok(Vec::new()) };
    let home = Home::of(kept)?;
    let there = home.parent.stat(&home.name).map_err(String::from)?;
    match find(&frozen)? {
        Some((dir, name)) => {
            if there.is_some() {
                let path = shown(&home.path());
                return Err(format!(
                    "home {path}: something is there; the home stays at {}",
                    frozen.place
                ));
            }
            dir.move_across(&name, &home.parent, &home.name, 0).map_err(String::from)?;
        }
        None if there.is_some_and(|stat| stat.st_ino == frozen.inode) => {}
        None => return Err(format!("{}: the frozen home is gone", frozen.place)),
    }
    kept.record.frozen = None;
    kept.save()?;
    Ok(vec![format!("home {}: put back", shown(&home.path()))])
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
