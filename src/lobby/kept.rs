//! What the lobby keeps for its user: JSON files in `lobby` below the user's own state directory, so that they are
//! backed up, archived and removed with it, and are there in every browser.
//!
//! Everything here blocks, and is called outside of the threads that serve.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use terminal_lobby::persist::own_dir;
use terminal_lobby::sys::fs::{Dir, Existing, FileError};
use terminal_lobby::sys::locks;
use terminal_lobby::text::shown;

/// The directory.
const LOBBY: &str = "lobby";
/// Excludes other lobbies of the user while one changes a file.
const LOCK: &str = "lock";
/// How long to wait for it: another change may wait for a busy disk.
const WAIT: Duration = Duration::from_secs(20);
/// Maximum size of one file, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// The user's own files of the lobby. Clones are the same files.
#[derive(Debug, Clone)]
pub struct Kept {
    state: Arc<Path>,
    user: Arc<str>,
    /// Whether the user's state directory may be made here, instead of by root.
    may_create: bool,
}

/// Why a file could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    #[error(transparent)]
    File(#[from] FileError),
    /// It stays as it is: what is in it may be worth a look.
    #[error("{} cannot be understood, and nothing in it is used or changed: {source}", shown(.file))]
    Damaged { file: PathBuf, source: serde_json::Error },
    #[error("{} would be larger than {MAX_FILE} bytes", shown(.file))]
    TooLarge { file: PathBuf },
}

impl Kept {
    /// Those of `user`, below the state directory that all users share.
    pub fn new(state: &Path, user: &str, may_create: bool) -> Self {
        Self { state: state.into(), user: user.into(), may_create }
    }

    /// The directory of these files, which may not exist.
    pub fn path(&self) -> PathBuf {
        self.state.join(&*self.user).join(LOBBY)
    }

    /// Opens the directory of these files, and makes it if it is not there.
    ///
    /// # Errors
    /// If the user's state directory is not there and only root may make it, or belongs to another user.
    pub fn directory(&self) -> Result<Dir, FileError> {
        own_dir::open(&self.state, &self.user, self.may_create)?.ensure_dir(LOBBY)
    }

    /// Reads a file; a missing one is the default.
    pub fn read<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, KeptError> {
        match Dir::open(&self.path()) {
            Ok(dir) => read(&dir, name),
            Err(error) if error.is_not_found() => Ok(T::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes a file while no other lobby does, and returns what `change` returned. The file is replaced whole,
    /// and is on disk afterwards; if `change` left it as it was, nothing is written.
    pub fn change<T, R>(&self, name: &str, change: impl FnOnce(&mut T) -> R) -> Result<R, KeptError>
    where
        T: Serialize + DeserializeOwned + Default + PartialEq + Clone,
    {
        let dir = self.directory()?;
        let _lock = locks::exclusive(&dir, LOCK, WAIT)?;
        let mut value: T = read(&dir, name)?;
        let before = value.clone();
        let result = change(&mut value);
        if value != before {
            let file = || dir.path().join(name);
            let bytes = serde_json::to_vec_pretty(&value)
                .map_err(|source| KeptError::Damaged { file: file(), source })?;
            if bytes.len() as u64 > MAX_FILE {
                return Err(KeptError::TooLarge { file: file() });
            }
            dir.write(name, &bytes, Existing::Replaced)?;
        }
        Ok(result)
    }
}

fn read<T: DeserializeOwned + Default>(dir: &Dir, name: &str) -> Result<T, KeptError> {
    match dir.read(name, MAX_FILE) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|source| KeptError::Damaged { file: dir.path().join(name), source }),
        Err(error) if error.is_not_found() => Ok(T::default()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn kept(root: &Path) -> Kept {
        Kept::new(root, "alice", true)
    }

    #[test]
    fn what_two_lobbies_add_at_once_is_all_kept() {
        let root = tempfile::tempdir().unwrap();
        let both = std::thread::scope(|scope| {
            let add = |begin: u32| {
                let kept = kept(root.path());
                move || {
                    for number in begin..begin + 20 {
                        let insert = |all: &mut BTreeSet<u32>| all.insert(number);
                        assert!(kept.change("numbers.json", insert).unwrap());
                    }
                }
            };
            [scope.spawn(add(0)), scope.spawn(add(100))].map(|thread| thread.join().is_ok())
        });
        assert_eq!(both, [true, true]);
        let all: BTreeSet<u32> = kept(root.path()).read("numbers.json").unwrap();
        assert_eq!(all.len(), 40);
    }

    #[test]
    fn a_damaged_file_is_named_and_stays() {
        let root = tempfile::tempdir().unwrap();
        let kept = kept(root.path());
        assert_eq!(kept.read::<Vec<u8>>("a.json").unwrap(), [0_u8; 0]);
        let dir = kept.directory().unwrap();
        dir.write("a.json", b"[1,", Existing::Replaced).unwrap();
        for error in [
            kept.read::<Vec<u8>>("a.json").unwrap_err(),
            kept.change("a.json", |all: &mut Vec<u8>| all.push(1)).unwrap_err(),
        ] {
            assert!(error.to_string().contains("alice/lobby/a.json cannot be"), "{error}");
        }
        assert_eq!(dir.read("a.json", 10).unwrap(), b"[1,");
    }

    #[test]
    fn a_link_in_the_place_of_the_directory_is_not_followed() {
        let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let kept = kept(root.path());
        let own = own_dir::open(root.path(), "alice", true).unwrap();
        own.write_link(LOBBY, other.path().as_os_str()).unwrap();
        assert!(kept.change("a.json", |all: &mut Vec<u8>| all.push(1)).is_err());
        assert!(kept.read::<Vec<u8>>("a.json").is_err());
        assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0);
    }
}
