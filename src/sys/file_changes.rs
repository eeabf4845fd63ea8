//! Changes of files and directories, as the kernel reports them (inotify(7)).

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use std::ffi::OsString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

/// Files and directories whose changes are reported.
#[derive(Debug)]
pub struct FileChanges(OwnedFd);

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The number that adding the file or directory gave.
    pub of: i32,
    /// In a directory, the name.
    pub name: Option<OsString>,
    /// Whether it is no longer watched, since it was removed.
    pub is_gone: bool,
    /// Whether changes were lost, since there were too many.
    pub overflowed: bool,
}

impl FileChanges {
    pub fn new() -> io::Result<Self> {
        Ok(Self(inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?))
    }

    /// Reports names that come into a directory. The same directory gives the same number again.
    pub fn add_dir(&self, dir: &Path) -> io::Result<i32> {
        let what = WatchFlags::MOVED_TO | WatchFlags::CREATE | WatchFlags::ONLYDIR;
        Ok(inotify::add_watch(&self.0, dir, what | WatchFlags::DONT_FOLLOW)?)
    }

    /// As [`FileChanges::add_dir`], and also names that go, and changes of what the files in it hold.
    pub fn add_dir_with_contents(&self, dir: &Path) -> io::Result<i32> {
        let names = WatchFlags::MOVED_TO | WatchFlags::CREATE | WatchFlags::DELETE;
        let what = names | WatchFlags::MODIFY | WatchFlags::ONLYDIR;
        Ok(inotify::add_watch(&self.0, dir, what | WatchFlags::DONT_FOLLOW)?)
    }

    /// As [`FileChanges::add_dir_with_contents`], and also names that are moved away, changes of owners and modes, and
    /// that the directory itself is removed or moved.
    pub fn add_dir_with_everything(&self, dir: &Path) -> io::Result<i32> {
        let names =
            WatchFlags::MOVED_TO | WatchFlags::MOVED_FROM | WatchFlags::CREATE | WatchFlags::DELETE;
        let contents = WatchFlags::MODIFY | WatchFlags::CLOSE_WRITE | WatchFlags::ATTRIB;
        let own = WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
        Ok(inotify::add_watch(&self.0, dir, names | contents | own | WatchFlags::ONLYDIR)?)
    }

    /// Reports changes of one file's content.
    pub fn add_file(&self, file: &Path) -> io::Result<i32> {
        Ok(inotify::add_watch(&self.0, file, WatchFlags::MODIFY | WatchFlags::DONT_FOLLOW)?)
    }

    /// No longer reports what [`FileChanges::add_file`] or [`FileChanges::add_dir`] numbered so.
    pub fn remove(&self, number: i32) {
        let _ = inotify::remove_watch(&self.0, number); // it is gone with its file
    }

    /// All changes since the last call.
    pub fn read(&self) -> Vec<FileChange> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.0, &mut buffer);
        let mut changes = Vec::new();
        while let Ok(event) = reader.next() {
            let name = event.file_name().map(|name| OsString::from_vec(name.to_bytes().to_vec()));
            changes.push(FileChange {
                of: event.wd(),
                name,
                is_gone: event.events().contains(ReadFlags::IGNORED),
                overflowed: event.events().contains(ReadFlags::QUEUE_OVERFLOW),
            });
        }
        changes
    }
}

impl AsFd for FileChanges {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for FileChanges {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_into_a_directory_and_what_changes_in_a_file_is_reported() {
        let root = tempfile::tempdir().unwrap();
        let changes = FileChanges::new().unwrap();
        let file = root.path().join("file");
        std::fs::write(&file, "x").unwrap();
        let (of_dir, of_file) =
            (changes.add_dir(root.path()).unwrap(), changes.add_file(&file).unwrap());
        assert_eq!(changes.read(), []);
        std::fs::write(root.path().join("new"), "").unwrap();
        let expected =
            FileChange { of: of_dir, name: Some("new".into()), is_gone: false, overflowed: false };
        assert_eq!(changes.read(), [expected]);
        std::fs::write(&file, "y").unwrap();
        assert!(changes.read().iter().all(|change| change.of == of_file && change.name.is_none()));
        std::fs::remove_file(&file).unwrap();
        assert!(changes.read().iter().any(|change| change.of == of_file && change.is_gone));
        assert!(changes.add_dir(&file).is_err());
    }
}
