//! A copy of a tree that another account made, as root's own: whatever that account does meanwhile or later, the copy
//! is not its.

use super::{Dir, FileError};
use rustix::fs::{FileType, Mode};
use rustix::io::Errno;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

/// Bounds of a tree.
#[derive(Debug, Clone, Copy)]
pub struct TreeLimits {
    pub entries: u64,
    /// In bytes, of all files together.
    pub bytes: u64,
    /// Directories in one another.
    pub depth: usize,
}

/// Copies what is in `from` into the empty directory `to`: directories (0755), files (0755 if their owner may execute
/// them, else 0644) and links, all of this process's account. Nothing of it is durable yet: [`Dir::sync_file_system`].
///
/// # Errors
/// If there is more than the limits allow; at a link that leads out of the tree, by itself or by another link; at what
/// is neither file, directory nor link.
pub fn copy_tree(from: &Dir, to: &Dir, limits: TreeLimits) -> Result<(), FileError> {
    let mut copy = Copy { left: limits, links: Vec::new() };
    copy.dir(from, to, Path::new(""))?;
    for link in &copy.links {
        match to.dir_below(link) {
            Ok(_) => {}
            // To a file, or to nothing.
            Err(error) if error.is_not_found() || is_no_directory(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_no_directory(error: &FileError) -> bool {
    error.source.kind() == io::ErrorKind::NotADirectory
}

struct Copy {
    left: TreeLimits,
    links: Vec<PathBuf>,
}

impl Copy {
    fn dir(&mut self, from: &Dir, to: &Dir, below: &Path) -> Result<(), FileError> {
        let refused = |why: &str| FileError::refused("copying", from.path(), why);
        if below.components().count() > self.left.depth {
            return Err(refused("more directories in one another than a version has"));
        }
        let entries = usize::try_from(self.left.entries).unwrap_or(usize::MAX);
        let names = from.names(entries)?.ok_or_else(|| refused("more entries than it may have"))?;
        self.left.entries -= names.len() as u64;
        for name in names {
            self.entry(from, to, &name, &below.join(&name))?;
        }
        let mode = Mode::from_raw_mode(0o755);
        rustix::fs::fchmod(to.fd(), mode)
            .map_err(|source| FileError::system("changing the mode of", to.path(), source))
    }

    fn entry(
        &mut self,
        from: &Dir,
        to: &Dir,
        name: &OsString,
        below: &Path,
    ) -> Result<(), FileError> {
        let path = from.path().join(name);
        let Some(stat) = from.stat(name)? else { return Ok(()) };
        let failed = |source: Errno| FileError::system("copying", &path, source);
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                rustix::fs::mkdirat(to.fd(), name, Mode::RWXU).map_err(failed)?;
                self.dir(&from.open_dir(name)?, &to.open_dir(name)?, below)
            }
            FileType::RegularFile => self.file(from, to, name),
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(from.fd(), name, Vec::new()).map_err(failed)?;
                let target = OsString::from_vec(target.into_bytes());
                if !stays_below(below, Path::new(&target)) {
                    return Err(FileError::refused("copying", path, "a link out of the tree"));
                }
                self.links.push(below.to_owned());
                rustix::fs::symlinkat(&target, to.fd(), name).map_err(failed)
            }
            _ => Err(FileError::refused("copying", path, "neither file, directory nor link")),
        }
    }

    fn file(&mut self, from: &Dir, to: &Dir, name: &OsString) -> Result<(), FileError> {
        let path = from.path().join(name);
        let (source, stat) = from.open_regular(Path::new(name))?;
        let Some(text) = name.to_str() else {
            return Err(FileError::refused("copying", path, "its name is not UTF-8"));
        };
        let mut target = to.create_new(text)?;
        let failed = |source| FileError { doing: "copying", path: path.clone(), source };
        let limit = self.left.bytes.saturating_add(1);
        let copied = io::copy(&mut io::Read::take(source, limit), &mut target).map_err(failed)?;
        self.left.bytes = self.left.bytes.checked_sub(copied).ok_or_else(|| {
            FileError::refused("copying", &path, "the tree is larger than it may be")
        })?;
        let mode = if stat.st_mode & 0o100 == 0 { 0o644 } else { 0o755 };
        rustix::fs::fchmod(&target, Mode::from_raw_mode(mode))
            .map_err(|source| FileError::system("copying", &path, source))
    }
}

/// Whether a link at a place of the tree leads to another place of it, by its own words.
fn stays_below(link: &Path, target: &Path) -> bool {
    if target.as_os_str().as_bytes().is_empty() {
        return false;
    }
    let mut depth = link.components().count().saturating_sub(1);
    for part in target.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const LIMITS: TreeLimits = TreeLimits { entries: 20, bytes: 100, depth: 4 };

    fn trees() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        std::fs::create_dir_all(from.join("lib/deep")).unwrap();
        std::fs::create_dir_all(from.join("bin")).unwrap();
        std::fs::create_dir(&to).unwrap();
        std::fs::write(from.join("lib/program"), "text").unwrap();
        (root, from, to)
    }

    fn copy(from: &Path, to: &Path) -> Result<(), FileError> {
        copy_tree(&Dir::open(from).unwrap(), &Dir::open(to).unwrap(), LIMITS)
    }

    #[test]
    fn a_tree_is_copied_with_its_links_and_without_dangerous_modes() {
        let (_root, from, to) = trees();
        let program = from.join("lib/program");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o6777)).unwrap();
        std::fs::write(from.join("lib/data"), "x").unwrap();
        symlink("../lib/program", from.join("bin/t3")).unwrap();
        symlink("absent", from.join("lib/dangling")).unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(std::fs::read(to.join("bin/t3")).unwrap(), b"text");
        let mode = |name: &str| to.join(name).metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode("lib/program"), mode("lib/data"), mode("lib")), (0o755, 0o644, 0o755));
    }

    #[test]
    fn what_leads_out_or_is_no_file_is_refused() {
        for (link, target) in [
            ("lib/a", "/etc/passwd"),
            ("lib/a", "../../x"),
            ("a", ".."),
            ("lib/deep/a", "../../.."),
        ] {
            let (_root, from, to) = trees();
            symlink(target, from.join(link)).unwrap();
            let error = copy(&from, &to).unwrap_err().to_string();
            assert!(error.ends_with("a link out of the tree"), "{link} -> {target}: {error}");
        }
        // Each by itself stays below, but not both together.
        let (_root, from, to) = trees();
        symlink("..", from.join("lib/deep/up")).unwrap();
        symlink("deep/up/../../outside", from.join("lib/out")).unwrap();
        std::fs::write(to.with_file_name("outside"), "").unwrap();
        let error = copy(&from, &to).unwrap_err().to_string();
        assert!(error.ends_with("leads out of its directory"), "{error}");
        let (_root, from, to) = trees();
        let dir = Dir::open(&from).unwrap();
        rustix::fs::mknodat(dir.fd(), "fifo", FileType::Fifo, Mode::RWXU, 0).unwrap();
        assert!(copy(&from, &to).unwrap_err().to_string().contains("neither file"));
    }

    #[test]
    fn a_tree_has_bounds() {
        let (_root, from, to) = trees();
        std::fs::write(from.join("large"), [0; 101]).unwrap();
        assert!(copy(&from, &to).unwrap_err().to_string().contains("larger than it may be"));
        let (_root, from, to) = trees();
        for number in 0..20 {
            std::fs::write(from.join(number.to_string()), "").unwrap();
        }
        assert!(copy(&from, &to).unwrap_err().to_string().contains("more entries"));
        let (_root, from, to) = trees();
        std::fs::create_dir_all(from.join("a/b/c/d/e")).unwrap();
        assert!(copy(&from, &to).unwrap_err().to_string().contains("in one another"));
    }
}
