//! One person's world: a home, a remote, its author, and the code directory.

use freshen::{Options, Outcome, discover, freshen};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A remote `origin.git` with one commit on `main`, its author's clone, and an empty `code`.
pub(crate) struct World {
    root: TempDir,
    pub(crate) environment: Vec<(OsString, OsString)>,
}

const CONFIG: &str = "\
[user]
name = Test
email = test@example.invalid
[init]
defaultBranch = main
[protocol \"file\"]
allow = always
[advice]
detachedHead = false
";

impl World {
    pub(crate) fn new() -> Self {
        Self::below(Path::new("/tmp"))
    }

    pub(crate) fn below(directory: &Path) -> Self {
        let root = tempfile::Builder::new().prefix("tl-f-").tempdir_in(directory).unwrap();
        for name in ["home", "code", "hooks"] {
            std::fs::create_dir(root.path().join(name)).unwrap();
        }
        std::fs::write(root.path().join("home/.gitconfig"), CONFIG).unwrap();
        let environment = [
            ("HOME", root.path().join("home").into_os_string()),
            ("XDG_CONFIG_HOME", root.path().join("home/.config").into_os_string()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ];
        let environment =
            environment.into_iter().map(|(name, value)| (name.into(), value)).collect();
        let world = Self { root, environment };
        world.git(world.root(), &["init", "-q", "--bare", "origin.git"]);
        world.git(world.root(), &["clone", "-q", "origin.git", "author"]);
        world.publish("first", "1");
        world
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn code(&self) -> PathBuf {
        self.root().join("code")
    }

    pub(crate) fn author(&self) -> PathBuf {
        self.root().join("author")
    }

    pub(crate) fn origin(&self) -> PathBuf {
        self.root().join("origin.git")
    }

    /// The remote by `file://`: the whole protocol, where a plain path takes short cuts.
    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.origin().display())
    }

    /// A git in this world, not yet started.
    pub(crate) fn git_command(&self, directory: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(directory).env_clear();
        command.env("PATH", path()).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs git in this world; what it printed.
    #[track_caller]
    pub(crate) fn git(&self, directory: &Path, arguments: &[&str]) -> String {
        let output = self.git_command(directory, arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {text}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Runs a git that is meant to fail, as one that stops at a conflict does.
    #[track_caller]
    pub(crate) fn git_fails(&self, directory: &Path, arguments: &[&str]) {
        let output = self.git_command(directory, arguments).output().unwrap();
        assert!(!output.status.success(), "git {arguments:?} succeeded");
    }

    /// Commits a file in a clone.
    #[track_caller]
    pub(crate) fn commit(&self, clone: &Path, file: &str, text: &str) {
        let path = clone.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self.git(clone, &["add", "--force", "--", file]);
        self.git(clone, &["commit", "-q", "-m", file]);
    }

    /// The author commits a file and pushes it.
    #[track_caller]
    pub(crate) fn publish(&self, file: &str, text: &str) {
        self.commit(&self.author(), file, text);
        self.git(&self.author(), &["push", "-q", "origin", "HEAD"]);
    }

    /// Clones the remote into the code directory.
    #[track_caller]
    pub(crate) fn clone_as(&self, name: &str) -> PathBuf {
        self.git(&self.code(), &["clone", "-q", &self.url(), name]);
        self.code().join(name)
    }

    /// Ample time, and nothing counts as fetched.
    pub(crate) fn options(&self) -> Options<'static> {
        Options {
            deadline: Duration::from_secs(30),
            fresh_for: Duration::ZERO,
            environment: self.environment.clone(),
            even_as_root: true,
            ..Options::default()
        }
    }

    /// Freshens the code directory; the lines that are said.
    #[track_caller]
    pub(crate) fn freshen(&self) -> Vec<String> {
        lines(&self.outcomes(&self.options()))
    }

    /// Freshens it in another way.
    #[track_caller]
    pub(crate) fn outcomes(&self, options: &Options<'_>) -> Vec<Outcome> {
        let layout = discover(&self.code());
        freshen(layout.clones(), options).unwrap()
    }

    /// Freshens the code directory, expects these lines, and that no byte of `clone` changes.
    #[track_caller]
    pub(crate) fn leaves_alone(&self, clone: &Path, says: &[&str]) {
        let before = super::Bytes::of(clone);
        let said = self.freshen();
        before.assert_same(&super::Bytes::of(clone));
        assert_eq!(said, says);
    }

    /// The commit that a name means in a clone.
    #[track_caller]
    pub(crate) fn commit_of(&self, clone: &Path, name: &str) -> String {
        self.git(clone, &["rev-parse", "--verify", name])
    }

    /// Asserts that a clone's branch and tree are where the author's are.
    #[track_caller]
    pub(crate) fn assert_current(&self, clone: &Path) {
        let (theirs, ours) =
            (self.commit_of(&self.author(), "HEAD"), self.commit_of(clone, "HEAD"));
        assert_eq!(theirs, ours);
        assert_eq!(self.git(clone, &["status", "--porcelain", "--untracked-files=no"]), "");
    }

    /// Writes an executable shell script below `home`; its path.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.root().join("home").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Puts a `git` in front of git that notes each call's arguments, a line each; the notes.
    pub(crate) fn count_git(&mut self) -> PathBuf {
        let notes = self.root().join("home/calls");
        let path = path();
        let text = format!("echo \"$*\" >>{}\nPATH={path} exec git \"$@\"", notes.display());
        let bin = self.script("bin/git", &text).parent().unwrap().to_owned();
        self.environment.push(("PATH".into(), format!("{}:{path}", bin.display()).into()));
        notes
    }

    /// Asserts that nothing runs that was started in this world; who was just killed has a second
    /// to be gone.
    #[track_caller]
    pub(crate) fn assert_nothing_runs(&self) {
        let end = Instant::now() + Duration::from_secs(1);
        while Instant::now() < end && !self.running().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let running = self.running();
        let line =
            |pid| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let lines: Vec<String> = running.into_iter().map(line).collect();
        assert!(lines.is_empty(), "{lines:?}");
    }

    /// The processes that were started in this world and still run, by their environment.
    pub(crate) fn running(&self) -> Vec<i32> {
        let mark = format!("HOME={}", self.root().join("home").display());
        let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let pids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
        pids.filter(|pid: &i32| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
        })
        .collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for pid in self.running() {
            let pid = nix::unistd::Pid::from_raw(pid);
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
    }
}

/// Where programs are found: the caller's, so that these tests can be run against any git.
pub(crate) fn path() -> String {
    std::env::var("PATH").unwrap()
}

/// What the outcomes say.
pub(crate) fn lines(outcomes: &[Outcome]) -> Vec<String> {
    outcomes.iter().filter_map(Outcome::line).collect()
}

/// Waits until `fact` holds; fails with `what` after 30 s.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut fact: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !fact() {
        assert!(Instant::now() < end, "did not happen within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
