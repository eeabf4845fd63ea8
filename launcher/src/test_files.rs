//! Files for unit tests.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Writes a file with a mode.
pub(crate) fn write(path: &Path, text: &str, mode: u32) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Makes a symbolic link to `target`.
pub(crate) fn link(target: &Path, path: &Path) {
    std::os::unix::fs::symlink(target, path).unwrap();
}
