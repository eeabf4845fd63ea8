//! Paths that are root's own: no other user could have changed what is there, or led the path
//! elsewhere. What is checked is what is used: the path is walked by descriptors, each is checked once
//! it is open, and the last one is handed out. Nothing is opened by name again.

use super::dir::{DIRECTORY, Excess, read_bounded, size};
use super::{Dir, FileError};
use crate::sys::accounts;
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

/// Maximum number of links on a path, as `path_resolution(7)` has it.
const MAX_LINKS: usize = 40;
const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// What happens to directories that are missing on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// They are made (0755, whatever the umask).
    Made,
    /// They are an error.
    Refused,
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// [`FileError::is_untrusted`] if it, a link that leads to it, or a directory above any of them is not
/// root's, or others may write it. Directories that others may write only with the sticky bit are
/// fine.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let (file, stat, real) = open_regular(path)?;
    read_bounded(file, size(&stat), &real, limit, Excess::Refused)
}

/// As [`read`] if this process is root. Other users read the file with their own rights and risks:
/// then it may be anybody's.
pub fn read_as_caller(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    if accounts::is_root() { read(path, limit) } else { super::read(path, limit) }
}

/// Opens a regular file for reading, with the errors of [`read`]; returns it with its real path.
pub fn open_file(path: &Path) -> Result<(File, PathBuf), FileError> {
    open_regular(path).map(|(file, _, real)| (file, real))
}

/// Opens a directory, with the errors of [`read`]; its [`Dir::path`] is the real one.
pub fn open_dir(path: &Path) -> Result<Dir, FileError> {
    let mut walk = Walk::from_root(path)?;
    match walk.walk_to_end(Missing::Refused)? {
        End::Directory => walk.here(),
        End::Other { path, .. } => Err(not_a_directory(path)),
    }
}

/// As [`open_dir`]; directories that are missing are made (0755, so that users reach their parts).
pub fn ensure_dir(path: &Path) -> Result<Dir, FileError> {
    let mut walk = Walk::from_root(path)?;
    match walk.walk_to_end(Missing::Made)? {
        End::Directory => walk.here(),
        End::Other { path, .. } => Err(not_a_directory(path)),
    }
}

/// Opens the real directory that something is in, for [`Dir`]'s operations on it, with the errors of
/// [`read`]; also returns its name there. It must exist and be root's own.
pub fn open_parent(path: &Path) -> Result<(Dir, OsString), FileError> {
    let mut walk = Walk::from_root(path)?;
    match walk.walk_to_end(Missing::Refused)? {
        End::Other { name, .. } => Ok((walk.here()?, name)),
        End::Directory => Err(FileError::refused("opening", path, "a directory")),
    }
}

/// Checks a path whose user is another program, which opens it by name: a program to be executed, a
/// configuration file of git. Returns the real path.
pub fn check(path: &Path) -> Result<PathBuf, FileError> {
    let mut walk = Walk::from_root(path)?;
    match walk.walk_to_end(Missing::Refused)? {
        End::Directory => Ok(walk.path),
        End::Other { path, .. } => Ok(path),
    }
}

/// Opens a regular file in a directory that was opened here, for reading; it must be root's own, too.
pub fn open_file_in(dir: &Dir, name: &str) -> Result<File, FileError> {
    let (file, stat) = dir.open_regular(Path::new(name))?;
    assert_roots(&stat, &dir.path().join(name), Sticky::Refused)?;
    Ok(file)
}

/// Opens the directory `path` of the host below `root`, following no link. For root, each directory on
/// the way must be root's and nobody else's to write, not even with the sticky bit.
pub fn open_dir_below(root: &Path, path: &Path, missing: Missing) -> Result<Dir, FileError> {
    let mut walk = Walk::below(root, path)?;
    match walk.walk_to_end(missing)? {
        End::Directory => walk.here(),
        End::Other { path, .. } => Err(not_a_directory(path)),
    }
}

