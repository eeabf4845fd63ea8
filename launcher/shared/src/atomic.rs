//! The one way to write a file: under a temporary name beside its target, then fsync, rename, fsync of
//! the directory. Everything is relative to an open directory, so that nobody can lead it elsewhere by
//! renaming what is above.

use crate::random::random_hex;
use rustix::fs::{AtFlags, Gid, Mode, OFlags, RenameFlags, Timestamps, Uid};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

/// What every temporary name begins with.
const PREFIX: &str = ".new-";
/// What follows the target's name in [`Temporary::OfTarget`]: no directory of configuration files reads
/// names that end so.
const SUFFIX: &str = ".tmp";

/// The temporary name of a file that is being written. Names of the first two kinds begin with `.new-`:
/// see [`is_temporary`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Temporary<'a> {
    /// `.new-` and 32 random digits: any number of processes may write at the same time. What a killed
    /// one leaves stays until somebody removes temporaries.
    #[default]
    Random,
    /// `.new-NAME.tmp`: the same for each write of a target, so that the next one replaces what a killed
    /// one left. The caller holds a lock that excludes other writers.
    OfTarget,
    /// This name, which nothing may have yet: the lock file of another program.
    Named(&'a OsStr),
}

/// What happens to an existing file of the target's name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the write fails.
    Kept,
    /// It is replaced in one step.
    #[default]
    Replaced,
}

/// What is on the disk when a write returns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// Nothing waits for the disk: after a power loss the file may be the old one, or empty.
    Hint,
    /// The content, but perhaps not yet the name: the caller syncs the directory once, after many files.
    Content,
    /// Content and name.
    #[default]
    Full,
}

/// How a file is written.
#[derive(Debug, Clone)]
pub struct Options {
    pub existing: Existing,
    pub durability: Durability,
    /// Permission bits, whatever the umask.
    pub mode: u32,
    /// User and group; those of this process if `None`.
    pub owner: Option<(u32, u32)>,
    /// Last access and last change; the time of writing if `None`.
    pub times: Option<Timestamps>,
}

impl Default for Options {
    /// Replaces, synced, mode 0600.
    fn default() -> Self {
        Self {
            existing: Existing::default(),
            durability: Durability::default(),
            mode: PRIVATE.as_raw_mode(),
            owner: None,
            times: None,
        }
    }
}

const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// The step of a write that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Making or filling the temporary file.
    Write,
    /// Giving it the target's name.
    Rename,
    /// Making the name durable.
    SyncDirectory,
}

/// Why a file was not written.
#[derive(Debug)]
pub struct WriteError {
    pub step: Step,
    pub source: io::Error,
}

impl From<WriteError> for io::Error {
    fn from(error: WriteError) -> Self {
        error.source
    }
}

/// A file that is being written. Dropped without [`StagedFile::commit`] it is removed.
#[derive(Debug)]
pub struct StagedFile<D: AsFd> {
    dir: D,
    name: OsString,
    temporary: OsString,
    file: File,
    committed: bool,
}

impl<D: AsFd> StagedFile<D> {
    /// Begins the file `name` in `dir` (0600 until it is committed).
    pub fn create(dir: D, name: &OsStr, temporary: Temporary<'_>) -> Result<Self, WriteError> {
        let failed = |source: Errno| WriteError { step: Step::Write, source: source.into() };
        let temporary = match temporary {
            Temporary::Random => temporary_name().into(),
            Temporary::OfTarget => {
                let mut temporary = OsString::from(PREFIX);
                temporary.push(name);
                temporary.push(SUFFIX);
                match rustix::fs::unlinkat(&dir, &temporary, AtFlags::empty()) {
                    Ok(()) | Err(Errno::NOENT) => temporary,
                    Err(error) => return Err(failed(error)),
                }
            }
            Temporary::Named(name) => name.to_owned(),
        };
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&dir, &temporary, flags, PRIVATE).map_err(failed)?;
        Ok(Self { dir, name: name.to_owned(), temporary, file: fd.into(), committed: false })
    }

    /// The name that it has for now.
    pub fn temporary_name(&self) -> &OsStr {
        &self.temporary
    }

    /// The file while it is written.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Gives it its name.
    pub fn commit(self, options: &Options) -> Result<(), WriteError> {
        self.commit_if(options, || Ok(true)).map(drop)
    }

    /// Gives it its name if `check`, which is called last, agrees; returns whether it did.
    ///
    /// # Errors
    /// The check's, or what failed. Only after [`Step::SyncDirectory`] the file is there.
    pub fn commit_if<E: From<WriteError>>(
        mut self,
        options: &Options,
        check: impl FnOnce() -> Result<bool, E>,
    ) -> Result<bool, E> {
        let failed = |step| move |source: io::Error| WriteError { step, source };
        self.finish(options).map_err(failed(Step::Write))?;
        if !check()? {
            return Ok(false);
        }
        let flags = match options.existing {
            Existing::Kept => RenameFlags::NOREPLACE,
            Existing::Replaced => RenameFlags::empty(),
        };
        rustix::fs::renameat_with(&self.dir, &self.temporary, &self.dir, &self.name, flags)
            .map_err(|error| failed(Step::Rename)(error.into()))?;
        self.committed = true;
        if options.durability == Durability::Full {
            let synced = rustix::fs::fsync(&self.dir);
            synced.map_err(|error| failed(Step::SyncDirectory)(error.into()))?;
        }
        Ok(true)
    }

    /// Owner before mode: a change of owner takes bits of the mode away.
    fn finish(&self, options: &Options) -> io::Result<()> {
        let mode = Mode::from_raw_mode(options.mode);
        let mut has_mode = mode == PRIVATE;
        if let Some(owner) = options.owner {
            let stat = rustix::fs::fstat(&self.file)?;
            if owner != (stat.st_uid, stat.st_gid) {
                let (uid, gid) = (Uid::from_raw(owner.0), Gid::from_raw(owner.1));
                rustix::fs::fchown(&self.file, Some(uid), Some(gid))?;
                has_mode = false;
            }
        }
        if !has_mode {
            rustix::fs::fchmod(&self.file, mode)?;
        }
        if let Some(times) = &options.times {
            rustix::fs::futimens(&self.file, times)?;
        }
        if options.durability == Durability::Hint { Ok(()) } else { self.file.sync_all() }
    }
}

