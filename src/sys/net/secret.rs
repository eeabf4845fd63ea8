//! Secrets are read from files that no other user can read, and are never part of a message.

use crate::sys::fs::FileError;
use rustix::fs::{FileType, Mode, OFlags};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// No token is longer (bytes).
const MAX_SECRET: u64 = 16 << 10;

/// A text that no message shows.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// With something before it: `Bearer ` for HTTP.
    #[must_use]
    pub fn prefixed(&self, before: &str) -> Self {
        Self(format!("{before}{}", self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Secret(...)")
    }
}

/// Reads a token: one word, in a file of the caller's or of root's that no other user can read.
pub fn read(path: &Path) -> Result<Secret, FileError> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| FileError {
        doing: "reading the token in",
        path: path.to_owned(),
        source: error.into(),
    })?;
    read_open(fd.into(), path)
}

/// As [`read`], also for a file of root's that the group of this process can read: a service's own.
pub fn read_of_service(path: &Path) -> Result<Secret, FileError> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let failed = |error: rustix::io::Errno| FileError {
        doing: "reading the secret in",
        path: path.to_owned(),
        source: error.into(),
    };
    let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(failed)?;
    let stat = rustix::fs::fstat(&fd).map_err(failed)?;
    let is_of_service = stat.st_uid == 0 && stat.st_gid == rustix::process::getegid().as_raw();
    read_with(fd.into(), path, if is_of_service { 0o037 } else { 0o077 })
}

/// As [`read`], of an open file.
pub fn read_open(file: File, path: &Path) -> Result<Secret, FileError> {
    read_with(file, path, 0o077)
}

/// Reads a token in a file that has none of these bits of a mode.
fn read_with(file: File, path: &Path, others: u32) -> Result<Secret, FileError> {
    let refused = |why: String| FileError::refused("reading the token in", path, why);
    let failed =
        |source| FileError { doing: "reading the token in", path: path.to_owned(), source };
    let stat = rustix::fs::fstat(&file).map_err(|error| failed(error.into()))?;
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(refused("not a regular file".to_owned()));
    }
    if stat.st_mode & others != 0 {
        let mode = stat.st_mode & 0o7777;
        return Err(refused(format!("mode {mode:04o}: others can read it; make it 0600")));
    }
    if stat.st_uid != 0 && stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(refused(format!("belongs to uid {}", stat.st_uid)));
    }
    let mut bytes = Vec::new();
    let read = file.take(MAX_SECRET + 1).read_to_end(&mut bytes);
    read.map_err(failed)?;
    let token = bytes.trim_ascii();
    if bytes.len() as u64 > MAX_SECRET || token.is_empty() {
        return Err(refused(format!("empty, or more than {MAX_SECRET} bytes")));
    }
    if !token.iter().all(u8::is_ascii_graphic) {
        return Err(refused("not one word of printable characters".to_owned()));
    }
    Ok(Secret(String::from_utf8_lossy(token).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_a_file_that_nobody_else_reads_holds_a_token() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("token");
        let with = |bytes: &[u8], mode: u32| {
            std::fs::write(&file, bytes).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            read(&file)
        };
        assert_eq!(with(b"abc-123\n", 0o600).unwrap().text(), "abc-123");
        assert_eq!(format!("{:?}", with(b"abc", 0o400).unwrap()), "Secret(...)");
        for (bytes, mode, why) in [
            (&b"secret"[..], 0o640, "mode 0640: others can read it; make it 0600"),
            (b"secret", 0o604, "mode 0604"),
            (b" \n", 0o600, "empty"),
            (b"sec ret", 0o600, "not one word"),
            (b"secret\r\nX: y", 0o600, "not one word"),
            ("x".repeat(16_385).as_bytes(), 0o600, "more than"),
        ] {
            let error = with(bytes, mode).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("secret"), "{error}");
        }
        assert!(read(root.path()).unwrap_err().to_string().contains("not a regular file"));
        assert!(read(&root.path().join("none")).unwrap_err().is_not_found());
    }
}
