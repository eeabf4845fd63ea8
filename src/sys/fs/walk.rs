//! Walks and removes the tree of another user by descriptors: no link is followed, no other file system
//! is entered, and one descriptor is open, however deep the tree is.

use super::{Dir, FileError};
use rustix::fs::{AtFlags, FileType, IFlags, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Maximum length of a path, in bytes; a deeper tree is refused.
const MAX_PATH: usize = 64 << 10;
const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const READ: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// An entry of a tree.
#[derive(Debug)]
pub struct Node<'a> {
    /// Its path, which begins with the name of the tree.
    pub path: &'a [u8],
    pub stat: Stat,
    parent: &'a OwnedFd,
    name: &'a OsStr,
}

impl Node<'_> {
    pub fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }

    /// The target of a link.
    pub fn target(&self) -> Result<Vec<u8>, FileError> {
        let target = rustix::fs::readlinkat(self.parent, self.name, Vec::new());
        Ok(target.map_err(|source| failed("reading link", self.path, source))?.into_bytes())
    }

    /// Opens a regular file for reading, which must still be the one that was visited.
    pub fn open(&self) -> Result<std::fs::File, FileError> {
        let fd = rustix::fs::openat(self.parent, self.name, READ, Mode::empty())
            .map_err(|source| failed("reading", self.path, source))?;
        let stat = rustix::fs::fstat(&fd).map_err(|source| failed("reading", self.path, source))?;
        if (stat.st_dev, stat.st_ino) != (self.stat.st_dev, self.stat.st_ino) {
            return Err(FileError::refused("reading", shown(self.path), "changed meanwhile"));
        }
        Ok(std::fs::File::from(fd))
    }
}

