//! A user's home as an agent uses it: read with bounds, and never through a link that leads out of it.
//! What agents write may be hostile or incomplete.

use super::environment::AgentEnvironment;
use crate::sys::{Dir, mounts};
use crate::text::{io_reason, shown};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A home directory, and where one agent in it keeps its data. Directories are opened once, and a
/// problem with one is noted once.
#[derive(Debug, Clone)]
pub struct Home {
    path: Rc<PathBuf>,
    /// By [`Data`].
    data: Rc<[PathBuf; Data::ALL.len()]>,
    shared: Rc<Shared>,
}

/// The data of an agent, in a directory of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    Claude,
    Codex,
    Copilot,
    Gemini,
    /// Only the conversations.
    Pi,
    Qwen,
}

impl Data {
    const ALL: [Self; 6] =
        [Self::Claude, Self::Codex, Self::Copilot, Self::Gemini, Self::Pi, Self::Qwen];

    /// Where it is: what the first variable that is set names, with what is below it; and the default below
    /// the home.
    pub const fn place(self) -> (&'static [(&'static str, &'static str)], &'static str) {
        match self {
            Self::Claude => (&[("CLAUDE_CONFIG_DIR", "")], ".claude"),
            Self::Codex => (&[("CODEX_HOME", "")], ".codex"),
            Self::Copilot => (&[("COPILOT_HOME", "")], ".copilot"),
            Self::Gemini => (&[("GEMINI_CLI_HOME", ".gemini")], ".gemini"),
            Self::Pi => (
                &[("PI_CODING_AGENT_SESSION_DIR", ""), ("PI_CODING_AGENT_DIR", "sessions")],
                ".pi/agent/sessions",
            ),
            Self::Qwen => (&[("QWEN_RUNTIME_DIR", ""), ("QWEN_HOME", "")], ".qwen"),
        }
    }
}

/// What all views of a home share.
#[derive(Debug, Default)]
struct Shared {
    dirs: RefCell<BTreeMap<PathBuf, Option<Rc<Dir>>>>,
    resolved: RefCell<BTreeMap<PathBuf, PathBuf>>,
    notes: RefCell<Vec<String>>,
    /// A mount that was needed since [`Home::take_unanswered`] and does not answer.
    unanswered: RefCell<Option<PathBuf>>,
    /// Files of an agent's that do not parse, by directory, each with why.
    incomplete: RefCell<BTreeMap<PathBuf, BTreeMap<String, String>>>,
}

impl Home {
    /// The home at `path`; it need not exist. Agents keep their data in their default places.
    pub fn new(path: &Path) -> Self {
        let unanswered = mounts::unanswered(path);
        let real = unanswered.is_none().then(|| path.canonicalize().ok()).flatten();
        let path = real.unwrap_or_else(|| path.to_owned());
        let data = Data::ALL.map(|data| path.join(data.place().1));
        Self { path: Rc::new(path), data: Rc::new(data), shared: Rc::default() }
    }

    /// The same home for an agent that was started with that environment in `cwd`. Its data may be
    /// outside of the home, in a directory that belongs to the user.
    #[must_use]
    pub fn of(&self, environment: &AgentEnvironment, cwd: &Path) -> Self {
        if environment.is_empty() {
            return self.clone();
        }
        let dir = |data: Data| {
            let (variables, default) = data.place();
            let mut names = variables.iter().map(|(name, _)| *name).chain(["HOME"]);
            if names.all(|name| environment.get(name).is_none()) {
                return self.data(data).to_owned();
            }
            self.resolved(&environment.data_dir(variables, default, &self.path, cwd))
        };
        let data = Rc::new(Data::ALL.map(dir));
        Self { data, path: self.path.clone(), shared: self.shared.clone() }
    }

    /// Where it is, links resolved.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of Claude Code's data, existing or not.
    pub fn claude(&self) -> &Path {
        self.data(Data::Claude)
    }

    /// The directory of Codex's data, existing or not.
    pub fn codex(&self) -> &Path {
        self.data(Data::Codex)
    }

    /// The directory of an agent's data, existing or not.
    pub fn data(&self, data: Data) -> &Path {
        &self.data[data as usize]
    }

    /// Whether agents keep their data in the same places as in another view.
    pub fn is_same(&self, other: &Self) -> bool {
        self.data == other.data
    }

    /// A directory below the home, or below an agent's data, if it is there. A link to another place
    /// inside the home is followed (dotfile managers make them); one that leads out is noted and left
    /// alone.
    pub fn dir(&self, path: impl AsRef<Path>) -> Option<Rc<Dir>> {
        let path = self.path.join(path);
        self.root_of(&path)?;
        if let Some(known) = self.shared.dirs.borrow().get(&path) {
            return known.clone();
        }
        let opened = self.open(&path).map(Rc::new);
        self.shared.dirs.borrow_mut().insert(path, opened.clone());
        opened
    }

    /// A working directory with its links resolved, or as it is if it does not exist. Resolved once,
    /// since many agents share one.
    pub fn resolved(&self, cwd: &Path) -> PathBuf {
        if let Some(known) = self.shared.resolved.borrow().get(cwd) {
            return known.clone();
        }
        let real = self.may_touch(cwd).then(|| cwd.canonicalize().ok()).flatten();
        let resolved = real.unwrap_or_else(|| cwd.to_owned());
        self.shared.resolved.borrow_mut().insert(cwd.to_owned(), resolved.clone());
        resolved
    }

