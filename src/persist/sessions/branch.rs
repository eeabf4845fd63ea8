//! The git branch of a directory, read from `HEAD` without git: a repository's own configuration would be run by it.

use crate::sys::fs::Dir;
use crate::sys::mounts;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How many directories are looked into, from the one that is asked for upwards.
const MAX_DEPTH: usize = 32;
/// As much of a file as is read, in bytes.
const MAX_READ: u64 = 4096;
/// How many digits of a commit are shown where no branch is checked out.
const SHOWN_DIGITS: usize = 10;

/// The branch that is checked out in a directory, or the beginning of a commit; `None` outside a repository, and
/// where a mount on the way does not answer. Links and files that belong to others are not followed.
pub(super) fn of(cwd: &[u8]) -> Option<Vec<u8>> {
    let cwd = Path::new(OsStr::from_bytes(cwd));
    if !cwd.is_absolute() {
        return None;
    }
    cwd.ancestors().take(MAX_DEPTH).find_map(|dir| {
        if mounts::unanswered(dir).is_some() {
            return Some(None);
        }
        let dir = Dir::open(dir).ok()?;
        match dir.open_dir(".git") {
            Ok(git) => head(&git).map(Some),
            Err(_) => Some(linked(&dir)).filter(Option::is_some),
        }
    })?
}

/// The branch of a worktree, whose `.git` is a file that names its directory.
fn linked(dir: &Dir) -> Option<Vec<u8>> {
    let text = dir.read(".git", MAX_READ).ok()?;
    let path = text.strip_prefix(b"gitdir: ")?;
    let path = path.strip_suffix(b"\n").unwrap_or(path);
    let path: PathBuf = dir.path().join(OsStr::from_bytes(path));
    if mounts::unanswered(&path).is_some() {
        return None;
    }
    head(&Dir::open(&path).ok()?)
}

fn head(git: &Dir) -> Option<Vec<u8>> {
    parse(&git.read("HEAD", MAX_READ).ok()?)
}

/// What a `HEAD` says.
fn parse(head: &[u8]) -> Option<Vec<u8>> {
    let line = head.split(|&byte| byte == b'\n').next()?;
    if let Some(name) = line.strip_prefix(b"ref: refs/heads/") {
        return (!name.is_empty()).then(|| name.to_vec());
    }
    let is_commit = line.len() >= 40 && line.iter().all(u8::is_ascii_hexdigit);
    is_commit.then(|| line[..SHOWN_DIGITS].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_path(path: &Path) -> Option<String> {
        of(path.as_os_str().as_bytes()).map(|name| String::from_utf8(name).unwrap())
    }

    #[test]
    fn a_branch_a_worktree_and_a_commit_are_found_from_below() {
        let root = tempfile::tempdir().unwrap();
        let (work, git) = (root.path().join("a/b/c"), root.path().join("a/.git"));
        std::fs::create_dir_all(&work).unwrap();
        assert_eq!(of_path(&work), None);
        std::fs::create_dir_all(git.join("worktrees/w")).unwrap();
        std::fs::write(git.join("HEAD"), "ref: refs/heads/feature/x\n").unwrap();
        assert_eq!(of_path(&work).as_deref(), Some("feature/x"));
        std::fs::write(git.join("HEAD"), format!("{}\n", "ab01".repeat(10))).unwrap();
        assert_eq!(of_path(&work).as_deref(), Some("ab01ab01ab"));
        let other = root.path().join("w");
        std::fs::create_dir(&other).unwrap();
        std::fs::write(git.join("worktrees/w/HEAD"), "ref: refs/heads/w").unwrap();
        std::fs::write(other.join(".git"), "gitdir: ../a/.git/worktrees/w\n").unwrap();
        let other = other.canonicalize().unwrap();
        assert_eq!(of_path(&other).as_deref(), Some("w"));
    }

    #[test]
    fn links_pipes_and_what_is_no_head_give_nothing() {
        let root = tempfile::tempdir().unwrap();
        let git = root.path().join(".git");
        std::fs::create_dir(&git).unwrap();
        nix::unistd::mkfifo(&git.join("HEAD"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(of_path(root.path()), None);
        std::fs::remove_file(git.join("HEAD")).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", git.join("HEAD")).unwrap();
        assert_eq!(of_path(root.path()), None);
        for text in ["", "ref: refs/heads/", "ref: refs/tags/x", "abc", "\n"] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(of(b"relative"), None);
    }
}
