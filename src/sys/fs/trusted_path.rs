//! Paths that only root can change.

use super::{Dir, FileError};
use rustix::fs::Mode;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Asserts that nobody but root can replace `path` or any directory above it: each is a real
/// directory or file of root's that others cannot write, or may write only with the sticky bit.
pub fn assert_roots_own(path: &Path) -> Result<(), FileError> {
    let real = path.canonicalize().map_err(|source| FileError {
        doing: "resolving",
        path: path.to_owned(),
        source,
    })?;
    for part in real.ancestors() {
        let doing = "checking";
        let meta = part.symlink_metadata().map_err(|source| FileError {
            doing,
            path: part.to_owned(),
            source,
        })?;
        let sticky = meta.is_dir() && meta.mode() & 0o1000 != 0;
        if meta.uid() != 0 {
            let why = format!("belongs to uid {}, not to root", meta.uid());
            return Err(FileError::refused(doing, part, why));
        }
        if meta.mode() & 0o022 != 0 && !sticky {
            let why = format!("mode {:o}: others than root can write it", meta.mode() & 0o7777);
            return Err(FileError::refused(doing, part, why));
        }
    }
    Ok(())
}

/// As root: makes the state directory (0755, so that users reach their own part) when absent.
pub fn ensure_state_dir(path: &Path) -> Result<Dir, FileError> {
    let failed = |source| FileError { doing: "making directory", path: path.to_owned(), source };
    if !path.exists() {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(failed)?;
        let mode = Mode::from_raw_mode(0o755); // whatever the umask was
        rustix::fs::chmod(path, mode).map_err(|source| failed(source.into()))?;
    }
    assert_roots_own(path)?;
    Dir::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ground_that_is_roots_alone_passes() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let checked = assert_roots_own(root.path());
        if !crate::sys::accounts::is_root() {
            assert!(checked.unwrap_err().to_string().contains("not to root"));
            return;
        }
        checked.unwrap();
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(root.path(), open).unwrap();
        assert!(assert_roots_own(root.path()).unwrap_err().to_string().contains("can write it"));
    }
}
