//! Files that root puts in place on its own ground: reached without following any link, whole or not
//! there, and only over what was looked at.

use super::{Dir, FileError};
use crate::sys::accounts;
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Owner, group and permission bits of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
}

/// Whether directories that are missing on the way are made (0755, root's).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// They are made.
    Made,
    /// They are an error.
    Refused,
}

/// Opens the directory `path` below `root`, a component at a time, following no link. For root, each
/// one must be root's and nobody else's to write.
pub fn open_dir(root: &Path, path: &Path, missing: Missing) -> Result<Dir, FileError> {
    let mut dir = Dir::open(root)?;
    ours(&dir)?;
    for part in path.strip_prefix("/").unwrap_or(path).components() {
        let name = Path::new(&part);
        let next = match dir.open_dir(name) {
            Err(error) if error.is_not_found() && missing == Missing::Made => {
                make(&dir, name)?;
                dir.open_dir(name)?
            }
            other => other.map_err(say_link)?,
        };
        ours(&next)?;
        dir = next;
    }
    Ok(dir)
}

/// Opens the directory that a file is in, as [`open_dir`]; the second value is the file's name.
pub fn open_parent(root: &Path, path: &Path, missing: Missing) -> Result<(Dir, String), FileError> {
    let name = path.file_name().and_then(|name| name.to_str());
    let (Some(parent), Some(name)) = (path.parent(), name) else {
        return Err(FileError::refused("opening", path, "not a file whose name is UTF-8"));
    };
    Ok((open_dir(root, parent, missing)?, name.to_owned()))
}

fn make(dir: &Dir, name: &Path) -> Result<(), FileError> {
    let path = dir.path().join(name);
    let failed =
        |source: Errno| FileError { doing: "making directory", path, source: source.into() };
    match rustix::fs::mkdirat(dir.fd(), name, Mode::from_raw_mode(0o755)) {
        Ok(()) => {}
        Err(Errno::EXIST) => return Ok(()),
        Err(source) => return Err(failed(source)),
    }
    let made = dir.open_dir(name)?;
    // Whatever the umask was.
    rustix::fs::fchmod(made.fd(), Mode::from_raw_mode(0o755)).map_err(failed)?;
    dir.sync()
}

/// Says of a directory that could not be opened that it is a link, where it is: the system says only
/// that it is none.
pub fn say_link(error: FileError) -> FileError {
    let link = error.path.is_symlink();
    if link {
        return FileError::refused(error.doing, error.path, "a link: not followed");
    }
    error
}

fn ours(dir: &Dir) -> Result<(), FileError> {
    if !accounts::is_root() {
        return Ok(());
    }
    let refused = |why: String| Err(FileError::refused("checking", dir.path(), why));
    let stat = rustix::fs::fstat(dir.fd()).map_err(|source| failed("looking at", dir, source))?;
    if stat.st_uid != 0 {
        return refused(format!("belongs to uid {}, not to root", stat.st_uid));
    }
    if stat.st_mode & 0o022 != 0 {
        return refused(format!(
            "mode {:04o}: others than root can write it",
            stat.st_mode & 0o7777
        ));
    }
    Ok(())
}

fn failed(doing: &'static str, dir: &Dir, source: Errno) -> FileError {
    FileError { doing, path: dir.path().to_owned(), source: source.into() }
}

/// A file that is being made beside its target: a hidden name of its own, so that what a killed run
/// left there is replaced by the next one. Dropped without [`Staged::put`] it is removed.
#[derive(Debug)]
pub struct Staged<'a> {
    dir: &'a Dir,
    name: String,
    temporary: String,
    file: File,
    hash: Sha256,
    put: bool,
}