/// Visits `name` in `parent` and all below it: a directory before what is in it, names in the order
/// of their bytes.
///
/// # Errors
/// The visitor's; an entry cannot be read; there is another file system in the tree.
pub fn walk<E: From<FileError>>(
    parent: &Dir,
    name: &str,
    mut visit: impl FnMut(&Node<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let top = rustix::io::dup(parent.fd()).map_err(|e| failed("opening", b"", e))?;
    let mut cursor = Cursor { fd: top, parents: Vec::new(), device: None };
    let mut path: Vec<u8> = Vec::new();
    let mut frames = vec![(vec![OsString::from(name)].into_iter(), 0)];
    while let Some((names, length)) = frames.last_mut() {
        path.truncate(*length);
        let Some(name) = names.next() else {
            frames.pop();
            if !frames.is_empty() {
                cursor.up(&path)?;
            }
            continue;
        };
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend(name.as_bytes());
        if path.len() > MAX_PATH {
            let why = format!("a path of more than {MAX_PATH} bytes: shorten it by hand first");
            return Err(FileError::refused("going into", shown(&path[..256]), why).into());
        }
        let stat = rustix::fs::statat(&cursor.fd, &name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|source| failed("inspecting", &path, source))?;
        visit(&Node { path: &path, stat, parent: &cursor.fd, name: &name })?;
        if FileType::from_raw_mode(stat.st_mode).is_dir() {
            cursor.down(&name, &path)?;
            let mut names = cursor.names(&path)?;
            names.sort_unstable_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
            frames.push((names.into_iter(), path.len()));
        }
    }
    Ok(())
}

/// Removes the directory `name` in `parent` with all below it; a missing one is no error. The attributes
/// immutable and append-only (chattr(1)) are cleared, and set again if another name keeps the file.
///
/// # Errors
/// An entry cannot be removed; there is another file system in the tree.
pub fn remove(parent: &Dir, name: &str) -> Result<(), FileError> {
    let Some(stat) = parent.stat(name)? else { return Ok(()) };
    if !FileType::from_raw_mode(stat.st_mode).is_dir() {
        return Err(FileError::refused("removing", parent.path().join(name), "not a directory"));
    }
    let top = rustix::io::dup(parent.fd()).map_err(|e| failed("opening", b"", e))?;
    let mut cursor = Cursor { fd: top, parents: Vec::new(), device: None };
    cursor.down(OsStr::new(name), name.as_bytes())?;
    // The name of each directory that is being emptied, and what is left in it.
    let mut frames = vec![(OsString::from(name), cursor.names(name.as_bytes())?)];
    while let Some((name, left)) = frames.last_mut() {
        let Some(child) = left.pop() else {
            let name = std::mem::take(name);
            frames.pop();
            cursor.up(name.as_bytes())?;
            cursor.unlink(&name, AtFlags::REMOVEDIR)?;
            continue;
        };
        let stat = rustix::fs::statat(&cursor.fd, &child, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|source| failed("inspecting", child.as_bytes(), source))?;
        if FileType::from_raw_mode(stat.st_mode).is_dir() {
            cursor.down(&child, child.as_bytes())?;
            let names = cursor.names(child.as_bytes())?;
            frames.push((child, names));
        } else {
            cursor.unlink(&child, AtFlags::empty())?;
        }
    }
    parent.sync()
}

/// The current directory, and those above it by device and inode.
struct Cursor {
    fd: OwnedFd,
    parents: Vec<(u64, u64)>,
    device: Option<u64>,
}

impl Cursor {
    fn down(&mut self, name: &OsStr, path: &[u8]) -> Result<(), FileError> {
        let wrong = |source| failed("opening directory", path, source);
        let here = rustix::fs::fstat(&self.fd).map_err(wrong)?;
        let fd = rustix::fs::openat(&self.fd, name, DIRECTORY, Mode::empty()).map_err(wrong)?;
        let stat = rustix::fs::fstat(&fd).map_err(wrong)?;
        if *self.device.get_or_insert(stat.st_dev) != stat.st_dev {
            return Err(FileError::refused("going into", shown(path), "another file system"));
        }
        self.parents.push((here.st_dev, here.st_ino));
        self.fd = fd;
        Ok(())
    }

    /// Goes back to the directory above, which must still be the one that it came from.
    fn up(&mut self, path: &[u8]) -> Result<(), FileError> {
        let wrong = |source| failed("opening the directory above", path, source);
        let fd = rustix::fs::openat(&self.fd, "..", DIRECTORY, Mode::empty()).map_err(wrong)?;
        let stat = rustix::fs::fstat(&fd).map_err(wrong)?;
        if self.parents.pop() != Some((stat.st_dev, stat.st_ino)) {
            return Err(FileError::refused("leaving", shown(path), "moved meanwhile"));
        }
        self.fd = fd;
        Ok(())
    }

    fn names(&self, path: &[u8]) -> Result<Vec<OsString>, FileError> {
        let wrong = |source| failed("listing", path, source);
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd).map_err(wrong)? {
            let name = entry.map_err(wrong)?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name));
            }
        }
        Ok(names)
    }

    fn unlink(&self, name: &OsStr, flags: AtFlags) -> Result<(), FileError> {
        match rustix::fs::unlinkat(&self.fd, name, flags) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::PERM) => {}
            Err(source) => return Err(failed("removing", name.as_bytes(), source)),
        }
        clear_immutable(&self.fd);
        let fd = rustix::fs::openat(&self.fd, name, READ, Mode::empty());
        let before = fd.as_ref().ok().and_then(clear_immutable);
        let removed = rustix::fs::unlinkat(&self.fd, name, flags)
            .map_err(|source| failed("removing", name.as_bytes(), source));
        if let (Ok(fd), Some(before)) = (fd, before)
            && rustix::fs::fstat(&fd).is_ok_and(|stat| stat.st_nlink > 0)
        {
            let _ = rustix::fs::ioctl_setflags(&fd, before); // its other name is not in this tree
        }
        removed
    }
}

/// Clears the attributes that forbid changes; returns the former ones if it did.
fn clear_immutable(fd: &OwnedFd) -> Option<IFlags> {
    let flags = rustix::fs::ioctl_getflags(fd).ok()?;
    let fixed = IFlags::IMMUTABLE | IFlags::APPEND;
    if !flags.intersects(fixed) {
        return None;
    }
    rustix::fs::ioctl_setflags(fd, flags.difference(fixed)).ok()?;
    Some(flags)
}

