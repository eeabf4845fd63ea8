//! Finds an account's files with a set-id bit: any user who runs one acts as that account, or with a group that
//! it had, also after the account is locked.

use super::FileError;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, StatxFlags};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const SET_IDS: u32 = 0o6000;
/// File systems whose files are on this host.
const LOCAL: [&str; 13] = [
    "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "tmpfs", "ramfs", "overlay",
    "jfs", "reiserfs",
];
/// File systems without files of users.
const EMPTY: [&str; 19] = [
    "proc",
    "sysfs",
    "devpts",
    "devtmpfs",
    "cgroup",
    "cgroup2",
    "securityfs",
    "debugfs",
    "tracefs",
    "configfs",
    "pstore",
    "bpf",
    "mqueue",
    "hugetlbfs",
    "efivarfs",
    "binfmt_misc",
    "autofs",
    "fusectl",
    "rpc_pipefs",
];
/// Maximum number of files that are named.
const MAX_FOUND: usize = 200;
/// Maximum depth of a directory that is searched: each level takes a descriptor.
const MAX_DEPTH: usize = 200;

/// What a search found.
#[derive(Debug, Default)]
pub struct SetIdFiles {
    /// Each with its permission bits.
    pub found: Vec<(PathBuf, u32)>,
    /// Places that were not searched, each with the reason.
    pub skipped: Vec<String>,
}

/// Searches the local file systems of this host for regular files of the uids that `is_theirs` accepts,
/// for at most `patience`. No link is followed, and nothing is opened but directories.
///
/// # Errors
/// The mounts of this host cannot be read.
pub fn find(is_theirs: &dyn Fn(u32) -> bool, patience: Duration) -> Result<SetIdFiles, FileError> {
    let path = Path::new("/proc/self/mountinfo");
    let table = std::fs::read(path).map_err(|source| FileError {
        doing: "reading",
        path: path.to_owned(),
        source,
    })?;
    let mut search = Search {
        is_theirs,
        end: Instant::now() + patience,
        result: SetIdFiles::default(),
        devices: BTreeSet::new(),
    };
    for mount in mounts(&String::from_utf8_lossy(&table)) {
        search.mount(&mount);
    }
    Ok(search.result)
}

/// Takes the set-id bits off the file that a process runs, if it is one of an account's on a local file system;
/// returns its path and its mode before. The file is reached through the process, not by a name.
pub fn disarm(pid: i32, is_theirs: &dyn Fn(u32) -> bool) -> Option<(PathBuf, u32)> {
    let link = format!("/proc/{pid}/exe");
    let file = rustix::fs::open(&link, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
    // From the cache: the server of a file system may never answer.
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
    let found = rustix::fs::statx(&file, "", flags, wanted).ok()?;
    let mode = u32::from(found.stx_mode);
    let regular = FileType::from_raw_mode(mode) == FileType::RegularFile;
    if !regular || mode & SET_IDS == 0 || !is_theirs(found.stx_uid) {
        return None;
    }
    let table = std::fs::read("/proc/self/mountinfo").ok()?;
    let mounts = mounts(&String::from_utf8_lossy(&table));
    let mount = mounts.iter().find(|mount| mount.id == found.stx_mnt_id)?;
    if !LOCAL.contains(&mount.kind.as_str()) {
        return None;
    }
    let path = std::fs::read_link(&link).unwrap_or_default();
    let ours = format!("/proc/self/fd/{}", file.as_raw_fd());
    rustix::fs::chmod(ours, Mode::from_raw_mode(mode & 0o1777)).ok()?;
    Some((path, mode & 0o7777))
}

#[derive(Debug, PartialEq, Eq)]
struct Mount {
    id: u64,
    point: PathBuf,
    /// Whether set-id bits have no effect there.
    inert: bool,
    kind: String,
}

/// The mounts of a table as `proc_pid_mountinfo(5)` has it.
fn mounts(table: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let mut fields = left.split(' ');
        let id = fields.next()?.parse().ok()?;
        let mut fields = fields.skip(3);
        let (point, options) = (fields.next()?, fields.next()?);
        let inert = options.split(',').any(|option| option == "nosuid");
        let kind = right.split(' ').next()?.to_owned();
        Some(Mount { id, point: unescaped(point), inert, kind })
    };
    table.lines().filter_map(mount).collect()
}

/// A path without the octal escapes of the table.
fn unescaped(text: &str) -> PathBuf {
    let (bytes, mut path, mut at) = (text.as_bytes(), Vec::new(), 0);
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 4).filter(|_| byte == b'\\');
        let code =
            digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        path.push(code.unwrap_or(byte));
        at += if code.is_some() { 4 } else { 1 };
    }
    PathBuf::from(OsStr::from_bytes(&path))
}

struct Search<'a> {
    is_theirs: &'a dyn Fn(u32) -> bool,
    end: Instant,
    result: SetIdFiles,
    /// Top directories that were searched: device and inode.
    devices: BTreeSet<(u64, u64)>,
}

