//! Carries out [`Action::Install`](crate::provision::plan::Action): a file or link of root's appears whole, in
//! directories that only root can change.

use super::ChangeError;
use crate::provision::edit::environment_file;
use crate::provision::plan::{Installed, SecretSource};
use crate::provision::protocol::SecretText;
use crate::sys::fs::trusted_path::{self, Missing};
use crate::sys::fs::{self, Existing};
use crate::sys::{Dir, FileError};
use std::ffi::OsStr;
use std::path::Path;

/// Opens the directory of a path of the host below `root`; missing directories are made (0755). Returns it
/// with the name in it.
///
/// # Errors
/// For one, users other than root could change a directory on the way, or one is a link.
pub fn open_parent(root: &Path, path: &str) -> Result<(Dir, String), FileError> {
    trusted_path::open_parent_below(root, Path::new(path), Missing::Made)
}

/// Installs a file or link at a name of a directory.
pub fn install(dir: &Dir, name: &str, what: &Installed) -> Result<(), FileError> {
    match what {
        Installed::File { text, mode } => {
            dir.write_as(name, text.as_bytes(), Existing::Replaced, *mode)
        }
        Installed::Link { target } => dir.write_link(name, OsStr::new(target)),
    }
}

/// The value of a secret, for [`Action::SetSecret`](crate::provision::plan::Action); `None` if the key has a
/// value already, which is kept. `text` is that of the file, `read` reads another file.
pub fn resolve_secret(
    value: &SecretSource,
    key: &str,
    text: &[u8],
    read: impl FnOnce(&str) -> Result<Vec<u8>, FileError>,
) -> Result<Option<SecretText>, ChangeError> {
    let get = |text: &[u8]| environment_file::get(text, key).filter(|value| !value.is_empty());
    match value {
        SecretSource::Given(value) => Ok(Some(value.clone())),
        SecretSource::Random if get(text).is_some() => Ok(None),
        SecretSource::Random => Ok(Some(SecretText(fs::random_hex() + &fs::random_hex()))),
        SecretSource::SameAs(file) => {
            let (file, key) = (file.clone(), key.to_owned());
            let Some(value) = get(&read(&file)?) else {
                return Err(ChangeError::NoKey { file, key });
            };
            match String::from_utf8(value) {
                Ok(value) => Ok(Some(SecretText(value))),
                Err(_) => Err(ChangeError::KeyNotUtf8 { file, key }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_secret_is_random_only_where_there_is_none_and_the_same_in_both_files() {
        let none = |_: &str| panic!("not read");
        let random =
            |there: &[u8]| resolve_secret(&SecretSource::Random, "K", there, none).unwrap();
        let (one, two) = (random(b"A=1\n").unwrap().0, random(b"K=\n").unwrap().0);
        assert!(one.len() == 64 && one != two && one.chars().all(|c| c.is_ascii_hexdigit()));
        assert_eq!(random(b"K=mine\n"), None);
        let same = SecretSource::SameAs("other".to_owned());
        let other = |text: &str| resolve_secret(&same, "K", b"K=old\n", |_| Ok(text.into()));
        assert_eq!(other("K=abc\n").unwrap().unwrap().0, "abc");
        assert_eq!(other("A=1\n").unwrap_err().to_string(), "other has no K");
    }

    #[test]
    fn what_is_installed_is_readable_by_all_and_never_goes_through_a_link() {
        let install = |root: &Path, path: &str, what: &Installed| {
            let (dir, name) = open_parent(root, path)?;
            install(&dir, &name, what)
        };
        if !crate::sys::accounts::is_root() {
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let file = Installed::File { text: "a\n".to_owned(), mode: 0o644 };
        install(root.path(), "/etc/a/b/c.json", &file).unwrap();
        for (path, mode) in [("etc/a", 0o755), ("etc/a/b", 0o755), ("etc/a/b/c.json", 0o644)] {
            let found = root.path().join(path).metadata().unwrap().permissions().mode();
            assert_eq!(found & 0o7777, mode, "{path}");
        }
        let link = Installed::Link { target: "/nowhere".to_owned() };
        install(root.path(), "/etc/a/link", &link).unwrap();
        install(root.path(), "/etc/a/link", &file).unwrap();
        assert!(!root.path().join("etc/a/link").is_symlink());
        std::os::unix::fs::symlink("a", root.path().join("etc/other")).unwrap();
        assert!(install(root.path(), "/etc/other/x", &file).is_err());
        let theirs = root.path().join("etc/a/b");
        std::os::unix::fs::chown(&theirs, Some(12_345), None).unwrap();
        let error = install(root.path(), "/etc/a/b/c.json", &file).unwrap_err().to_string();
        assert!(error.contains("belongs to uid 12345"), "{error}");
    }
}