    /// Whether a path can be touched without waiting for ever: no mount on the way to it hangs. One that
    /// does is noted.
    pub fn may_touch(&self, path: &Path) -> bool {
        let Some(mount) = mounts::unanswered(path) else { return true };
        self.note(format!("{} does not answer: what is there is left alone", shown(&mount)));
        self.shared.unanswered.replace(Some(mount));
        false
    }

    /// The last mount that [`Home::may_touch`] found not to answer, since this was last called.
    pub fn take_unanswered(&self) -> Option<PathBuf> {
        self.shared.unanswered.take()
    }

    /// Searches directories again that were not there: an agent may make its own as it starts.
    pub fn forget_absent(&self) {
        self.shared.dirs.borrow_mut().retain(|_, dir| dir.is_some());
    }

    /// Notes something about the home for the user's report.
    pub fn note(&self, note: String) {
        let mut notes = self.shared.notes.borrow_mut();
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// Notes a file of an agent's that does not parse: a power cut can leave many empty ones, which are one
    /// note together.
    pub fn note_incomplete(&self, dir: &Path, name: &str, why: &impl std::fmt::Display) {
        let mut incomplete = self.shared.incomplete.borrow_mut();
        let files = incomplete.entry(dir.to_owned()).or_default();
        files.entry(name.to_owned()).or_insert_with(|| why.to_string());
    }

    /// What was noted, without the files that do not parse: more of them may be found.
    pub fn take_notes(&self) -> Vec<String> {
        self.shared.notes.take()
    }

    /// What was noted, all of it.
    pub fn take_all_notes(&self) -> Vec<String> {
        let mut notes = self.take_notes();
        for (dir, files) in self.shared.incomplete.take() {
            let Some((name, why)) = files.first_key_value() else { continue };
            let others = match files.len() - 1 {
                0 => String::new(),
                others => format!(" ({others} more in this directory cannot be read)"),
            };
            notes.push(format!("{}: {why}{others}", shown(&dir.join(name))));
        }
        notes
    }

    /// The directory below which a path must stay, and whether that is the home.
    fn root_of(&self, path: &Path) -> Option<(&Path, bool)> {
        let data = self.data.iter().find(|root| path.starts_with(root));
        if path.starts_with(&*self.path) {
            return Some((&self.path, true));
        }
        data.map(|root| (root.as_path(), false))
    }

    fn open(&self, path: &Path) -> Option<Dir> {
        let (root, is_home) = self.root_of(path)?;
        if !self.may_touch(path) {
            return None;
        }
        // The nearest part that exists: it may be a parent that is a link.
        for part in path.ancestors().take_while(|part| part.starts_with(root)) {
            let real = match part.canonicalize() {
                Ok(real) => real,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => {
                    self.note(format!("{}: {}", shown(part), io_reason(&error)));
                    return None;
                }
            };
            if !real.starts_with(root) && !real.starts_with(&*self.path) {
                self.note(format!("{} leads out of the home: left alone", shown(part)));
                return None;
            }
            if part != path {
                return None;
            }
            let dir = Dir::open(&real).map_err(|error| self.note(error.to_string())).ok()?;
            if !is_home && !dir.is_own().unwrap_or(false) {
                self.note(format!("{} belongs to another user: left alone", shown(&real)));
                return None;
            }
            return Some(dir);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_a_power_cut_left_empty_are_one_note_for_a_directory() {
        let home = Home::new(Path::new("/home/ann"));
        let dir = Path::new("/home/ann/.claude/sessions");
        for pid in 101..200 {
            home.note_incomplete(dir, &format!("{pid}.json"), &"EOF while parsing");
            home.note_incomplete(dir, &format!("{pid}.json"), &"EOF while parsing");
        }
        home.note_incomplete(Path::new("/home/ann/.other"), "1.json", &"torn");
        assert_eq!(home.take_notes(), [""; 0]);
        let notes = home.take_all_notes();
        assert_eq!(
            notes,
            [
                "/home/ann/.claude/sessions/101.json: EOF while parsing (98 more in this directory cannot be read)",
                "/home/ann/.other/1.json: torn",
            ]
        );
    }

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

    #[test]
    fn data_outside_of_the_home_is_the_users_own_and_leads_nowhere_else() {
        let root = tempfile::tempdir().unwrap();
        let (home, data) = (root.path().join("home"), root.path().join("data"));
        std::fs::create_dir_all(&home).unwrap();
        std::fs::create_dir_all(data.join("projects")).unwrap();
        std::os::unix::fs::symlink("/etc", data.join("sessions")).unwrap();
        let home = Home::new(&home);
        assert!(home.dir(data.join("projects")).is_none(), "no agent said that it is there");
        let line = format!("CLAUDE_CONFIG_DIR={}\0", data.to_str().unwrap());
        let environment = AgentEnvironment::of(line.as_bytes(), home.path());
        let view = home.of(&environment, Path::new("/"));
        let data = view.claude().to_owned();
        assert!(view.dir(data.join("projects")).is_some());
        assert!(view.dir(data.join("sessions")).is_none());
        assert_eq!(view.codex(), home.codex());
        assert_eq!(home.take_notes().len(), 1, "noted for all views");
    }
}