impl<'a> Staged<'a> {
    /// Begins a file (0600) for `name` in `dir`. The caller holds the lock of such runs.
    pub fn new(dir: &'a Dir, name: &str) -> Result<Self, FileError> {
        let temporary = format!(".{name}.terminal-lobby-new");
        dir.remove(&temporary)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(dir.fd(), &temporary, flags, Mode::RUSR | Mode::WUSR);
        let path = dir.path().join(&temporary);
        let fd =
            fd.map_err(|source| FileError { doing: "writing", path, source: source.into() })?;
        let (name, file, hash) = (name.to_owned(), File::from(fd), Sha256::new());
        Ok(Self { dir, name, temporary, file, hash, put: false })
    }

    /// Where it is for now.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join(&self.temporary)
    }

    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.hash.update(bytes);
        let path = self.path();
        let failed = |source| FileError { doing: "writing", path, source };
        self.file.write_all(bytes).map_err(failed)
    }

    /// The hash of what was written so far.
    pub fn hash(&self) -> String {
        shown(self.hash.clone())
    }

    /// Puts it in place with these attributes, synced, in one step; only while what is there is what
    /// it was: `expected` is its hash, or `None` for nothing.
    pub fn put(mut self, like: Attributes, expected: Option<&str>) -> Result<(), FileError> {
        let path = self.path();
        let failed = |source| FileError { doing: "writing", path, source };
        set(&self.file, like).and_then(|()| self.file.sync_all()).map_err(failed)?;
        let now = hash(self.dir, &self.name)?;
        if now.as_deref() != expected {
            let path = self.dir.path().join(&self.name);
            return Err(FileError::refused("replacing", path, "it has changed meanwhile"));
        }
        let flags = if expected.is_none() { RenameFlags::NOREPLACE } else { RenameFlags::empty() };
        self.dir.rename(&self.temporary, &self.name, flags)?;
        self.put = true;
        self.dir.sync()
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if !self.put {
            let _ = self.dir.remove(&self.temporary);
        }
    }
}

/// Owner first: a change of it would take bits of the mode away.
fn set(file: &File, like: Attributes) -> std::io::Result<()> {
    let stat = rustix::fs::fstat(file)?;
    if (stat.st_uid, stat.st_gid) != (like.uid, like.gid) {
        let (uid, gid) = (Uid::from_raw(like.uid), Gid::from_raw(like.gid));
        rustix::fs::fchown(file, Some(uid), Some(gid))?;
    }
    Ok(rustix::fs::fchmod(file, Mode::from_raw_mode(like.mode))?)
}