/// Opens the directory that a file is in, as [`open_dir_below`]; also returns the file's name.
pub fn open_parent_below(
    root: &Path,
    path: &Path,
    missing: Missing,
) -> Result<(Dir, String), FileError> {
    let name = path.file_name().and_then(|name| name.to_str());
    let (Some(parent), Some(name)) = (path.parent(), name) else {
        return Err(FileError::refused("opening", path, "not a file whose name is UTF-8"));
    };
    Ok((open_dir_below(root, parent, missing)?, name.to_owned()))
}

/// Reads a regular file of the host below `root`, as [`open_dir_below`].
pub fn read_below(root: &Path, path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let (dir, name) = open_parent_below(root, path, Missing::Refused)?;
    let (file, stat) = dir.open_regular(Path::new(&name))?;
    let path = dir.path().join(name);
    if accounts::is_root() {
        assert_roots(&stat, &path, Sticky::Refused)?;
    }
    read_bounded(file, size(&stat), &path, limit, Excess::Refused)
}

fn not_a_directory(path: PathBuf) -> FileError {
    FileError::refused("opening directory", path, "not a directory")
}

fn open_regular(path: &Path) -> Result<(File, Stat, PathBuf), FileError> {
    let mut walk = Walk::from_root(path)?;
    match walk.walk_to_end(Missing::Refused)? {
        End::Directory => Err(FileError::refused("reading", walk.path, "not a regular file")),
        End::Other { name, path } => {
            // Opened by its name in a checked directory, and then checked itself: what was seen at
            // this name on the way does not count.
            let (file, stat) = walk.here()?.open_regular(Path::new(&name))?;
            assert_roots(&stat, &path, Sticky::Refused)?;
            Ok((file, stat, path))
        }
    }
}

/// Whether a directory may be open to others that has the sticky bit, with which they can remove
/// only what is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sticky {
    Allowed,
    Refused,
}

/// The one rule of what is root's own.
fn assert_roots(stat: &Stat, path: &Path, sticky: Sticky) -> Result<(), FileError> {
    if stat.st_uid != 0 {
        let why = format!("belongs to uid {}, not to root", stat.st_uid);
        return Err(FileError::untrusted(path, why));
    }
    let kind = FileType::from_raw_mode(stat.st_mode);
    let may_be_open = kind.is_symlink() // every link has mode 777
        || (sticky == Sticky::Allowed && kind.is_dir() && stat.st_mode & 0o1000 != 0);
    if stat.st_mode & 0o022 != 0 && !may_be_open {
        let why = format!("mode {:o}: others than root can write it", stat.st_mode & 0o7777);
        return Err(FileError::untrusted(path, why));
    }
    Ok(())
}

/// A way down a path, component by component.
struct Walk {
    /// The open directories from the start to where we are; never empty. `..` goes back to one of
    /// them, and so cannot be led elsewhere.
    dirs: Vec<OwnedFd>,
    path: PathBuf,
    rest: VecDeque<OsString>,
    links: Links,
    sticky: Sticky,
    /// Whether each part must be root's own.
    checked: bool,
}

enum Links {
    Refused,
    /// How many were.
    Followed(usize),
}

/// What is at the end.
enum End {
    /// The directory where the walk is.
    Directory,
    /// Something else, of this name in the directory where the walk is.
    Other { name: OsString, path: PathBuf },
}

impl Walk {
    fn from_root(path: &Path) -> Result<Self, FileError> {
        let absolute = std::path::absolute(path);
        let absolute = absolute.map_err(|source| FileError {
            doing: "resolving",
            path: path.to_owned(),
            source,
        })?;
        Self::new(Path::new("/"), &absolute, Links::Followed(0), Sticky::Allowed, true)
    }

    fn below(root: &Path, path: &Path) -> Result<Self, FileError> {
        Self::new(root, path, Links::Refused, Sticky::Refused, accounts::is_root())
    }

    fn new(
        root: &Path,
        path: &Path,
        links: Links,
        sticky: Sticky,
        checked: bool,
    ) -> Result<Self, FileError> {
        let top = rustix::fs::open(root, LOOK | OFlags::DIRECTORY, Mode::empty())
            .map_err(|source| FileError::system("opening directory", root, source))?;
        let mut rest = VecDeque::new();
        push(&mut rest, path);
        let walk = Self { dirs: vec![top], path: root.to_owned(), rest, links, sticky, checked };
        let stat = stat(walk.fd(), &walk.path)?;
        walk.check(&stat, &walk.path)?;
        Ok(walk)
    }

