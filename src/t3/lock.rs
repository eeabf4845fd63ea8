//! One change of an instance at a time: a lock for each user.
//!
//! Whatever stops, starts, backs up or restores an instance holds the lock of its user while it does so: the commands
//! themselves take it (`enforce`, `backup`, `restore`, the watchdog), not what they call. The kernel releases it with
//! the process.

use super::paths::Paths;
use crate::identity::is_user_name;
use crate::sys::fs::{FileError, trusted_path};
use crate::sys::locks::{self, Lock};
use crate::sys::{Dir, fs};
use std::time::Duration;

/// The directory of the locks, in that of the state.
const LOCKS: &str = "locks";
/// The lock of a run that changes versions. No user is called so.
const RUN: &str = "enforce.lock";

/// Opens the directory of the state; a missing one is made (0700).
///
/// # Errors
/// If it is not root's own.
pub fn state_dir(paths: &Paths) -> Result<Dir, FileError> {
    let dir = trusted_path::ensure_dir(&paths.state())?;
    fs::set_mode(&dir, 0o700)?;
    Ok(dir)
}

/// Takes the lock of a user; waits at most so long.
///
/// # Errors
/// [`FileError::is_timeout`] if another process holds it for longer.
pub fn user(paths: &Paths, user: &str, wait: Duration) -> Result<Lock, FileError> {
    let dir = state_dir(paths)?.ensure_dir(LOCKS)?;
    if !is_user_name(user) {
        return Err(FileError::refused("locking", dir.path().join(user), "no name of a user"));
    }
    locks::exclusive(&dir, user, wait)
}

/// Takes the lock of runs that change versions; waits at most so long.
///
/// # Errors
/// [`FileError::is_timeout`] if another run holds it for longer.
pub fn run(paths: &Paths, wait: Duration) -> Result<Lock, FileError> {
    locks::exclusive(&state_dir(paths)?, RUN, wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_has_a_lock_of_their_own() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::below(root.path());
        let ann = user(&paths, "ann", Duration::ZERO).unwrap();
        assert!(user(&paths, "ann", Duration::ZERO).unwrap_err().is_timeout());
        let _bob = user(&paths, "bob", Duration::ZERO).unwrap();
        drop(ann);
        user(&paths, "ann", Duration::ZERO).unwrap();
        assert!(user(&paths, "../ann", Duration::ZERO).is_err());
        let _run = run(&paths, Duration::ZERO).unwrap();
        assert!(run(&paths, Duration::ZERO).unwrap_err().is_timeout());
    }
}
