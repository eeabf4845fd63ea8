//! The versions that are installed side by side, and which of them each instance runs.
//!
//! `/opt/t3/versions/VERSION/` holds one, and `bin/t3` in it is its program. It counts once its install-complete mark
//! is there, which is written last. `/opt/t3/current` is the version of instances that are new. An instance that was
//! started once has a link of its own, `/opt/t3/users/USER`, and runs that version until it is changed on purpose: a
//! newer program migrates an old database, and an older one breaks on a new one, so neither may follow from a crash or
//! a reboot. The unit `t3-serve@USER.service` therefore has
//!
//! ```text
//! ExecStartPre=+/usr/bin/provision t3 choose %i
//! ExecStart=/opt/t3/users/%i/bin/t3 serve ...
//! ```
//!
//! and credentials are minted by [`program_of_user`]. All of this is root's own; links are replaced by a rename.

use super::version::Version;
use crate::identity::is_user_name;
use crate::sys::Dir;
use crate::sys::fs::{Existing, FileError, trusted_path};
use crate::t3::paths::Paths;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The mark of a version that is installed completely; it holds the version.
pub const MARK: &str = ".install-complete";
/// The directory of the users' links, in that of the programs.
const USERS: &str = "users";
/// What the link of a user names while the instance must not be started, since its data are being replaced.
const HELD: &str = "../versions/.held";
/// Maximum number of versions, and of entries beside them.
const MAX_VERSIONS: usize = 1000;
/// Maximum size of the mark, in bytes.
const MAX_MARK: u64 = 100;

/// What an instance runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// It has not been started yet.
    None,
    Version(Version),
    /// It must not be started: its data are being replaced.
    Held,
}

impl Chosen {
    /// The version, if there is one.
    pub fn version(&self) -> Option<&Version> {
        match self {
            Self::Version(version) => Some(version),
            Self::None | Self::Held => None,
        }
    }
}

/// The program of a version.
pub fn program(paths: &Paths, version: &Version) -> PathBuf {
    paths.versions().join(version.to_string()).join("bin/t3")
}

/// The program that a user's instance runs, behind the user's link.
pub fn program_of_user(paths: &Paths, user: &str) -> PathBuf {
    paths.programs().join(USERS).join(user).join("bin/t3")
}

