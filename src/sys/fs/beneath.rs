//! What lies below an open directory, by a path that others chose: links are followed only as far as they stay below
//! it (openat2(2), since Linux 5.6).

use super::dir::{DIRECTORY, READ};
use super::{Dir, FileError};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;

const BELOW: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);
/// A rename elsewhere at that moment makes the kernel ask for another try.
const TRIES: usize = 8;

impl Dir {
    /// Opens a regular file below this directory for reading, of any owner. Never blocks on a fifo or a device.
    ///
    /// # Errors
    /// If it leads out of the directory, or is no regular file.
    pub fn file_below(&self, path: &Path) -> Result<File, FileError> {
        let flags = READ.difference(OFlags::NOFOLLOW);
        let file = File::from(self.open_below(path, flags)?);
        let stat =
            rustix::fs::fstat(&file).map_err(|source| self.error("reading", path, source))?;
        if !FileType::from_raw_mode(stat.st_mode).is_file() {
            let whole = self.path().join(path);
            return Err(FileError::refused("reading", whole, "not a regular file"));
        }
        Ok(file)
    }

    /// Opens a directory below this one.
    ///
    /// # Errors
    /// If it leads out of this directory, or is none.
    pub fn dir_below(&self, path: &Path) -> Result<Self, FileError> {
        let flags = DIRECTORY.difference(OFlags::NOFOLLOW);
        Ok(Self::from_fd(self.open_below(path, flags)?, self.path().join(path)))
    }

    fn open_below(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, FileError> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        for _ in 0..TRIES {
            match rustix::fs::openat2(self.fd(), path, flags, Mode::empty(), BELOW) {
                Ok(fd) => return Ok(fd),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(Errno::XDEV) => {
                    let why = "leads out of its directory";
                    return Err(FileError::refused("opening", self.path().join(path), why));
                }
                Err(source) => return Err(self.error("opening", path, source)),
            }
        }
        Err(self.error("opening", path, Errno::AGAIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_what_stays_below_is_opened_and_only_regular_files() {
        let root = tempfile::tempdir().unwrap();
        let top = root.path().join("top");
        std::fs::create_dir_all(top.join("inner")).unwrap();
        std::fs::write(top.join("inner/file"), "yes").unwrap();
        std::fs::write(root.path().join("secret"), "no").unwrap();
        symlink("inner/file", top.join("good")).unwrap();
        symlink("../secret", top.join("out")).unwrap();
        symlink(root.path().join("secret"), top.join("absolute")).unwrap();
        symlink("..", top.join("up")).unwrap();
        symlink("/proc/self/root", top.join("magic")).unwrap();
        let dir = Dir::open(&top).unwrap();
        rustix::fs::mknodat(dir.fd(), "fifo", FileType::Fifo, Mode::RWXU, 0).unwrap();
        for good in ["inner/file", "good", "inner/../inner/file"] {
            let mut text = String::new();
            dir.file_below(Path::new(good)).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "yes", "{good}");
        }
        for bad in [
            "out",
            "absolute",
            "../secret",
            "up/secret",
            "magic/etc/passwd",
            "/etc/passwd",
            "fifo",
            "inner",
            "",
        ] {
            assert!(dir.file_below(Path::new(bad)).is_err(), "{bad}");
        }
        assert!(dir.dir_below(Path::new("")).is_ok() && dir.dir_below(Path::new("inner")).is_ok());
        for bad in ["up", "..", "/", "good", "magic"] {
            assert!(dir.dir_below(Path::new(bad)).is_err(), "{bad}");
        }
    }
}
