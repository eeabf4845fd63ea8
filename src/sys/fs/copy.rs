//! Copies of regular files, hashed on the way, and exchanging two entries of a directory.

use super::{Dir, FileError};
use rustix::fs::{Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

/// How much is read at once, in bytes.
const PART: usize = 1 << 20;

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedFile {
    /// In bytes.
    pub bytes: u64,
    /// Hexadecimal digits.
    pub sha256: String,
}

impl Dir {
    /// Copies an open file to a new file (0600) of this directory; its blocks are shared with the original where the
    /// file system can, and long runs of zeros become holes. Nothing waits for the disk. What is incomplete is
    /// removed.
    ///
    /// # Errors
    /// If it is longer than `limit` bytes ([`FileError::is_too_large`]), or takes until after `until`
    /// ([`FileError::is_timeout`]).
    pub fn copy_new(
        &self,
        name: &Path,
        from: &File,
        limit: u64,
        until: Instant,
    ) -> Result<CopiedFile, FileError> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(self.fd(), name, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|source| self.error("making", name, source))?;
        let to = File::from(fd);
        let copied = copy(from, &to, limit, until);
        copied.map_err(|source| {
            let _ = self.remove(name);
            FileError { doing: "copying to", path: self.path().join(name), source }
        })
    }

    /// Exchanges two entries in one step, so that each name has one of them at every moment; whether the file system
    /// can. The caller syncs the directory.
    pub fn exchange(&self, one: &str, other: &str) -> Result<bool, FileError> {
        match self.rename(one, other, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(true),
            Err(error) if error.source.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

/// The hash of an open file from its beginning.
///
/// # Errors
/// If it is longer than `limit` bytes, or takes until after `until`.
pub fn hash_open(file: &File, limit: u64, until: Instant) -> io::Result<CopiedFile> {
    each_part(file, limit, until, |_, _| Ok(()))
}

fn copy(from: &File, to: &File, limit: u64, until: Instant) -> io::Result<CopiedFile> {
    if rustix::fs::ioctl_ficlone(to, from).is_ok() {
        return hash_open(to, limit, until);
    }
    let mut to_end = 0;
    let copied = each_part(from, limit, until, |at, part| {
        to_end = at + part.len() as u64;
        if part.iter().all(|byte| *byte == 0) { Ok(()) } else { to.write_all_at(part, at) }
    })?;
    rustix::fs::ftruncate(to, to_end)?;
    Ok(copied)
}

fn each_part(
    file: &File,
    limit: u64,
    until: Instant,
    mut take: impl FnMut(u64, &[u8]) -> io::Result<()>,
) -> io::Result<CopiedFile> {
    let (mut hash, mut buffer, mut at) = (Sha256::new(), vec![0; PART], 0_u64);
    loop {
        let read = match file.read_at(&mut buffer, at) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if at + read as u64 > limit {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("larger than {limit} bytes"),
            ));
        }
        if Instant::now() >= until {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "not done in the time that it may take",
            ));
        }
        hash.update(&buffer[..read]);
        take(at, &buffer[..read])?;
        at += read as u64;
    }
    Ok(CopiedFile { bytes: at, sha256: crate::text::hex(&hash.finalize()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;
    use std::time::Duration;

    #[test]
    fn a_copy_has_the_bytes_and_the_holes_and_what_is_too_large_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let dir = Dir::open(root.path()).unwrap();
        let path = root.path().join("from");
        let file = File::create(&path).unwrap();
        file.write_all_at(b"begin", 0).unwrap();
        file.write_all_at(b"end", 40 << 20).unwrap();
        file.set_len(64 << 20).unwrap();
        let from = File::open(&path).unwrap();
        let soon = Instant::now() + Duration::from_mins(1);
        let copied = dir.copy_new(Path::new("to"), &from, 64 << 20, soon).unwrap();
        assert_eq!((copied.bytes, copied.sha256.len()), (64 << 20, 64));
        let to = root.path().join("to");
        assert_eq!(hash_open(&File::open(&to).unwrap(), u64::MAX, soon).unwrap(), copied);
        let stat = to.metadata().unwrap();
        assert_eq!(stat.mode() & 0o777, 0o600);
        assert!(stat.blocks() * 512 < 8 << 20, "{}", stat.blocks());
        let error = dir.copy_new(Path::new("more"), &from, (64 << 20) - 1, soon).unwrap_err();
        assert!(error.is_too_large(), "{error}");
        let error = dir.copy_new(Path::new("late"), &from, u64::MAX, Instant::now()).unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert!(dir.copy_new(Path::new("to"), &from, u64::MAX, soon).unwrap_err().is_existing());
        let mut names = dir.names(9).unwrap().unwrap();
        names.sort();
        assert_eq!(names, ["from", "to"]);
    }

    #[test]
    fn two_entries_change_places() {
        let root = tempfile::tempdir().unwrap();
        let dir = Dir::open(root.path()).unwrap();
        for name in ["one", "other"] {
            std::fs::create_dir(root.path().join(name)).unwrap();
            std::fs::write(root.path().join(name).join(name), "").unwrap();
        }
        assert!(dir.exchange("one", "other").unwrap());
        assert!(root.path().join("one/other").exists() && root.path().join("other/one").exists());
        assert!(dir.exchange("one", "none").unwrap_err().is_not_found());
    }
}
