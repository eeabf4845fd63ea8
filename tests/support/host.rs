//! A throw-away host with accounts, homes and processes of its own, for tests that need root and
//! several users. It is made of namespaces: the machine's /etc, /home, /tmp, /run, /var/lib and
//! processes are out of reach, and the rest of its files are read-only.

use super::lacks::lacks;
use super::run::{Run, run};
use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Where the programs under test are, inside.
pub(crate) const BIN: &str = "/opt/tl";
/// What `--state-dir` names, inside.
pub(crate) const STATE: &str = "/var/lib/tmux-persist";
/// What `--user-map` names, inside.
pub(crate) const USER_MAP: &str = "/etc/ttyd-user-map";
/// What `--config` names, inside: short deadlines.
pub(crate) const CONFIG: &str = "/etc/terminal-lobby/config.toml";
/// In root's environment, and nobody else's.
pub(crate) const ROOTS_VARIABLE: &str = "ROOTS_OWN=hunter2";

const PATH: &str = "PATH=/usr/local/bin:/usr/bin:/bin";
const FIRST_UID: u32 = 20001;

/// A host of its own. Dropping it ends every process in it, and its files go with them.
pub(crate) struct Host {
    holder: Child,
    init: i32,
    users: RefCell<Vec<String>>,
    background: RefCell<Vec<Child>>,
}