    fn fd(&self) -> &OwnedFd {
        &self.dirs[self.dirs.len() - 1]
    }

    /// The directory where the walk is.
    fn here(&mut self) -> Result<Dir, FileError> {
        let fd = rustix::fs::openat(self.fd(), ".", DIRECTORY, Mode::empty())
            .map_err(|source| FileError::system("opening directory", &self.path, source))?;
        Ok(Dir::from_fd(fd, std::mem::take(&mut self.path)))
    }

    fn check(&self, stat: &Stat, path: &Path) -> Result<(), FileError> {
        if self.checked { assert_roots(stat, path, self.sticky) } else { Ok(()) }
    }

    fn walk_to_end(&mut self, missing: Missing) -> Result<End, FileError> {
        while let Some(name) = self.rest.pop_front() {
            if name == ".." {
                if self.dirs.len() > 1 {
                    self.dirs.pop();
                    self.path.pop();
                }
                continue;
            }
            let path = self.path.join(&name);
            let fd = match rustix::fs::openat(self.fd(), &name, LOOK, Mode::empty()) {
                Err(Errno::NOENT) if missing == Missing::Made => self.make(&name, &path)?,
                fd => fd.map_err(|source| FileError::system("opening", &path, source))?,
            };
            let stat = stat(&fd, &path)?;
            self.check(&stat, &path)?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => {
                    self.dirs.push(fd);
                    self.path = path;
                }
                FileType::Symlink => self.follow(&fd, path)?,
                _ if self.rest.is_empty() => return Ok(End::Other { name, path }),
                _ => return Err(not_a_directory(path)),
            }
        }
        Ok(End::Directory)
    }

    /// Goes on where a link leads: from the directory it is in, or from the start.
    fn follow(&mut self, link: &OwnedFd, path: PathBuf) -> Result<(), FileError> {
        match &mut self.links {
            Links::Refused => {
                return Err(FileError::refused("opening directory", path, "a link: not followed"));
            }
            Links::Followed(count) => *count += 1,
        }
        if matches!(self.links, Links::Followed(count) if count > MAX_LINKS) {
            return Err(FileError::system("opening", path, Errno::LOOP));
        }
        // The link that was checked, whatever has its name now.
        let target = rustix::fs::readlinkat(link, "", Vec::new())
            .map_err(|source| FileError::system("reading link", &path, source))?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        if target.is_absolute() {
            self.dirs.truncate(1);
            self.path = PathBuf::from("/");
        }
        push(&mut self.rest, &target);
        Ok(())
    }

    fn make(&self, name: &OsStr, path: &Path) -> Result<OwnedFd, FileError> {
        let failed = |source| FileError::system("making directory", path, source);
        match rustix::fs::mkdirat(self.fd(), name, Mode::from_raw_mode(0o755)) {
            Ok(()) => {
                let made = rustix::fs::openat(self.fd(), name, DIRECTORY, Mode::empty());
                rustix::fs::fchmod(made.map_err(failed)?, Mode::from_raw_mode(0o755))
                    .map_err(failed)?; // whatever the umask was
                let parent = rustix::fs::openat(self.fd(), ".", DIRECTORY, Mode::empty());
                rustix::fs::fsync(parent.map_err(failed)?).map_err(failed)?;
            }
            Err(Errno::EXIST) => {}
            Err(source) => return Err(failed(source)),
        }
        rustix::fs::openat(self.fd(), name, LOOK, Mode::empty()).map_err(failed)
    }
}

fn stat(fd: &OwnedFd, path: &Path) -> Result<Stat, FileError> {
    rustix::fs::fstat(fd).map_err(|source| FileError::system("inspecting", path, source))
}

/// Puts the components of a path before the rest.
fn push(rest: &mut VecDeque<OsString>, path: &Path) {
    for component in path.components().rev() {
        match component {
            Component::Normal(name) => rest.push_front(name.to_owned()),
            Component::ParentDir => rest.push_front("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
