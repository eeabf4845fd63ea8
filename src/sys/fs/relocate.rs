//! Moving an entry of any kind from one directory into another, across file systems if it must be.

use super::atomic::write_error;
use super::dir::{Excess, read_bounded, size};
use super::{Dir, FileError};
use rustix::fs::{RenameFlags, Stat, Timestamps};
use rustix::io::Errno;
use shared::atomic::{Existing, Options, StagedFile, Temporary};
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::Path;

impl Dir {
    /// Moves an entry into another directory of the same file system, to a name that nothing may have.
    pub fn move_to(&self, name: &OsStr, to: &Self, new_name: &OsStr) -> Result<(), FileError> {
        rustix::fs::renameat_with(self.fd(), name, to.fd(), new_name, RenameFlags::NOREPLACE)
            .map_err(|source| to.error("moving to", new_name, source))?;
        to.sync()?;
        self.sync()
    }

    /// As [`Dir::move_to`], to the same name.
    pub fn rename_into(&self, name: &OsStr, to: &Self) -> Result<(), FileError> {
        self.move_to(name, to, name)
    }

    /// Moves `name` to `new_name` in another directory, where nothing may have that name. To another
    /// file system a regular file of at most `limit` bytes is copied, with owner, mode and times, and
    /// then removed here. The caller holds a lock that excludes other moves into that directory.
    pub fn move_across(
        &self,
        name: &str,
        to: &Self,
        new_name: &str,
        limit: u64,
    ) -> Result<(), FileError> {
        match rustix::fs::renameat_with(self.fd(), name, to.fd(), new_name, RenameFlags::NOREPLACE)
        {
            Ok(()) => {}
            Err(Errno::XDEV) => self.copy_across(name, to, new_name, limit)?,
            Err(source) => return Err(to.error("moving to", new_name, source)),
        }
        to.sync()?;
        self.sync()
    }

    fn copy_across(
        &self,
        name: &str,
        to: &Self,
        new_name: &str,
        limit: u64,
    ) -> Result<(), FileError> {
        let path = self.path().join(name);
        let (mut from, stat) = self.open_regular(Path::new(name))?;
        if to.stat(new_name)?.is_some() {
            // A killed move may have copied it and not removed it here yet.
            let (copy, copied) = to.open_regular(Path::new(new_name))?;
            let copy_path = to.path().join(new_name);
            let copy = read_bounded(copy, size(&copied), &copy_path, limit, Excess::Refused)?;
            let same = copy == read_bounded(from, size(&stat), &path, limit, Excess::Refused)?;
            return if same {
                self.remove(name)
            } else {
                Err(to.error("moving to", new_name, Errno::EXIST))
            };
        }
        to.remove(old_temporary_name(new_name))?;
        let failed = |error| write_error(to, Path::new(new_name), error);
        let temporary = Temporary::OfTarget;
        let mut copy = StagedFile::create(to, OsStr::new(new_name), temporary).map_err(failed)?;
        let copied = io::copy(&mut Read::take(&mut from, limit.saturating_add(1)), &mut copy);
        let copied =
            copied.map_err(|source| FileError { doing: "copying", path: path.clone(), source })?;
        if copied > limit {
            return Err(FileError::refused("copying", path, format!("larger than {limit} bytes")));
        }
        copy.commit(&like(&stat)).map_err(failed)?;
        self.remove(name)
    }
}

/// The temporary name of releases up to 0.1.0, which a killed move of theirs may have left.
fn old_temporary_name(name: &str) -> String {
    format!(".new-{name}")
}

/// A new file with the owner, mode and times of another one.
fn like(stat: &Stat) -> Options {
    let time = |seconds, nanoseconds: u64| rustix::fs::Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds.try_into().unwrap_or(0),
    };
    Options {
        existing: Existing::Kept,
        mode: stat.st_mode & 0o7777,
        owner: Some((stat.st_uid, stat.st_gid)),
        times: Some(Timestamps {
            last_access: time(stat.st_atime, stat.st_atime_nsec),
            last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
        }),
        ..Options::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    #[test]
    fn a_copy_to_another_file_system_keeps_everything_and_a_killed_one_is_finished() {
        let root = tempfile::tempdir().unwrap();
        for name in ["from", "to"] {
            std::fs::create_dir(root.path().join(name)).unwrap();
        }
        let (from, to) =
            ["from", "to"].map(|dir| Dir::open(&root.path().join(dir)).unwrap()).into();
        let source = root.path().join("from/job");
        std::fs::write(&source, "text").unwrap();
        std::fs::set_permissions(&source, std::fs::Permissions::from_mode(0o640)).unwrap();
        let before = source.metadata().unwrap();
        for left in [".new-job", ".new-job.tmp"] {
            std::fs::write(root.path().join("to").join(left), "half").unwrap();
        }
        assert!(from.copy_across("job", &to, "job", 3).is_err());
        from.copy_across("job", &to, "job", 4).unwrap();
        let after = root.path().join("to/job").metadata().unwrap();
        assert_eq!((after.mode(), after.mtime_nsec()), (before.mode(), before.mtime_nsec()));
        assert_eq!(to.names(9).unwrap().unwrap(), ["job"]);
        assert!(!source.exists());
        std::fs::write(&source, "text").unwrap();
        from.copy_across("job", &to, "job", 4).unwrap();
        assert!(!source.exists());
        std::fs::write(&source, "other").unwrap();
        assert!(from.copy_across("job", &to, "job", 9).unwrap_err().is_existing());
        assert!(source.exists());
    }
}
