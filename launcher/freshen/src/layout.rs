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
    let candidates = match list(code_dir) {
        Listing::Single => return Layout::Single(code_dir.to_owned()),
        Listing::Candidates(candidates) => candidates,
    };
    let clones = arrange(candidates.iter().filter_map(Candidate::probe).collect());
    if !clones.is_empty() {
        return Layout::Workspace(clones);
    }
    if has_dot_git(code_dir) { Layout::Single(code_dir.to_owned()) } else { Layout::None }
}

/// What a code directory holds.
#[derive(Debug)]
pub(super) enum Listing {
    /// It is a clone itself.
    Single,
    /// Its children, which may be clones.
    Candidates(Vec<Candidate>),
}

/// A child of a code directory.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    is_link: bool,
}

/// A child that is a clone.
#[derive(Debug)]
pub(super) struct Entry {
    path: PathBuf,
    is_link: bool,
    /// Its path without links.
    real: Option<PathBuf>,
}

/// Looks at the directory itself, at nothing in it.
pub(super) fn list(code_dir: &Path) -> Listing {
    if GitDirs::of(code_dir).is_ok() {
        return Listing::Single;
    }
    let entries = std::fs::read_dir(code_dir).into_iter().flatten().filter_map(Result::ok);
    let candidates = entries.filter_map(|entry| {
        let kind = entry.file_type().ok()?;
        let is_link = kind.is_symlink();
        (is_link || kind.is_dir()).then(|| Candidate { path: entry.path(), is_link })
    });
    Listing::Candidates(candidates.collect())
}

impl Candidate {
    /// Looks at the child; it may lie on another file system, or lead there.
    pub(super) fn probe(&self) -> Option<Entry> {
        let (path, is_link) = (self.path.clone(), self.is_link);
        let is_clone = has_dot_git(&path) && (!is_link || is_own(&path));
        is_clone.then(|| Entry { real: real(&path), path, is_link })
    }
}

/// The clones by name, each once.
pub(super) fn arrange(mut entries: Vec<Entry>) -> Vec<PathBuf> {
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let mut known: Vec<PathBuf> =
        entries.iter().filter(|entry| !entry.is_link).filter_map(|e| e.real.clone()).collect();
    entries.retain(|entry| {
        let Some(target) = entry.real.as_ref().filter(|_| entry.is_link) else { return true };
        let is_new = !known.contains(target);
        known.push(target.clone());
        is_new
    });
    entries.into_iter().map(|entry| entry.path).collect()
}

fn real(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}

pub(super) fn has_dot_git(directory: &Path) -> bool {
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
