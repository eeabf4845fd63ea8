//! The freeze: while its file exists, no version is changed.

use crate::sys::fs::{Existing, FileError, trusted_path};
use crate::t3::paths::Paths;

/// Maximum size of the file, in bytes: a person may have written it.
const MAX_FREEZE: u64 = 64 << 10;
/// Maximum length of the reason that is repeated, in characters.
const MAX_REASON: usize = 1000;

/// Why versions are frozen, as the file says; `None` if they are not. An empty file freezes, too.
///
/// # Errors
/// If the file is not root's own: then it must not be taken for absent.
pub fn frozen(paths: &Paths) -> Result<Option<String>, FileError> {
    match trusted_path::read(&paths.freeze(), MAX_FREEZE) {
        Ok(text) => {
            let text = String::from_utf8_lossy(text.trim_ascii());
            Ok(Some(text.chars().take(MAX_REASON).collect()))
        }
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Freezes versions, for a reason; an earlier reason is replaced.
pub fn freeze(paths: &Paths, why: &str) -> Result<(), FileError> {
    let dir = trusted_path::ensure_dir(&paths.services())?;
    dir.write_as("freeze", format!("{why}\n").as_bytes(), Existing::Replaced, 0o644)
}

/// Ends the freeze; whether there was one.
pub fn unfreeze(paths: &Paths) -> Result<bool, FileError> {
    let dir = match trusted_path::open_dir(&paths.services()) {
        Ok(dir) => dir,
        Err(error) if error.is_not_found() => return Ok(false),
        Err(error) => return Err(error),
    };
    let was = dir.stat("freeze")?.is_some();
    dir.remove("freeze")?;
    dir.sync()?;
    Ok(was)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freeze_has_a_reason_and_ends() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::below(root.path());
        assert_eq!(frozen(&paths).unwrap(), None);
        assert!(!unfreeze(&paths).unwrap());
        freeze(&paths, "0.0.34 failed").unwrap();
        assert_eq!(frozen(&paths).unwrap().as_deref(), Some("0.0.34 failed"));
        std::fs::write(paths.freeze(), "").unwrap();
        assert_eq!(frozen(&paths).unwrap().as_deref(), Some(""));
        assert!(unfreeze(&paths).unwrap());
        assert_eq!(frozen(&paths).unwrap(), None);
    }
}
