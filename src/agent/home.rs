//! A user's home as the agents use it: read with bounds, and never through a link that leads out
//! of it. What agents write may be hostile or incomplete.

use crate::sys::{Dir, mounts};
use crate::text::{io_reason, shown};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A home directory. Directories below it are opened once, and a problem with one is noted once.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    dirs: RefCell<BTreeMap<PathBuf, Option<Rc<Dir>>>>,
    resolved: RefCell<BTreeMap<PathBuf, PathBuf>>,
    notes: RefCell<Vec<String>>,
    /// A mount that was needed since [`Home::take_unanswered`] and does not answer.
    unanswered: RefCell<Option<PathBuf>>,
}

impl Home {
    /// The home at `path`; it need not exist.
    pub fn new(path: &Path) -> Self {
        let unanswered = mounts::unanswered(path);
        let real = unanswered.is_none().then(|| path.canonicalize().ok()).flatten();
        Self {
            path: real.unwrap_or_else(|| path.to_owned()),
            unanswered: RefCell::default(),
            dirs: RefCell::default(),
            resolved: RefCell::default(),
            notes: RefCell::default(),
        }
    }

    /// Where it is, links resolved.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A directory below the home, if it is there. A link to another place inside the home is
    /// followed (dotfile managers make them); one that leads out is noted and left alone.
    pub fn dir(&self, relative: impl AsRef<Path>) -> Option<Rc<Dir>> {
        let relative = relative.as_ref();
        if let Some(known) = self.dirs.borrow().get(relative) {
            return known.clone();
        }
        let opened = self.open(relative).map(Rc::new);
        self.dirs.borrow_mut().insert(relative.to_owned(), opened.clone());
        opened
    }

    /// A working directory with its links resolved, or as it is if it does not exist. Resolved once,
    /// since many agents share one.
    pub fn resolved(&self, cwd: &Path) -> PathBuf {
        if let Some(known) = self.resolved.borrow().get(cwd) {
            return known.clone();
        }
        let real = self.may_touch(cwd).then(|| cwd.canonicalize().ok()).flatten();
        let resolved = real.unwrap_or_else(|| cwd.to_owned());
        self.resolved.borrow_mut().insert(cwd.to_owned(), resolved.clone());
        resolved
    }

    /// Whether a path can be touched without waiting for ever: no mount on the way to it hangs. One that
    /// does is noted.
    pub fn may_touch(&self, path: &Path) -> bool {
        let Some(mount) = mounts::unanswered(path) else { return true };
        self.note(format!("{} does not answer: what is there is left alone", shown(&mount)));
        self.unanswered.replace(Some(mount));
        false
    }

    /// The last mount that [`Home::may_touch`] found not to answer, since this was last called.
    pub fn take_unanswered(&self) -> Option<PathBuf> {
        self.unanswered.take()
    }

    /// Notes something about the home for the user's report.
    pub fn note(&self, note: String) {
        let mut notes = self.notes.borrow_mut();
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// What was noted.
    pub fn take_notes(&self) -> Vec<String> {
        self.notes.take()
    }

    fn open(&self, relative: &Path) -> Option<Dir> {
        let path = self.path.join(relative);
        if !self.may_touch(&path) {
            return None;
        }
        // The nearest part that exists: it may be a parent that is a link.
        for part in path.ancestors().take_while(|part| part.starts_with(&self.path)) {
            let real = match part.canonicalize() {
                Ok(real) => real,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => {
                    self.note(format!("{}: {}", shown(part), io_reason(&error)));
                    return None;
                }
            };
            if !real.starts_with(&self.path) {
                self.note(format!("{} leads out of the home: left alone", shown(part)));
                return None;
            }
            if part != path {
                return None;
            }
            return Dir::open(&real).map_err(|error| self.note(error.to_string())).ok();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_inside_the_home_is_followed_and_one_out_of_it_is_not() {
        let root = tempfile::tempdir().unwrap();
        let home = root.path().join("home");
        std::fs::create_dir_all(home.join("dotfiles/claude")).unwrap();
        std::os::unix::fs::symlink(home.join("dotfiles/claude"), home.join(".claude")).unwrap();
        std::os::unix::fs::symlink("/etc", home.join(".codex")).unwrap();
        let home = Home::new(&home);
        assert!(home.dir(".claude").is_some());
        assert!(home.dir(".codex").is_none());
        assert!(home.dir(".codex").is_none());
        assert!(home.dir(".absent").is_none());
        let notes = home.take_notes();
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].ends_with(".codex leads out of the home: left alone"));
    }
}
