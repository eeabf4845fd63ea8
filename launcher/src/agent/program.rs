//! The program of an agent: found by its name, else by the path at which it was seen when the sessions
//! were saved: a version manager's directory may be on PATH in some shells only.

use super::environment;
use crate::process::mounts::answers;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How a save saw the agent: the words before its arguments.
///
/// If the first word is a name, the agent was found by that name, and the other words are what it was:
/// the path of its program, or of an interpreter, with the interpreter's options and the script. If
/// the first word is a path, the agent was started by that path.
pub type Seen = [OsString];

/// What is executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The file; absent if the first word is searched on PATH.
    pub file: Option<PathBuf>,
    /// The first words of the argument list.
    pub words: Vec<OsString>,
    /// The `PATH` of the agent.
    pub path: OsString,
}

/// Chooses the program of the agent `name`, whose configured command is `command`. `path` is the PATH of
/// the login shell, `recorded` the one that the agent had.
pub fn choose(
    name: &str,
    command: &OsStr,
    seen: &Seen,
    home: &Path,
    (path, recorded): (&OsStr, Option<&OsStr>),
) -> Program {
    let all = environment::join(home, &[recorded.unwrap_or_default(), path]);
    let by_name = |path| Program { file: None, words: vec![command.to_owned()], path };
    let login_first = environment::join(home, &[path, recorded.unwrap_or_default()]);
    let found = find(command, &login_first);
    let is_configured = command != name;
    let (named, words) = match seen {
        [first, rest @ ..] if !first.as_bytes().contains(&b'/') => (true, rest),
        words => (false, words),
    };
    let usable = !is_configured && is_usable(name, words);
    if let Some(file) = found.filter(|_| named || !usable) {
        let first = find(command, &all);
        // Its interpreter and its tools are beside it.
        let is_new = |dir: &Path| {
            recorded.is_some_and(|path| std::env::split_paths(path).all(|known| known != dir))
        };
        let dir = file.parent().filter(|dir| first.as_ref() != Some(&file) || is_new(dir));
        return by_name(environment::in_front(home, dir, &all));
    }
    if !usable {
        return by_name(all);
    }
    let file = PathBuf::from(&words[0]);
    let path = environment::in_front(home, bin_dir(&file).as_deref(), &all);
    let words = if words.len() == 1 { vec![command.to_owned()] } else { words.to_vec() };
    Program { file: Some(file), words, path }
}

impl Program {
    /// Whether there is something to execute.
    pub fn is_found(&self) -> bool {
        self.file.is_some() || find(&self.words[0], &self.path).is_some()
    }

    /// If nothing else is found: where Claude Code's older installer put it, without adding the directory
    /// to PATH.
    #[must_use]
    pub fn or_older(mut self, home: &Path) -> Self {
        if self.words[0] == "claude" && !self.is_found() {
            self.file = Some(home.join(".claude/local/claude")).filter(|file| is_executable(file));
        }
        self
    }
}

/// The file that a program's name means with this PATH.
pub fn find(program: &OsStr, path: &OsStr) -> Option<PathBuf> {
    places(program, path).find(|file| is_executable(file))
}

/// The file that a name means in this process; dead mounts on its PATH are passed over.
pub fn own(program: &str) -> Option<PathBuf> {
    find(OsStr::new(program), &environment::path(&Vec::new()))
}

/// Where a program's name is looked for.
pub fn places(program: &OsStr, path: &OsStr) -> impl Iterator<Item = PathBuf> {
    let is_path = program.as_bytes().contains(&b'/');
    let given = is_path.then(|| PathBuf::from(program));
    let dirs = (!is_path).then(|| std::env::split_paths(path)).into_iter().flatten();
    given.into_iter().chain(dirs.map(move |dir| dir.join(program)))
}

/// Whether what was seen is the agent and can still be executed. A program that others can change is
/// not used: it is not named on any PATH now.
fn is_usable(agent: &str, words: &[OsString]) -> bool {
    let Some(program) = words.first().map(Path::new) else { return false };
    let names_it = |word: &OsString| {
        word.as_bytes()
            .to_ascii_lowercase()
            .windows(agent.len())
            .any(|part| part == agent.as_bytes())
    };
    let is_ours = |file: &Path| {
        let us = rustix::process::geteuid().as_raw();
        file.metadata().is_ok_and(|meta| {
            meta.is_file() && [0, us].contains(&meta.uid()) && meta.mode() & 0o002 == 0
        })
    };
    let script = words.iter().skip(1).next_back().map(Path::new);
    program.is_absolute()
        && words.iter().any(names_it)
        && is_executable(program)
        && is_ours(program)
        && script.is_none_or(is_ours)
}

fn is_executable(file: &Path) -> bool {
    answers(file) && file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
}