impl<D: AsFd> Write for StagedFile<D> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<D: AsFd> Drop for StagedFile<D> {
    fn drop(&mut self) {
        if !self.committed {
            let _ = rustix::fs::unlinkat(&self.dir, &self.temporary, AtFlags::empty());
        }
    }
}

/// Writes a file of these bytes.
pub fn write(
    dir: impl AsFd,
    name: &OsStr,
    bytes: &[u8],
    temporary: Temporary<'_>,
    options: &Options,
) -> Result<(), WriteError> {
    let mut staged = StagedFile::create(dir, name, temporary)?;
    staged.write_all(bytes).map_err(|source| WriteError { step: Step::Write, source })?;
    staged.commit(options)
}

/// A name that no other write uses.
pub fn temporary_name() -> String {
    format!("{PREFIX}{}", random_hex())
}

/// Whether a write that was killed may have left this name.
pub fn is_temporary(name: &OsStr) -> bool {
    name.as_bytes().starts_with(PREFIX.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn names(dir: &std::path::Path) -> Vec<OsString> {
        let entries = std::fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_complete_with_its_mode_and_leaves_no_temporary() {
        let root = tempfile::tempdir().unwrap();
        let dir = File::open(root.path()).unwrap();
        let name = OsStr::new("a");
        for (mode, temporary) in
            [(0o600, Temporary::Random), (0o664, Temporary::OfTarget), (0o4755, Temporary::Random)]
        {
            let options = Options { mode, ..Options::default() };
            write(&dir, name, b"text", temporary, &options).unwrap();
            let metadata = root.path().join("a").metadata().unwrap();
            assert_eq!(metadata.permissions().mode() & 0o7777, mode);
        }
        assert_eq!(names(root.path()), ["a"]);
    }

    #[test]
    fn an_existing_file_is_kept_or_replaced() {
        let root = tempfile::tempdir().unwrap();
        let dir = File::open(root.path()).unwrap();
        let put = |bytes: &[u8], existing| {
            let options = Options { existing, ..Options::default() };
            write(&dir, OsStr::new("a"), bytes, Temporary::Random, &options)
        };
        put(b"one", Existing::Kept).unwrap();
        let error = put(b"two", Existing::Kept).unwrap_err();
        assert_eq!(error.step, Step::Rename);
        assert_eq!(error.source.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(root.path().join("a")).unwrap(), b"one");
        put(b"two", Existing::Replaced).unwrap();
        assert_eq!(std::fs::read(root.path().join("a")).unwrap(), b"two");
        assert_eq!(names(root.path()), ["a"]);
    }

    #[test]
    fn what_is_not_committed_is_removed_and_what_a_killed_write_left_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let dir = File::open(root.path()).unwrap();
        let name = OsStr::new("a.conf");
        let mut killed = StagedFile::create(&dir, name, Temporary::OfTarget).unwrap();
        assert_eq!(killed.temporary_name(), ".new-a.conf.tmp");
        assert!(is_temporary(killed.temporary_name()));
        killed.write_all(b"half").unwrap();
        std::mem::forget(killed);
        write(&dir, name, b"whole", Temporary::OfTarget, &Options::default()).unwrap();
        assert_eq!(names(root.path()), ["a.conf"]);
        let staged = StagedFile::create(&dir, name, Temporary::Random).unwrap();
        let refused = staged.commit_if::<WriteError>(&Options::default(), || Ok(false));
        assert!(!refused.unwrap());
        assert_eq!(std::fs::read(root.path().join("a.conf")).unwrap(), b"whole");
        assert_eq!(names(root.path()), ["a.conf"]);
        std::fs::write(root.path().join("lock"), "").unwrap();
        let lock = Temporary::Named(OsStr::new("lock"));
        assert_eq!(StagedFile::create(&dir, name, lock).unwrap_err().step, Step::Write);
        assert_eq!(names(root.path()), ["a.conf", "lock"]);
    }
}
