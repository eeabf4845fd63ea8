//! The clones of a user: looked at, planned and worked on as `provision apply` does it, with the real
//! worker process as an unprivileged user and real git remotes.

mod hostile;
mod making;
mod moving;
mod tending;
mod through_root;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use terminal_lobby::provision::observe::observed::{Account, HomeReport, Observed};
use terminal_lobby::provision::plan::{self, Action, Change, DesiredState, Step};
use terminal_lobby::provision::protocol::{
    Answer, CodeQuery, HomeFacts, HomeQuery, HomeTask, Request,
};
use terminal_lobby::provision::settings::{self, Settings};
use terminal_lobby::roster::groups::TierGroups;
use terminal_lobby::roster::ports::Ranges;
use terminal_lobby::roster::{Layout, Roster, Row, Tier};

/// Nobody's on this machine: whom the worker becomes when root runs the tests.
const UID: u32 = 61_234;

/// A user with a home, and remotes beside it.
struct Person {
    root: TempDir,
    row: Row,
    config: String,
}

impl Person {
    /// A home with git's configuration in it, and the remotes `infra` and `webapp` with a commit each.
    fn new() -> Self {
        let root = tempfile::Builder::new().prefix("tl-").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(root.path(), PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::copy(env!("CARGO_BIN_EXE_provision"), root.path().join("provision")).unwrap();
        let row = Row {
            authentik_user: "ann.x".into(),
            k8s_user: "ann".into(),
            tier: Tier::PowerUser,
            namespaces: Vec::new(),
            code_layout: Layout::Single,
            repos: Vec::new(),
            parked: false,
        };
        let person = Self { root, row, config: String::new() };
        for dir in ["home", "remotes"] {
            std::fs::create_dir(person.root.path().join(dir)).unwrap();
            if is_root() {
                std::os::unix::fs::chown(person.root.path().join(dir), Some(UID), Some(UID))
                    .unwrap();
            }
        }
        person.sh("git config --global user.name A; git config --global user.email a@b; \
            git config --global init.defaultBranch main; git config --global protocol.file.allow always");
        let config = format!(
            "infra_remote = '{}'\nrepo_remote = 'file://{}/{{repo}}.git'\nallow_file = true\n",
            person.url("infra"),
            person.root.path().join("remotes").display()
        );
        let mut person = Self { config, ..person };
        person.remote("infra");
        person.remote("webapp");
        person.sh("chmod 700 ~");
        person.row.repos.clear();
        person
    }

    /// One in a workspace with the repository `webapp`.
    fn in_workspace() -> Self {
        let mut person = Self::new();
        person.workspace(&["webapp"]);
        person
    }

    fn workspace(&mut self, repos: &[&str]) {
        self.row.code_layout = Layout::Workspace;
        self.row.repos = repos.iter().map(|&name| name.to_owned()).collect();
    }

    /// Makes a remote with one commit.
    fn remote(&self, name: &str) {
        self.sh(&format!(
            "cd ../remotes; git init -q --bare {name}.git; git clone -q {name}.git seed 2>&1; cd seed; \
             echo {name} >README; mkdir sub; echo x >sub/file; git add .; git commit -qm one; \
             git push -q origin main; cd ..; rm -rf seed"
        ));
    }

    /// Adds a commit to a remote.
    fn advance(&self, name: &str) {
        self.sh(&format!(
            "cd ../remotes; git clone -q {name}.git seed; cd seed; echo more >>README; \
             git commit -qam more; git push -q origin main; cd ..; rm -rf seed"
        ));
    }

    fn url(&self, name: &str) -> String {
        format!("file://{}/remotes/{name}.git", self.root.path().display())
    }

    fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    fn at(&self, path: &str) -> PathBuf {
        self.home().join(path)
    }

    /// A program as this person, in the home.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            let uid = UID.to_string();
            command.args(["--reuid", &uid, "--regid", &uid, "--clear-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.env_clear().env("HOME", self.home()).env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.env("USER", "ann").env("LOGNAME", "ann").env("SHELL", "/bin/sh").env("LC_ALL", "C");
        let remotes = format!("file://{}/remotes", self.root.path().display());
        command.env("REMOTES", remotes).current_dir(self.home());
        command
    }

    /// A shell script as this person, in the home; it must succeed.
    #[track_caller]
    fn sh(&self, script: &str) -> String {
        let output = self.command("sh").args(["-euc", script]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {said}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// The worker, asked through a program that runs it: `None` when it did not live to answer.
    fn ask_through(&self, wrapper: &[&str], request: &Request) -> Option<Answer> {
        let worker = self.root.path().join("provision");
        let worker = worker.to_str().unwrap();
        let argv: Vec<&str> = wrapper.iter().copied().chain([worker, "worker"]).collect();
        let mut command = self.command(argv[0]);
        command.args(&argv[1..]).current_dir("/");
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(&serde_json::to_vec(request).unwrap()).unwrap();
        let output = child.wait_with_output().unwrap();
        serde_json::from_slice(&output.stdout).ok()
    }

    #[track_caller]
    fn ask(&self, request: &Request) -> Answer {
        self.ask_through(&[], request).expect("an answer")
    }

    fn settings(&self) -> Settings {
        Settings {
            name_old_units: false,
            closed_trees: Vec::new(),
            secrets: Vec::new(),
            git: None,
            ranges: Ranges::default(),
            groups: TierGroups::default(),
            max_cut_percent: 20,
            shell: "/bin/sh".into(),
            home_base: "/home".into(),
            uid_max: 60_000,
            uid_min: 1000,
            code: toml::from_str(&self.config).unwrap(),
            agents: settings::agents::Settings::default(),
            cluster: settings::cluster::Settings::default(),
            browser: settings::browser::Settings::default(),
            offboard: terminal_lobby::offboard::Settings::default(),
        }
    }

    /// What the worker sees.
    fn facts(&self) -> HomeFacts {
        let code = Some(CodeQuery { repos: self.row.repos.clone() });
        let query = HomeQuery { code, ..HomeQuery::default() };
        match self.ask(&Request::Inspect(query)) {
            Answer::Facts(facts) => *facts,
            other => panic!("{other:?}"),
        }
    }

    fn observed(&self) -> Observed {
        let account = Account {
            uid: UID,
            gid: UID,
            home: self.home().to_str().unwrap().into(),
            shell: "/bin/sh".into(),
            local: true,
        };
        let mut observed = Observed::default();
        observed.accounts.insert("ann".into(), account);
        observed.home_reports.insert("ann".into(), HomeReport::Facts(Box::new(self.facts())));
        observed
    }

    /// What is to be done about the clones.
    fn plan(&self) -> Vec<Change> {
        let roster = Roster { users: [("ann".to_owned(), self.row.clone())].into() };
        let desired = DesiredState {
            roster: &roster,
            users: &[],
            membership_unknown: None,
            failed: BTreeSet::new(),
        };
        let plan = plan::plan(&desired, &self.observed(), &self.settings()).unwrap();
        plan.changes.into_iter().filter(|change| change.scope.step == Step::Code).collect()
    }

    /// The plan as lines: `add ann/code`, and the reason where nothing is done.
    fn lines(&self) -> Vec<String> {
        let line = |change: Change| {
            let line = format!("{} {}", change.verb.shown().1, change.id);
            if change.verb.changes() { line } else { format!("{line}: {}", change.why) }
        };
        self.plan().into_iter().map(line).collect()
    }

    /// Does all that is planned; what each said, or why it failed.
    fn apply(&self) -> Vec<Result<Vec<String>, String>> {
        self.plan().into_iter().filter_map(|change| self.carry_out(&change)).collect()
    }

    fn carry_out(&self, change: &Change) -> Option<Result<Vec<String>, String>> {
        let Some(Action::Home(task)) = &change.action else { return None };
        Some(self.perform((**task).clone()))
    }

    fn perform(&self, task: HomeTask) -> Result<Vec<String>, String> {
        match self.ask(&Request::Perform(task)) {
            Answer::Done(lines) => Ok(lines),
            Answer::Failed(why) => Err(why),
            Answer::Facts(_) => panic!("facts"),
        }
    }

    /// Does it until nothing is left to do; panics when anything fails.
    #[track_caller]
    fn settle(&self) {
        for _ in 0..4 {
            let done = self.apply();
            if done.is_empty() {
                return;
            }
            for done in done {
                done.unwrap();
            }
        }
        panic!("still planned: {:?}", self.lines());
    }

    /// Brings all clones up to date; the lines.
    fn freshen(&self) -> Result<Vec<String>, String> {
        let task = plan::code::freshen("ann", &self.row, &self.observed(), &self.settings().code);
        self.perform(task.expect("something to freshen"))
    }
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Paths below a directory with what they are: kind, mode, content. Times do not count.
fn inventory(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(at) = dirs.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let text = if meta.is_symlink() {
                path.read_link().unwrap().display().to_string()
            } else if meta.is_file() && meta.len() < 1 << 20 {
                format!("{:?}", std::fs::read(&path).unwrap())
            } else {
                meta.len().to_string()
            };
            let text = if meta.is_dir() { String::new() } else { text };
            found.push(format!("{} {:o} {text}", path.display(), meta.permissions().mode()));
            if meta.is_dir() {
                dirs.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A request that cannot be expressed with the types.
fn raw(person: &Person, request: &Value) -> Option<Answer> {
    let mut command = person.command(person.root.path().join("provision"));
    let command = command.arg("worker").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    serde_json::from_slice(&child.wait_with_output().unwrap().stdout).ok()
}

#[test]
fn a_place_that_no_roster_can_name_is_refused_by_the_worker() {
    let person = Person::new();
    for name in ["../x", "/etc", "", ".git", "infra", "a/b", "-x", "a\nb"] {
        let request = json!({"perform": {"code": {"remove_leftover": {"repo": name}}}});
        assert!(matches!(raw(&person, &request), Some(Answer::Failed(_))), "{name:?}");
    }
    assert!(
        raw(&person, &json!({"perform": {"code": {"remove_leftover": {"path": "x"}}}})).is_none()
    );
}
