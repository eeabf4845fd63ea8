//! The directories that tmux keeps its sockets in, `/tmp/tmux-UID`. Any user can make any of them,
//! and tmux refuses one that belongs to another user: so root makes them first, while the host
//! comes up and no user's process runs yet.

use crate::sys::accounts::Account;
use crate::sys::fs::{Dir, FileError, trusted_path};
use rustix::fs::{FileType, Gid, Mode, Stat, Uid};
use rustix::io::Errno;
use std::path::Path;

/// Where tmux makes them unless `TMUX_TMPDIR` is set.
const TMP: &str = "/tmp";

/// As root: opens `/tmp`; refused if other users could remove what root makes in it.
pub(super) fn open() -> Result<Dir, FileError> {
    trusted_path::open_dir(Path::new(TMP))
}

/// As root: makes the user's directory (0700, owned by the user) if nothing is there. What belongs
/// to the user stays as it is; what belongs to another user is refused and left alone.
pub(super) fn ensure(tmp: &Dir, account: &Account) -> Result<(), FileError> {
    let name = format!("tmux-{}", account.uid);
    let path = tmp.path().join(&name);
    let made = match rustix::fs::mkdirat(tmp.fd(), &name, Mode::RWXU) {
        Ok(()) => true,
        Err(Errno::EXIST) => false,
        Err(source) => {
            return Err(FileError { doing: "making directory", path, source: source.into() });
        }
    };
    let found = tmp.stat(&name)?;
    if !made && found.is_some_and(|stat| stat.st_uid == account.uid.as_raw()) {
        return Ok(());
    }
    // Below a sticky directory, other users cannot replace what is root's.
    if !found.is_some_and(|stat| is_roots_directory(&stat)) {
        let why =
            found.map_or("removed by another process".to_owned(), |stat| foreign(&stat, account));
        return Err(FileError::refused("making directory", path, why));
    }
    let dir = tmp.open_dir(&name)?;
    // Empty: an earlier run was killed before it gave the directory to the user.
    if dir.names(0)?.is_none() {
        let why =
            format!("belongs to root and is not empty; the tmux of {} refuses it", account.name);
        return Err(FileError::refused("making directory", path, why));
    }
    let (uid, gid) = (Uid::from_raw(account.uid.as_raw()), Gid::from_raw(account.gid.as_raw()));
    rustix::fs::fchown(dir.fd(), Some(uid), Some(gid)).map_err(|source| FileError {
        doing: "giving away",
        path,
        source: source.into(),
    })
}

fn is_roots_directory(stat: &Stat) -> bool {
    stat.st_uid == rustix::process::geteuid().as_raw()
        && FileType::from_raw_mode(stat.st_mode).is_dir()
}

fn foreign(stat: &Stat, account: &Account) -> String {
    let Account { name, uid, .. } = account;
    let owner = stat.st_uid;
    format!(
        "exists and belongs to uid {owner}; {name} (uid {uid}) cannot start tmux until it is removed"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_directory_is_made_once_and_another_users_is_refused_and_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let tmp = Dir::open(root.path()).unwrap();
        let own = crate::sys::accounts::current().unwrap();
        let path = root.path().join(format!("tmux-{}", own.uid));
        ensure(&tmp, &own).unwrap();
        ensure(&tmp, &own).unwrap();
        let meta = path.symlink_metadata().unwrap();
        assert_eq!((meta.uid(), meta.mode()), (own.uid.as_raw(), 0o040_700));

        // What belongs to the user stays, whatever it is.
        std::fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink("/nowhere", &path).unwrap();
        ensure(&tmp, &own).unwrap();

        let other = Account { uid: unistd::Uid::from_raw(own.uid.as_raw() + 77), ..own.clone() };
        let path = root.path().join(format!("tmux-{}", other.uid));
        let refused = |why: &str| {
            let error = ensure(&tmp, &other).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        };
        for make in [
            (|path| std::os::unix::fs::symlink("/tmp", path)) as fn(&Path) -> std::io::Result<()>,
            |path| std::fs::write(path, "x"),
        ] {
            make(&path).unwrap();
            refused("exists and belongs to uid");
            std::fs::remove_file(&path).unwrap();
        }
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("default"), "").unwrap();
        refused("not empty");
        assert!(path.join("default").exists());
        if !own.uid.is_root() {
            return; // only root gives away
        }
        // Left by a run that was killed.
        std::fs::remove_file(path.join("default")).unwrap();
        ensure(&tmp, &other).unwrap();
        assert_eq!(path.symlink_metadata().unwrap().uid(), other.uid.as_raw());
        let third = unistd::Uid::from_raw(other.uid.as_raw() + 1);
        std::fs::rename(&path, root.path().join(format!("tmux-{third}"))).unwrap();
        let error = ensure(&tmp, &Account { uid: third, ..own }).unwrap_err().to_string();
        assert!(error.contains(&format!("exists and belongs to uid {}", other.uid)), "{error}");
    }
}