impl Host {
    /// Makes a host for `test`, or says what the machine lacks.
    pub(crate) fn new(test: &str) -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            lacks(test, "needs root");
            return None;
        }
        let script = concat!("exec 3<&0 </dev/null\n", include_str!("host_setup.sh"));
        let mut holder = Command::new("unshare")
            .args(["--mount", "--pid", "--ipc", "--uts", "--fork", "--mount-proc"])
            .args(["--propagation", "private", "--", "sh", "-c", script])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line != "ready\n" {
            let mut why = String::new();
            let _ = holder.stderr.take().unwrap().read_to_string(&mut why);
            let _ = holder.wait();
            lacks(test, &format!("no private namespaces: {why}"));
            return None;
        }
        let init = super::sandbox::children(i32::try_from(holder.id()).unwrap())[0];
        let host = Self { holder, init, users: RefCell::default(), background: RefCell::default() };
        host.install("persist", &persist_binary());
        host.install("start-claude", &launcher_binary());
        Some(host)
    }

    /// Copies a program of the machine into the host, for all its users to run.
    pub(crate) fn install(&self, name: &str, from: &Path) {
        let bytes = std::fs::read(from).unwrap_or_else(|e| panic!("{}: {e}", from.display()));
        self.install_bytes(name, &bytes);
    }

    /// A file of root's inside, however large.
    pub(crate) fn read(&self, path: &str) -> String {
        let bytes = std::fs::read(format!("/proc/{}/root{path}", self.init)).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Writes a program into the host, for all its users to run.
    pub(crate) fn install_bytes(&self, name: &str, bytes: &[u8]) {
        // The way in through /proc is safe here: nobody but root can put a link below it.
        let to = PathBuf::from(format!("/proc/{}/root{BIN}/{name}", self.init));
        // Renamed into place, because a program that runs cannot be written.
        let new = to.with_extension("new");
        std::fs::write(&new, bytes).unwrap();
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(&new, &to).unwrap();
    }

    /// Adds a terminal user: account, group, home, and a row of the user map.
    pub(crate) fn user(&self, name: &str) -> u32 {
        let uid = self.account(name);
        self.sh(&format!(
            "install -d -m 700 -o {uid} -g {uid} /home/{name} && \
             echo '{name}@example.org={name}' >>{USER_MAP}"
        ));
        uid
    }

    /// Adds an account and its group, and nothing else.
    pub(crate) fn account(&self, name: &str) -> u32 {
        let uid = FIRST_UID + u32::try_from(self.users.borrow().len()).unwrap();
        self.users.borrow_mut().push(name.to_owned());
        self.sh(&format!(
            "echo '{name}:x:{uid}:{uid}::/home/{name}:/bin/sh' >>/etc/passwd && \
             echo '{name}:x:{uid}:' >>/etc/group && \
             echo '{name}:*:19000:0:99999:7:::' >>/etc/shadow"
        ));
        uid
    }

    /// Adds a supplementary group.
    pub(crate) fn group(&self, name: &str, gid: u32, members: &[&str]) {
        self.sh(&format!("echo '{name}:x:{gid}:{}' >>/etc/group", members.join(",")));
    }

    /// The uid of a user that was added.
    pub(crate) fn uid(&self, name: &str) -> u32 {
        let at = self.users.borrow().iter().position(|user| user == name);
        FIRST_UID + u32::try_from(at.unwrap_or_else(|| panic!("no user {name}"))).unwrap()
    }

    /// Runs `argv` as root.
    #[track_caller]
    pub(crate) fn root<I: IntoIterator<Item: AsRef<OsStr>>>(&self, argv: I) -> Run {
        run(&mut self.root_command(argv))
    }

    /// As [`Host::root`], for what takes longer than the tests' own runner waits.
    #[track_caller]
    pub(crate) fn patient<I: IntoIterator<Item: AsRef<OsStr>>>(&self, argv: I) -> Run {
        super::run::run_within(&mut self.root_command(argv), std::time::Duration::from_mins(5))
    }

    /// Runs `argv` as a user, with the user's groups and a login's environment.
    #[track_caller]
    pub(crate) fn as_user<I: IntoIterator<Item: AsRef<OsStr>>>(&self, user: &str, argv: I) -> Run {
        run(&mut self.user_command(user, argv))
    }

    /// Runs a shell script as root; it must succeed.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> String {
        self.root(["sh", "-euc", script]).ok().out()
    }

    /// Runs a shell script as a user; it must succeed.
    #[track_caller]
    pub(crate) fn sh_as(&self, user: &str, script: &str) -> String {
        self.as_user(user, ["sh", "-euc", script]).ok().out()
    }

    /// Starts `argv` as a user and leaves it running; it ends with the host.
    pub(crate) fn start_as(&self, user: &str, argv: &[&str]) {
        let mut command = self.user_command(user, argv);
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.background.borrow_mut().push(command.spawn().unwrap());
    }

    /// The first process of the host, by the machine's numbers.
    pub(crate) fn init(&self) -> i32 {
        self.init
    }

    /// Kills every process of a user, and waits until they are gone.
    pub(crate) fn end_all_of(&self, user: &str) {
        let list = format!("find /proc -maxdepth 1 -user {user} -printf '%f\\n' 2>/dev/null || :");
        super::wait_until("the user's processes are gone", || {
            let pids = self.sh(&list);
            let pids: Vec<_> = pids.lines().collect();
            self.sh(&format!("kill -KILL {} 2>/dev/null || :", pids.join(" ")));
            pids.is_empty()
        });
    }

    /// Runs `persist ARGS` as root on this host's map, state and configuration.
    #[track_caller]
    pub(crate) fn persist<I: IntoIterator<Item: AsRef<OsStr>>>(&self, args: I) -> Run {
        self.root(persist_argv(args))
    }

    /// Runs `tmux -u -f /dev/null ARGS` as a user.
    #[track_caller]
    pub(crate) fn tmux<I: IntoIterator<Item: AsRef<OsStr>>>(&self, user: &str, args: I) -> Run {
        let tmux = ["tmux", "-u", "-f", "/dev/null"].map(OsString::from).into_iter();
        self.as_user(user, tmux.chain(args.into_iter().map(|arg| arg.as_ref().to_owned())))
    }

    /// Starts the user's tmux server with these sessions, a `sleep` in each.
    #[track_caller]
    pub(crate) fn sessions(&self, user: &str, names: &[&str]) {
        for name in names {
            let cwd = format!("/home/{user}");
            let args = ["new-session", "-d", "-s", name, "-c", &cwd, "--", "sleep", "100000"];
            self.tmux(user, args).ok();
        }
    }

    /// The command that [`Host::root`] runs.
    pub(crate) fn root_command<I: IntoIterator<Item: AsRef<OsStr>>>(&self, argv: I) -> Command {
        let mut command = self.enter();
        command.args(["env", "-i", PATH, "HOME=/root", "USER=root", "LC_ALL=C", ROOTS_VARIABLE]);
        command.args(argv);
        command
    }

    /// The command that [`Host::as_user`] runs.
    pub(crate) fn user_command<I>(&self, user: &str, argv: I) -> Command
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let uid = self.uid(user);
        let mut command = self.enter();
        command.arg("setpriv").arg(format!("--reuid={uid}")).arg(format!("--regid={uid}"));
        command.args(["--init-groups", "--inh-caps=-all", "env", "-i", PATH, "SHELL=/bin/sh"]);
        command.arg(format!("HOME=/home/{user}"));
        command.arg(format!("USER={user}")).arg(format!("LOGNAME={user}"));
        command.args(argv);
        command
    }

    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.init));
        command.args(["--mount", "--pid", "--ipc", "--uts", "--"]);
        command
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Before the init: it ends only when its namespace's last process has a parent that reaps it.
        for child in self.background.borrow_mut().iter_mut() {
            let _ = child.kill(); // a stopped one would not notice
            let _ = child.wait();
        }
        super::sandbox::kill(self.init);
        let _ = self.holder.wait();
    }
}

/// `persist ARGS` with this host's map, state and configuration.
pub(crate) fn persist_argv<I: IntoIterator<Item: AsRef<OsStr>>>(args: I) -> Vec<OsString> {
    let program = std::iter::once(OsString::from(format!("{BIN}/persist")));
    let common = ["--user-map", USER_MAP, "--state-dir", STATE, "--config", CONFIG];
    let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
    program.chain(args).chain(common.map(OsString::from)).collect()
}

fn persist_binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_persist"))
}

/// The launcher is another package's binary: built beside persist by a build of the workspace, and
/// here when only this package was built.
fn launcher_binary() -> PathBuf {
    static BUILD: std::sync::Once = std::sync::Once::new();
    let path = persist_binary().with_file_name("start-claude");
    BUILD.call_once(|| {
        if !path.exists() {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["build", "--quiet", "--package", "launcher", "--target-dir"]);
            // target/PROFILE/persist: two up.
            cargo.arg(path.parent().unwrap().parent().unwrap());
            if path.parent().unwrap().ends_with("release") {
                cargo.arg("--release");
            }
            assert!(cargo.status().unwrap().success(), "building the launcher");
        }
    });
    path
}
