//! Reads what there is of a swap file, and whether this host can have one.

use super::observed::{SwapFacts, SwapFile};
use super::spec::Swap;
use crate::provision::edit::fstab::{self, FSTAB};
use crate::provision::observe::Unreadable;
use crate::sys::FileError;
use crate::sys::fs::trusted_path::{self, Missing};
use crate::sys::fs::{self, Attributes, FileSystem};
use std::path::Path;

/// Maximum size of a file that is read here, in bytes.
const MAX: u64 = 1 << 20;
/// Where mkswap(8) puts its mark: at the end of the first page.
const PAGES: [usize; 3] = [4 << 10, 16 << 10, 64 << 10];
const MARK: &[u8] = b"SWAPSPACE2";
/// Files that only containers have.
const CONTAINER_MARKS: [&str; 3] = ["run/systemd/container", ".dockerenv", "run/.containerenv"];

pub(super) fn facts(root: &Path, swap: &Swap) -> SwapFacts {
    let file = file(root, &swap.path).unwrap_or_else(|error| SwapFile::Refused(error.to_string()));
    let fstab = match trusted_path::read_below(root, Path::new(FSTAB), MAX) {
        Ok(bytes) => Ok(fstab::find(&bytes, &swap.path)),
        Err(error) if error.is_not_found() => Ok(fstab::FstabEntry::Absent),
        Err(error) => Err(Unreadable::new(error)),
    };
    let active = fs::read(&root.join("proc/swaps"), MAX).unwrap_or_default();
    SwapFacts {
        is_active: is_active(&String::from_utf8_lossy(&active), &swap.path),
        obstacle: obstacle(root, swap, file == SwapFile::Absent),
        file,
        fstab,
    }
}

fn file(root: &Path, path: &str) -> Result<SwapFile, FileError> {
    let found = trusted_path::open_parent_below(root, Path::new(path), Missing::Refused);
    let (dir, name) = match found {
        Ok(found) => found,
        // The obstacle says so.
        Err(error) if error.is_not_found() => return Ok(SwapFile::Absent),
        Err(error) => return Err(error),
    };
    let Some(stat) = dir.stat(&name)? else { return Ok(SwapFile::Absent) };
    let longest = PAGES[PAGES.len() - 1] as u64;
    let beginning = dir.read_start(&name, longest)?;
    let has_mark = |page: &usize| beginning.get(page - MARK.len()..*page) == Some(MARK);
    let mode = stat.st_mode & 0o7777;
    Ok(SwapFile::File {
        size: u64::try_from(stat.st_size).unwrap_or(0),
        attributes: Attributes { uid: stat.st_uid, gid: stat.st_gid, mode },
        has_signature: PAGES.iter().any(has_mark),
    })
}

/// Whether `/proc/swaps` has a path.
fn is_active(swaps: &str, path: &str) -> bool {
    swaps.lines().skip(1).any(|line| line.split_ascii_whitespace().next() == Some(path))
}

/// Why the file cannot be made, or not be switched on. Below another directory than `/` only the host itself knows.
fn obstacle(root: &Path, swap: &Swap, is_new: bool) -> Option<String> {
    if CONTAINER_MARKS.iter().any(|mark| root.join(mark).exists()) {
        return Some("this is a container: its host decides on swap".to_owned());
    }
    if !is_new || root != Path::new("/") {
        return None;
    }
    let parent = Path::new(&swap.path).parent().unwrap_or(Path::new("/"));
    let system = trusted_path::open_dir_below(root, parent, Missing::Refused)
        .and_then(|dir| dir.file_system());
    match system {
        Ok(system) => unsuitable(&system, swap.size),
        Err(error) => Some(error.to_string()),
    }
}

/// A tenth of the file system stays free.
fn unsuitable(system: &FileSystem, size: u64) -> Option<String> {
    if let Some(why) = system.swap_obstacle() {
        return Some(why.to_owned());
    }
    let spare = system.total / 10;
    (system.free < size.saturating_add(spare)).then(|| {
        let (free, spare) = (in_mib(system.free), in_mib(spare));
        format!("the disk has {free} free, of which {spare} (a tenth of it) must stay free")
    })
}

fn in_mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fs::FileSystemKind;

    #[test]
    fn a_disk_that_would_be_full_and_a_file_system_that_cannot_have_it_are_refused() {
        let system = |kind, free: u64| FileSystem { kind, free: free << 30, total: 100 << 30 };
        let refused = |kind, free| unsuitable(&system(kind, free), 8 << 30);
        assert_eq!(refused(FileSystemKind::Ext, 18), None);
        assert_eq!(refused(FileSystemKind::Xfs, 90), None);
        assert_eq!(refused(FileSystemKind::Btrfs { no_cow: true }, 90), None);
        assert!(refused(FileSystemKind::Ext, 17).unwrap().starts_with("the disk has 17"));
        assert!(
            refused(FileSystemKind::Btrfs { no_cow: false }, 90).unwrap().contains("chattr +C")
        );
        assert!(refused(FileSystemKind::Other, 90).unwrap().contains("ext4"));
    }

    #[test]
    fn only_the_path_itself_is_active() {
        let swaps = "Filename Type Size Used Priority\n/swapfile2 file 1 0 -2\n/dev/sda2 partition 1 0 -3\n";
        assert!(is_active(swaps, "/dev/sda2") && !is_active(swaps, "/swapfile"));
        assert!(!is_active("", "/swapfile") && !is_active(swaps, "Filename"));
    }
}