/// Where the commands of the same installation are: beside `lib/node_modules`, else beside the program.
fn bin_dir(program: &Path) -> Option<PathBuf> {
    let modules = program.ancestors().find(|dir| dir.ends_with("lib/node_modules"));
    let prefix = modules.and_then(|modules| modules.parent()?.parent());
    prefix.map(|prefix| prefix.join("bin")).or_else(|| Some(program.parent()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World(tempfile::TempDir);

    impl World {
        fn new(programs: &[&str]) -> Self {
            let world = Self(tempfile::tempdir().unwrap());
            for program in programs {
                let file = world.0.path().join(program);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                crate::test_files::write(&file, "", 0o755);
            }
            world
        }

        fn at(&self, path: &str) -> OsString {
            self.0.path().join(path).into_os_string()
        }

        /// File and PATH, below this world.
        fn choose(&self, seen: &[&OsStr], path: &[&str], recorded: &[&str]) -> (String, String) {
            let join =
                |dirs: &[&str]| std::env::join_paths(dirs.iter().map(|dir| self.at(dir))).unwrap();
            let seen: Vec<OsString> = seen.iter().map(|word| (*word).to_owned()).collect();
            let home = self.0.path().join("home");
            let (path, recorded) = (join(path), join(recorded));
            let recorded = Some(recorded.as_os_str()).filter(|path| !path.is_empty());
            let claude = OsStr::new("claude");
            let program = choose("claude", claude, &seen, &home, (&path, recorded));
            let root = format!("{}/", self.0.path().display());
            let shown = |text: &OsStr| text.to_string_lossy().replace(&root, "");
            let file = program.file.or_else(|| find(&program.words[0], &program.path));
            (shown(file.unwrap_or_default().as_os_str()), shown(&program.path))
        }
    }

    #[test]
    fn a_name_is_found_as_the_login_shell_finds_it_then_where_the_agent_had_it_then_where_it_was() {
        let world = World::new(&["new/claude", "old/claude", "gone/lib/node_modules/x/claude.exe"]);
        let exe = world.at("gone/lib/node_modules/x/claude.exe");
        let seen = [OsStr::new("claude"), &exe];
        let own = "home/.local/bin";
        let both = world.choose(&seen, &["bin", "new"], &["old", "bin"]);
        assert_eq!(both, ("new/claude".into(), format!("{own}:new:old:bin")));
        let login = world.choose(&seen, &["bin", "new"], &["new", "tools"]);
        assert_eq!(login, ("new/claude".into(), format!("{own}:new:tools:bin")));
        let recorded = world.choose(&seen, &["bin"], &["old", "tools"]);
        assert_eq!(recorded, ("old/claude".into(), format!("{own}:old:tools:bin")));
        let seen_there = world.choose(&seen, &["bin"], &["multishell"]);
        let exe = "gone/lib/node_modules/x/claude.exe".to_owned();
        assert_eq!(seen_there, (exe, format!("{own}:gone/bin:multishell:bin")));
        assert_eq!(world.choose(&[OsStr::new("claude")], &["bin"], &[]).0, "");
    }

    #[test]
    fn a_path_that_was_typed_comes_first_while_it_is_there() {
        let world = World::new(&["new/claude", "canary/claude"]);
        let typed = world.at("canary/claude");
        assert_eq!(world.choose(&[&typed], &["new"], &[]).0, "canary/claude");
        let gone = world.at("elsewhere/claude");
        assert_eq!(world.choose(&[&gone], &["new"], &[]).0, "new/claude");
    }

    #[test]
    fn a_script_keeps_its_interpreter_and_that_ones_options() {
        let world = World::new(&["node/bin/node", "claude-code/cli.js"]);
        let (node, script) = (world.at("node/bin/node"), world.at("claude-code/cli.js"));
        let seen = [node.clone(), "--max-old-space-size=9".into(), script];
        let claude = OsStr::new("claude");
        let home = world.0.path().join("home");
        let program = choose("claude", claude, &seen, &home, (OsStr::new("/bin"), None));
        assert_eq!((program.file, program.words), (Some(node.into()), seen.to_vec()));
    }

    #[test]
    fn what_is_no_agent_or_can_be_changed_by_others_is_not_run() {
        let world = World::new(&["bin/other", "open/claude"]);
        assert_eq!(
            world.choose(&[OsStr::new("claude"), &world.at("bin/other")], &["x"], &[]).0,
            ""
        );
        let open = world.at("open/claude");
        assert_eq!(world.choose(&[&open], &["x"], &[]).0, "open/claude");
        crate::test_files::write(Path::new(&open), "", 0o757);
        assert_eq!(world.choose(&[&open], &["x"], &[]).0, "");
    }

    #[test]
    fn a_configured_command_is_used_as_it_is() {
        let world = World::new(&["old/claude"]);
        let seen = [world.at("old/claude")];
        let home = world.0.path().join("home");
        let wrapper = OsStr::new("wrapper");
        let program = choose("claude", wrapper, &seen, &home, (OsStr::new("/bin"), None));
        assert_eq!((program.file, program.words), (None, vec![wrapper.to_owned()]));
    }
}
