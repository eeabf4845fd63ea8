//! What [`Action::Install`](crate::provision::plan::Action) does: a file or link of root's appears whole, in
//! directories that only root can change.

use crate::provision::edit::environment_file;
use crate::provision::home::Sealed;
use crate::provision::plan::{Installed, SecretValue};
use crate::sys::fs::{self, Existing, trusted_path};
use crate::sys::{FileError, accounts};
use std::ffi::OsStr;
use std::path::Path;

/// Installs at `path` of the host below `root`; directories that are missing are made (0755).
///
/// # Errors
/// When it cannot be done, or others than root could change a directory on the way.
pub fn install(root: &Path, path: &str, what: &Installed) -> Result<(), FileError> {
    let path = root.join(path.trim_start_matches('/'));
    let name = path.file_name().and_then(OsStr::to_str);
    let (Some(parent), Some(name)) = (path.parent(), name) else {
        return Err(FileError::refused("installing", &path, "it has no name"));
    };
    let mut missing: Vec<&Path> = parent.ancestors().take_while(|dir| !dir.exists()).collect();
    missing.reverse();
    let ensure = |dir: &Path| {
        if accounts::is_root() {
            trusted_path::ensure_state_dir(dir)
        } else {
            crate::sys::Dir::open(dir)
        }
    };
    for dir in missing {
        ensure(dir)?;
    }
    let dir = ensure(parent)?;
    match what {
        Installed::File { text, mode } => {
            dir.write_as(name, text.as_bytes(), Existing::Replaced, *mode)
        }
        Installed::Link { target } => dir.write_link(name, OsStr::new(target)),
    }
}

/// What a secret is to be set to, for [`Action::SetSecret`](crate::provision::plan::Action); `None` when the key
/// has a value already that stays. `there` is the text of the file, `other` that of another file.
///
/// # Errors
/// When the other file has no value for the key.
pub fn secret(
    value: &SecretValue,
    key: &str,
    there: &[u8],
    other: impl FnOnce(&str) -> Result<Vec<u8>, String>,
) -> Result<Option<Sealed>, String> {
    let get = |text: &[u8]| environment_file::get(text, key).filter(|value| !value.is_empty());
    match value {
        SecretValue::Given(value) => Ok(Some(value.clone())),
        SecretValue::Random if get(there).is_some() => Ok(None),
        SecretValue::Random => Ok(Some(Sealed(fs::random_hex() + &fs::random_hex()))),
        SecretValue::SameAs(file) => {
            let value = get(&other(file)?).ok_or_else(|| format!("{file} has no {key}"))?;
            let value = String::from_utf8(value).map_err(|_| format!("{file} {key}: not UTF-8"))?;
            Ok(Some(Sealed(value)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_secret_is_random_only_where_there_is_none_and_the_same_in_both_files() {
        let none = |_: &str| Err("not asked".to_owned());
        let random = |there: &[u8]| secret(&SecretValue::Random, "K", there, none).unwrap();
        let (one, two) = (random(b"A=1\n").unwrap().0, random(b"K=\n").unwrap().0);
        assert!(one.len() == 64 && one != two && one.chars().all(|c| c.is_ascii_hexdigit()));
        assert_eq!(random(b"K=mine\n"), None);
        let same = SecretValue::SameAs("other".to_owned());
        let other = |text: &str| secret(&same, "K", b"K=old\n", |_| Ok(text.into()));
        assert_eq!(other("K=abc\n").unwrap().unwrap().0, "abc");
        assert_eq!(other("A=1\n").unwrap_err(), "other has no K");
    }

    #[test]
    fn what_is_installed_is_for_all_to_read_and_never_goes_through_a_link() {
        if !accounts::is_root() {
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
