//! Finds clones and their git directories.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The clones of a code directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// The directory itself is a clone.
    Single(PathBuf),
    /// Its direct children that are clones, by name.
    Workspace(Vec<PathBuf>),
    /// No clone: the directory is missing, unreadable, or holds none.
    None,
}

impl Layout {
    /// The clones, in order.
    pub fn clones(&self) -> &[PathBuf] {
        match self {
            Self::Single(clone) => std::slice::from_ref(clone),
            Self::Workspace(clones) => clones,
            Self::None => &[],
        }
    }
}

/// Finds clones: `code_dir` itself, otherwise its direct children; nothing deeper.
///
/// A clone is a directory with a `.git` in it: a directory, a link to one, or the file by which
/// a linked worktree, a submodule or a separate git directory names one. So a bare repository is
/// none: it has no tree to bring up to date. What a broken `.git` means is left to git, except
/// that it does not hide the clones beside it.
///
/// A symbolic link among the children is followed when the directory behind it is the caller's
/// own: git refuses other people's clones, and saying so in each new pane helps nobody. A clone
/// that is reached twice counts once, under its first name.
pub fn discover(code_dir: &Path) -> Layout {
    if GitDirs::of(code_dir).is_ok() {
        return Layout::Single(code_dir.to_owned());
    }
    let clones = children(code_dir);
    if !clones.is_empty() {
        return Layout::Workspace(clones);
    }
    if has_dot_git(code_dir) { Layout::Single(code_dir.to_owned()) } else { Layout::None }
}

fn children(code_dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(code_dir) else { return Vec::new() };
    let mut clones: Vec<(bool, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_type().ok()?.is_symlink(), entry.path())))
        .filter(|(is_link, path)| has_dot_git(path) && (!is_link || is_own(path)))
        .collect();
    clones.sort_by(|(_, a), (_, b)| a.cmp(b));
    let real: Vec<PathBuf> =
        clones.iter().filter(|(is_link, _)| !is_link).filter_map(|(_, p)| real(p)).collect();
    let mut behind_links = Vec::new();
    clones.retain(|(is_link, path)| {
        let Some(target) = real_target(*is_link, path) else { return true };
        let known = real.contains(&target) || behind_links.contains(&target);
        behind_links.push(target);
        !known
    });
    clones.into_iter().map(|(_, path)| path).collect()
}

fn real(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}

fn real_target(is_link: bool, path: &Path) -> Option<PathBuf> {
    is_link.then(|| real(path)).flatten()
}

fn has_dot_git(directory: &Path) -> bool {
    directory.join(".git").symlink_metadata().is_ok()
}

fn is_own(directory: &Path) -> bool {
    let own = rustix::process::geteuid().as_raw();
    directory.metadata().is_ok_and(|meta| meta.uid() == own)
}

/// The git directories of a clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GitDirs {
    /// `HEAD`, `FETCH_HEAD`, the index, what is under way.
    pub(super) own: PathBuf,
    /// Refs, objects, configuration: of all worktrees of one repository.
    pub(super) common: PathBuf,
}

impl GitDirs {
    /// Finds them as git does (gitrepository-layout(5)), without starting a process for it.
    pub(super) fn of(clone: &Path) -> io::Result<Self> {
        let dot_git = clone.join(".git");
        let own = if dot_git.metadata()?.is_file() {
            let text = small_file(&dot_git)?;
            let target = text.strip_prefix(b"gitdir: ").ok_or(io::ErrorKind::InvalidData)?;
            clone.join(line(target))
        } else {
            dot_git
        };
        own.join("HEAD").symlink_metadata()?;
        let common = match small_file(&own.join("commondir")) {
            Ok(text) => own.join(line(&text)),
            Err(_) => own.clone(),
        };
        Ok(Self { own: own.canonicalize()?, common: common.canonicalize()? })
    }
}

/// Reads a file of a few lines; a longer one is invalid. A pipe in its place does not block.
pub(super) fn small_file(path: &Path) -> io::Result<Vec<u8>> {
    bounded_file(path, 64 << 10)
}

/// Reads a regular file of at most `limit` bytes.
pub(super) fn bounded_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    use io::Read;
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = std::fs::File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let meta = file.metadata()?;
    if !meta.is_file() || meta.len() > limit {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0) + 1);
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A path that ends with its line.
fn line(text: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    let end = text.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
    Path::new(std::ffi::OsStr::from_bytes(&text[..end]))
}
