//! The user's own small files: bounded reads, and replacing one in one step.

use crate::process::mounts::answers;
use rustix::fs::{Mode, OFlags};
use shared::atomic::{Options, StagedFile, Temporary};
use shared::escape::io_reason;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Why a file was not read; the caller knows the path.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{}", io_reason(.0))]
    Io(#[from] std::io::Error),
    #[error("not a regular file")]
    NotAFile,
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    #[error("its mount does not answer")]
    NoAnswer,
}

/// Reads a regular file of at most `limit` bytes; `None` if nothing is there.
pub fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
    read_with_metadata(path, limit).map(|read| read.map(|(bytes, _)| bytes))
}

/// As [`read`], with the metadata of the file that was read.
pub fn read_with_metadata(
    path: &Path,
    limit: u64,
) -> Result<Option<(Vec<u8>, std::fs::Metadata)>, ReadError> {
    if !answers(path) {
        return Err(ReadError::NoAnswer);
    }
    // Nonblocking: a fifo in place of the file must not hold the pane up.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => std::fs::File::from(fd),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(error) => return Err(ReadError::Io(error.into())),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(ReadError::NotAFile);
    }
    let expected = usize::try_from(metadata.len().min(limit)).unwrap_or(0);
    let mut bytes = Vec::with_capacity(expected + 1); // one more shows the end without growing
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge(limit));
    }
    Ok(Some((bytes, metadata)))
}

/// Replaces a file in one step, keeping its owner and mode, if `check`, which is called last, agrees;
/// returns whether it did.
pub fn replace(
    path: &Path,
    bytes: &[u8],
    metadata: &std::fs::Metadata,
    check: impl FnOnce() -> bool,
) -> std::io::Result<bool> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(false) };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = rustix::fs::open(parent, flags, Mode::empty())?;
    let mut staged = StagedFile::create(dir, name, Temporary::Random)?;
    staged.write_all(bytes)?;
    let options = Options {
        mode: metadata.mode() & 0o7777,
        owner: Some((metadata.uid(), metadata.gid())),
        ..Options::default()
    };
    staged.commit_if(&options, || Ok(check()))
}

/// A path of the configuration: `~/` is the home, and so is where a relative one begins.
pub fn below_home(home: &Path, path: &Path) -> PathBuf {
    home.join(path.strip_prefix("~").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home() {
        assert_eq!(below_home(Path::new("/h"), Path::new("~/code")), Path::new("/h/code"));
        assert_eq!(below_home(Path::new("/h"), Path::new("/srv")), Path::new("/srv"));
        assert_eq!(below_home(Path::new("/h"), Path::new("code")), Path::new("/h/code"));
    }
}