/// The hash of a regular file, which may be large; `None` when nothing is there.
pub fn hash(dir: &Dir, name: &str) -> Result<Option<String>, FileError> {
    let path = dir.path().join(name);
    let failed = |source| FileError { doing: "reading", path: path.clone(), source };
    let Some(mut file) = open(dir, name)? else { return Ok(None) };
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => return Ok(Some(shown(hash))),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Reads a regular file of at most `limit` bytes; for root, one that nobody else could have changed.
pub fn read(dir: &Dir, name: &str, limit: u64) -> Result<Vec<u8>, FileError> {
    let path = dir.path().join(name);
    let refused = |why: String| FileError::refused("reading", &path, why);
    let failed = |source| FileError { doing: "reading", path: path.clone(), source };
    let gone = || failed(Errno::NOENT.into());
    let file = open(dir, name)?.ok_or_else(gone)?;
    let stat = rustix::fs::fstat(&file).map_err(|error| failed(error.into()))?;
    if accounts::is_root() && (stat.st_uid != 0 || stat.st_mode & 0o022 != 0) {
        let (uid, mode) = (stat.st_uid, stat.st_mode & 0o7777);
        return Err(refused(format!(
            "of uid {uid}, mode {mode:04o}: others than root can write it"
        )));
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(refused(format!("larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// Gives the file `name`, not behind a link, these attributes.
pub fn set_attributes(dir: &Dir, name: &str, like: Attributes) -> Result<(), FileError> {
    let path = dir.path().join(name);
    let gone = || FileError::refused("changing the mode of", &path, "it has gone meanwhile");
    let file = open(dir, name)?.ok_or_else(gone)?;
    let failed = |source| FileError { doing: "changing the mode of", path: path.clone(), source };
    set(&file, like).map_err(failed)
}

/// Sets the permission bits of an open directory.
pub fn set_mode(dir: &Dir, mode: u32) -> Result<(), FileError> {
    rustix::fs::fchmod(dir.fd(), Mode::from_raw_mode(mode))
        .map_err(|source| failed("changing the mode of", dir, source))
}

/// A regular file, for reading; neither a link nor a fifo holds us up.
fn open(dir: &Dir, name: &str) -> Result<Option<File>, FileError> {
    let path = dir.path().join(name);
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = match rustix::fs::openat(dir.fd(), name, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => {
            return Err(FileError::refused("reading", path, "a link: not followed"));
        }
        Err(source) => {
            return Err(FileError { doing: "reading", path, source: source.into() });
        }
    };
    let stat = rustix::fs::fstat(&fd).map_err(|source| failed("looking at", dir, source))?;
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(FileError::refused("reading", path, "not a regular file"));
    }
    Ok(Some(File::from(fd)))
}

/// The attributes of an open directory, or of what is at `name` in it, not following a link.
pub fn attributes(dir: &Dir, name: Option<&str>) -> Result<Option<Attributes>, FileError> {
    let stat = match name {
        Some(name) => rustix::fs::statat(dir.fd(), name, AtFlags::SYMLINK_NOFOLLOW),
        None => rustix::fs::fstat(dir.fd()),
    };
    match stat {
        Ok(stat) => {
            Ok(Some(Attributes { uid: stat.st_uid, gid: stat.st_gid, mode: stat.st_mode & 0o7777 }))
        }
        Err(Errno::NOENT) => Ok(None),
        Err(source) => Err(failed("looking at", dir, source)),
    }
}

fn shown(hash: Sha256) -> String {
    format!("sha256:{}", crate::text::hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn own(mode: u32) -> Attributes {
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        Attributes { uid: uid.as_raw(), gid: gid.as_raw(), mode }
    }

    #[test]
    fn a_file_is_put_only_over_what_was_looked_at_and_leaves_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let path = Path::new("/a/b/file");
        assert!(open_parent(root.path(), path, Missing::Refused).unwrap_err().is_not_found());
        let (dir, name) = open_parent(root.path(), path, Missing::Made).unwrap();
        let put = |bytes: &[u8], expected: Option<&str>| {
            let mut staged = Staged::new(&dir, &name).unwrap();
            staged.write(bytes).unwrap();
            let hash = staged.hash();
            staged.put(own(0o640), expected).map(|()| hash)
        };
        let first = put(b"one", None).unwrap();
        assert_eq!(hash(&dir, "file").unwrap().as_deref(), Some(first.as_str()));
        for expected in [None, Some("sha256:other")] {
            let error = put(b"two", expected).unwrap_err().to_string();
            assert!(error.ends_with("it has changed meanwhile"), "{error}");
        }
        put(b"two", Some(&first)).unwrap();
        assert_eq!(std::fs::read(root.path().join("a/b/file")).unwrap(), b"two");
        let mode = root.path().join("a/b/file").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o640);
        assert_eq!(dir.names(9).unwrap().unwrap(), ["file"]);
    }

    #[test]
    fn no_link_is_followed_on_the_way_nor_at_the_end() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("real")).unwrap();
        std::os::unix::fs::symlink("real", root.path().join("link")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.path().join("real/file")).unwrap();
        let error = open_dir(root.path(), Path::new("/link"), Missing::Made).unwrap_err();
        assert!(error.to_string().ends_with("a link: not followed"), "{error}");
        let dir = open_dir(root.path(), Path::new("/real"), Missing::Refused).unwrap();
        assert!(hash(&dir, "file").unwrap_err().to_string().ends_with("a link: not followed"));
        assert!(set_attributes(&dir, "file", own(0o600)).is_err());
    }
}