/// Whether a version is installed completely.
///
/// # Errors
/// If its directory is not root's own.
pub fn is_complete(paths: &Paths, version: &Version) -> Result<bool, FileError> {
    let path = paths.versions().join(version.to_string()).join(MARK);
    match trusted_path::read(&path, MAX_MARK) {
        Ok(mark) => Ok(mark.trim_ascii() == version.to_string().as_bytes()),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

/// The versions that are installed completely, oldest first.
pub fn installed(paths: &Paths) -> Result<Vec<Version>, FileError> {
    let dir = match trusted_path::open_dir(&paths.versions()) {
        Ok(dir) => dir,
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut versions = Vec::new();
    for name in dir.names(MAX_VERSIONS)?.unwrap_or_default() {
        let Some(version) = name.to_str().and_then(|name| name.parse::<Version>().ok()) else {
            continue;
        };
        if is_complete(paths, &version)? {
            versions.push(version);
        }
    }
    versions.sort();
    Ok(versions)
}

/// Writes the install-complete mark of a version, last of all.
pub fn mark_complete(version: &Version, dir: &Dir) -> Result<(), FileError> {
    dir.write_as(MARK, format!("{version}\n").as_bytes(), Existing::Replaced, 0o644)
}

/// The version that new instances run; `None` if there is none yet.
///
/// # Errors
/// If the switch is no link to a version.
pub fn current(paths: &Paths) -> Result<Option<Version>, FileError> {
    let Some(dir) = existing(&paths.programs())? else { return Ok(None) };
    let Some(target) = dir.link_target("current")? else { return Ok(None) };
    let name = target.to_str().and_then(|target| target.strip_prefix("versions/"));
    parsed(&dir, "current", name).map(Some)
}

/// Makes new instances run a version.
pub fn switch(paths: &Paths, version: &Version) -> Result<(), FileError> {
    require_complete(paths, version)?;
    let dir = trusted_path::ensure_dir(&paths.programs())?;
    dir.write_link("current", OsStr::new(&format!("versions/{version}")))
}

/// What the instance of a user runs.
///
/// # Errors
/// If it is no link to a version.
pub fn of_user(paths: &Paths, user: &str) -> Result<Chosen, FileError> {
    let Some(dir) = existing(&paths.programs().join(USERS))? else { return Ok(Chosen::None) };
    let Some(target) = dir.link_target(user)? else { return Ok(Chosen::None) };
    if target == HELD {
        return Ok(Chosen::Held);
    }
    let name = target.to_str().and_then(|target| target.strip_prefix("../versions/"));
    parsed(&dir, user, name).map(Chosen::Version)
}

/// Makes the instance of a user run a version from its next start on.
pub fn choose(paths: &Paths, user: &str, version: &Version) -> Result<(), FileError> {
    require_complete(paths, version)?;
    users(paths, user)?.write_link(user, OsStr::new(&format!("../versions/{version}")))
}

/// Keeps the instance of a user from being started, until a version is chosen.
pub fn hold(paths: &Paths, user: &str) -> Result<(), FileError> {
    users(paths, user)?.write_link(user, OsStr::new(HELD))
}

/// The version that the instance of a user is about to be started with: the chosen one, or for a new instance the
/// current one, which is chosen by that. `None` if the host has no versions.
///
/// # Errors
/// If the instance must not be started now, or its version is not complete.
pub fn at_start(paths: &Paths, user: &str) -> Result<Option<Version>, FileError> {
    let refused = |why: &str| {
        Err(FileError::refused("starting", program_of_user(paths, user), why.to_owned()))
    };
    match of_user(paths, user)? {
        Chosen::Held => refused("its data are being replaced: provision t3 enforce --resume"),
        Chosen::Version(version) => {
            require_complete(paths, &version)?;
            Ok(Some(version))
        }
        Chosen::None => {
            let Some(version) = current(paths)? else { return Ok(None) };
            require_complete(paths, &version)?;
            // Whatever another process chose meanwhile stays.
            let dir = users(paths, user)?;
            dir.ensure_link(user, OsStr::new(&format!("../versions/{version}")))?;
            match of_user(paths, user)? {
                Chosen::Version(version) => Ok(Some(version)),
                Chosen::Held | Chosen::None => refused("it was changed meanwhile"),
            }
        }
    }
}

/// The versions that users' instances run, or will.
pub fn in_use(paths: &Paths) -> Result<Vec<Version>, FileError> {
    let Some(dir) = existing(&paths.programs().join(USERS))? else { return Ok(Vec::new()) };
    let names = dir.names(MAX_VERSIONS * 100)?.unwrap_or_default();
    let users = names.iter().filter_map(|name| name.to_str());
    let mut versions = Vec::new();
    for user in users.filter(|user| is_user_name(user)) {
        versions.extend(of_user(paths, user)?.version().cloned());
    }
    versions.extend(current(paths)?);
    versions.sort();
    versions.dedup();
    Ok(versions)
}

fn require_complete(paths: &Paths, version: &Version) -> Result<(), FileError> {
    if is_complete(paths, version)? {
        return Ok(());
    }
    let dir = paths.versions().join(version.to_string());
    Err(FileError::refused("using", dir, "this version is not installed completely"))
}

fn users(paths: &Paths, user: &str) -> Result<Dir, FileError> {
    let path = paths.programs().join(USERS);
    if !is_user_name(user) {
        return Err(FileError::refused("linking", path.join(user), "no name of a user"));
    }
    trusted_path::ensure_dir(&path)
}

fn existing(path: &Path) -> Result<Option<Dir>, FileError> {
    match trusted_path::open_dir(path) {
        Ok(dir) => Ok(Some(dir)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn parsed(dir: &Dir, link: &str, name: Option<&str>) -> Result<Version, FileError> {
    name.and_then(|name| name.parse().ok()).ok_or_else(|| {
        FileError::refused("reading link", dir.path().join(link), "it names no version")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(versions: &[&str]) -> (tempfile::TempDir, Paths) {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::below(root.path());
        for version in versions {
            let dir = paths.versions().join(version);
            std::fs::create_dir_all(&dir).unwrap();
            mark_complete(&version.parse().unwrap(), &Dir::open(&dir).unwrap()).unwrap();
        }
        (root, paths)
    }

    fn v(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn an_instance_keeps_its_version_when_new_ones_get_another() {
        let (_root, paths) = host(&["0.0.24", "0.0.26"]);
        assert_eq!(at_start(&paths, "ann").unwrap(), None);
        switch(&paths, &v("0.0.24")).unwrap();
        assert_eq!(at_start(&paths, "ann").unwrap(), Some(v("0.0.24")));
        switch(&paths, &v("0.0.26")).unwrap();
        assert_eq!(current(&paths).unwrap(), Some(v("0.0.26")));
        assert_eq!(at_start(&paths, "ann").unwrap(), Some(v("0.0.24")));
        assert_eq!(at_start(&paths, "bob").unwrap(), Some(v("0.0.26")));
        assert_eq!(in_use(&paths).unwrap(), [v("0.0.24"), v("0.0.26")]);
        choose(&paths, "ann", &v("0.0.26")).unwrap();
        assert_eq!(of_user(&paths, "ann").unwrap(), Chosen::Version(v("0.0.26")));
    }

    #[test]
    fn an_instance_that_is_held_does_not_start() {
        let (_root, paths) = host(&["0.0.24"]);
        hold(&paths, "ann").unwrap();
        assert_eq!(of_user(&paths, "ann").unwrap(), Chosen::Held);
        assert!(at_start(&paths, "ann").unwrap_err().to_string().contains("being replaced"));
        assert!(!program_of_user(&paths, "ann").exists());
        choose(&paths, "ann", &v("0.0.24")).unwrap();
        assert_eq!(at_start(&paths, "ann").unwrap(), Some(v("0.0.24")));
    }

    #[test]
    fn a_version_without_its_mark_is_none() {
        let (_root, paths) = host(&["0.0.24"]);
        std::fs::create_dir_all(paths.versions().join("0.0.26/bin")).unwrap();
        std::fs::create_dir_all(paths.versions().join("0.0.34")).unwrap();
        std::fs::write(paths.versions().join("0.0.34").join(MARK), "0.0.26\n").unwrap();
        assert_eq!(installed(&paths).unwrap(), [v("0.0.24")]);
        for version in ["0.0.26", "0.0.34", "1.0.0"] {
            assert!(switch(&paths, &v(version)).is_err(), "{version}");
            assert!(choose(&paths, "ann", &v(version)).is_err(), "{version}");
        }
        assert_eq!(current(&paths).unwrap(), None);
        assert!(choose(&paths, "../ann", &v("0.0.24")).is_err());
    }

    #[test]
    fn a_link_that_names_no_version_is_an_error() {
        let (_root, paths) = host(&["0.0.24"]);
        std::os::unix::fs::symlink("/usr", paths.current()).unwrap();
        assert!(current(&paths).is_err());
    }
}