/// Free space on the file system of a directory, in bytes.
pub fn free_space(dir: &Dir) -> Result<u64, FileError> {
    let stat = rustix::fs::fstatvfs(dir.fd())
        .map_err(|source| failed("inspecting", dir.path().as_os_str().as_bytes(), source))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// The mount points at or below a directory, as this process sees them.
pub fn mounts_below(path: &Path) -> io::Result<Vec<PathBuf>> {
    let text = std::fs::read("/proc/self/mountinfo")?;
    let lines = text.split(|byte| *byte == b'\n');
    let places = lines.filter_map(|line| line.split(|byte| *byte == b' ').nth(4)).map(unescaped);
    Ok(places.filter(|place| place.starts_with(path)).collect())
}

/// Decodes a path in the kernel's tables: `\040` is a space.
fn unescaped(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut at = 0;
    while at < field.len() {
        let octal = field.get(at + 1..at + 4).and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) if field[at] == b'\\' => {
                bytes.push(byte);
                at += 4;
            }
            _ => {
                bytes.push(field[at]);
                at += 1;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

fn failed(doing: &'static str, path: &[u8], source: Errno) -> FileError {
    FileError { doing, path: shown(path), source: source.into() }
}

fn shown(path: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn tree() -> (tempfile::TempDir, Dir) {
        let root = tempfile::tempdir().unwrap();
        let top = root.path().join("top");
        std::fs::create_dir_all(top.join("a/b")).unwrap();
        std::fs::write(top.join("a/b/file"), "x").unwrap();
        std::fs::write(top.join("a.txt"), "x").unwrap();
        std::fs::write(top.join("new\nline"), "x").unwrap();
        std::fs::write(root.path().join("other"), "kept").unwrap();
        symlink(root.path().join("other"), top.join("link")).unwrap();
        symlink(root.path(), top.join("z")).unwrap();
        let dir = Dir::open(root.path()).unwrap();
        (root, dir)
    }

    #[test]
    fn a_walk_is_in_the_order_of_bytes_and_follows_no_link() {
        let (_root, dir) = tree();
        let mut seen = Vec::new();
        walk(&dir, "top", |node| {
            seen.push(String::from_utf8(node.path.to_vec()).unwrap());
            Ok::<_, FileError>(())
        })
        .unwrap();
        assert_eq!(
            seen,
            [
                "top",
                "top/a",
                "top/a/b",
                "top/a/b/file",
                "top/a.txt",
                "top/link",
                "top/new\nline",
                "top/z"
            ]
        );
    }

    #[test]
    fn a_removal_takes_the_tree_and_nothing_a_link_names_however_deep() {
        let (root, dir) = tree();
        let mut fd = rustix::io::dup(dir.open_dir("top").unwrap().fd()).unwrap();
        for _ in 0..3000 {
            rustix::fs::mkdirat(&fd, "deep", Mode::RWXU).unwrap();
            fd = rustix::fs::openat(&fd, "deep", DIRECTORY, Mode::empty()).unwrap();
        }
        let mut count = 0;
        walk(&dir, "top", |_| {
            count += 1;
            Ok::<_, FileError>(())
        })
        .unwrap();
        assert_eq!(count, 3008);
        remove(&dir, "top").unwrap();
        remove(&dir, "top").unwrap();
        assert_eq!(dir.names(10).unwrap().unwrap(), ["other"]);
        assert_eq!(std::fs::read(root.path().join("other")).unwrap(), b"kept");
    }

    #[test]
    fn a_path_of_the_kernels_table_is_read_as_it_is() {
        assert_eq!(unescaped(b"/home/a\\040b\\134c\\"), PathBuf::from("/home/a b\\c\\"));
        assert!(!mounts_below(Path::new("/proc")).unwrap().is_empty());
    }
}