impl Search<'_> {
    fn skip(&mut self, place: &Path, why: &str) {
        let place = crate::text::shown(place);
        self.result.skipped.push(format!("{place}: {why}"));
    }

    fn mount(&mut self, mount: &Mount) {
        let Mount { point, inert, kind, .. } = mount;
        if *inert || EMPTY.contains(&kind.as_str()) {
            return;
        }
        if !LOCAL.contains(&kind.as_str()) {
            return self.skip(point, &format!("a file system of kind {kind}"));
        }
        let Ok(top) = rustix::fs::open(point, DIRECTORY, Mode::empty()) else { return };
        let Ok(stat) = rustix::fs::fstat(&top) else { return };
        if !self.devices.insert((stat.st_dev, stat.st_ino)) {
            return;
        }
        self.tree(top, point, stat.st_dev);
    }

    /// Searches a tree on one device.
    fn tree(&mut self, top: OwnedFd, place: &Path, device: u64) {
        let mut stack = vec![(place.to_owned(), self.directory(&top, place, device), top)];
        while let Some((path, names, fd)) = stack.last_mut() {
            let Some(name) = names.pop() else {
                stack.pop();
                continue;
            };
            let path = path.join(OsStr::from_bytes(&name));
            if Instant::now() > self.end {
                return self.skip(&path, "no time was left for it and what comes after it");
            }
            let Ok(below) = rustix::fs::openat(&*fd, &name[..], DIRECTORY, Mode::empty()) else {
                continue; // it is gone, or no directory any more
            };
            let same = rustix::fs::fstat(&below).is_ok_and(|stat| stat.st_dev == device);
            if !same {
                continue; // a mount of its own
            }
            if stack.len() >= MAX_DEPTH {
                self.skip(&path, "too deep");
                continue;
            }
            let names = self.directory(&below, &path, device);
            stack.push((path, names, below));
        }
    }

    /// Looks at the files of a directory, and gives the names of the directories in it.
    fn directory(&mut self, fd: &OwnedFd, path: &Path, device: u64) -> Vec<Vec<u8>> {
        let mut directories = Vec::new();
        let Ok(entries) = rustix::fs::Dir::read_from(fd) else { return directories };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            match entry.file_type() {
                FileType::Directory => directories.push(name.to_bytes().to_vec()),
                FileType::RegularFile | FileType::Unknown => {
                    let Ok(stat) = rustix::fs::statat(fd, name, AtFlags::SYMLINK_NOFOLLOW) else {
                        continue;
                    };
                    let kind = FileType::from_raw_mode(stat.st_mode);
                    if kind.is_dir() {
                        directories.push(name.to_bytes().to_vec());
                    } else if kind.is_file()
                        && stat.st_dev == device
                        && stat.st_mode & SET_IDS != 0
                        && (self.is_theirs)(stat.st_uid)
                    {
                        self.found(path.join(OsStr::from_bytes(name.to_bytes())), stat.st_mode);
                    }
                }
                _ => {}
            }
        }
        directories
    }

    fn found(&mut self, path: PathBuf, mode: u32) {
        match self.result.found.len() {
            MAX_FOUND => self.skip(&path, "more files than are named"),
            0..MAX_FOUND => self.result.found.push((path, mode & 0o7777)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_mounts_is_read_with_its_escapes() {
        let table = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
                     23 22 0:5 / /mnt/a\\040b rw,nosuid,nodev - tmpfs tmp rw\n\
                     24 22 0:6 / /net rw - nfs4 host:/x rw\nbad\n";
        let mount = |id, point: &str, inert, kind: &str| Mount {
            id,
            point: point.into(),
            inert,
            kind: kind.to_owned(),
        };
        assert_eq!(
            mounts(table),
            [
                mount(22, "/", false, "ext4"),
                mount(23, "/mnt/a b", true, "tmpfs"),
                mount(24, "/net", false, "nfs4")
            ]
        );
    }

    #[test]
    fn set_id_files_are_found_below_any_directory_and_behind_no_link() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
        let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = |dir: &Path, name: &str, mode: u32| {
            std::fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
            std::fs::write(dir.join(name), "x").unwrap();
            std::fs::set_permissions(dir.join(name), std::fs::Permissions::from_mode(mode))
                .unwrap();
        };
        file(root.path(), "a/b/.hidden/user", 0o4755);
        file(root.path(), "a/group", 0o2755);
        file(root.path(), "a/plain", 0o755);
        file(other.path(), "elsewhere", 0o4755);
        symlink(other.path(), root.path().join("link")).unwrap();
        let meta = root.path().metadata().unwrap();
        let uid = meta.uid();
        let found = |is_theirs: &dyn Fn(u32) -> bool| {
            let mut search = Search {
                is_theirs,
                end: Instant::now() + Duration::from_secs(20),
                result: SetIdFiles::default(),
                devices: BTreeSet::new(),
            };
            let top = rustix::fs::open(root.path(), DIRECTORY, Mode::empty()).unwrap();
            search.tree(top, root.path(), meta.dev());
            search.result.found.sort();
            search.result.found
        };
        let theirs = found(&|owner| owner == uid);
        let expected = [("a/b/.hidden/user", 0o4755), ("a/group", 0o2755)];
        assert_eq!(theirs, expected.map(|(name, mode)| (root.path().join(name), mode)));
        assert!(found(&|_| false).is_empty());
    }
}
