//! A tmux server, a home, and a lobby that shows it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// What the login proxy of the benchmark sends.
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// An account of a person, since root has no lobby; the caller's own if the caller is not root.
const ACCOUNT: (&str, u32) = ("nobody", 65534);

pub(crate) struct World {
    root: TempDir,
    lobby: Child,
    pub(crate) url: String,
    /// The agent, the gateway, and the gateway's address.
    through: Option<(Child, Child, String)>,
}

impl World {
    /// With a session `a` that echoes what is typed, as it is.
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("tl-").tempdir_in("/tmp").unwrap();
        for dir in ["", "home", "state", "tmux", "agents", "logins"] {
            let dir = root.path().join(dir);
            std::fs::create_dir_all(&dir).unwrap();
            Self::own(&dir);
        }
        let echo = "stty raw -echo; exec cat";
        let mut tmux = command(root.path(), Path::new("tmux"));
        let words =
            ["-u", "-f", "/dev/null", "new-session", "-d", "-s", "a", "-x", "80", "-y", "24"];
        assert!(tmux.args(words).arg(echo).status().unwrap().success());
        let mut lobby = command(root.path(), &lobby());
        lobby
            .args(["open", "--json", "--no-browser", "--state-dir"])
            .arg(root.path().join("state"));
        let mut lobby = lobby.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(lobby.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        Self { root, lobby, url: said["url"].as_str().unwrap().to_owned(), through: None }
    }

    /// With a gateway and an agent, too.
    pub(crate) fn with_gateway() -> Self {
        let mut world = Self::new();
        let (dir, account) = (world.dir(), account());
        let text = format!(
            "mode = \"proxy\"\nurl = \"http://lobby.test\"\nlisten = \"127.0.0.1:0\"\nuser_map = \"{0}/map\"\n\
             agents = \"{0}/agents\"\nstate = \"{0}/logins\"\nlink_socket = \"{0}/logins/link\"\n\
             [proxy]\nheader = \"X-User\"\nsecret_file = \"{0}/secret\"\n[limits]\nconnections_per_user = 500\n",
            dir.display()
        );
        let map: Vec<String> = (0..50).map(|number| format!("p{number}={account}\n")).collect();
        let map = map.concat();
        for (name, text, mode) in
            [("lobby.toml", text.as_str(), 0o644), ("map", &map, 0o644), ("secret", SECRET, 0o600)]
        {
            use std::os::unix::fs::PermissionsExt;
            let file = dir.join(name);
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            Self::own(&file);
        }
        let program = lobby();
        let socket = dir.join(format!("agents/{account}.sock"));
        let mut agent = command(&dir, &program);
        agent.args(["agent", "--gateway", &account, "--listen"]).arg(&socket);
        let agent = agent.arg("--state-dir").arg(dir.join("state")).spawn().unwrap();
        while !socket.exists() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let mut gateway = command(&dir, &program);
        gateway.args(["serve", "--file"]).arg(dir.join("lobby.toml"));
        let mut gateway = gateway.stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut lines = BufReader::new(gateway.stderr.take().unwrap());
        while !line.contains("connections to ") {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "the gateway did not start");
        }
        std::thread::spawn(move || lines.lines().count());
        let address = line.trim().rsplit(' ').next().unwrap().to_owned();
        world.through = Some((agent, gateway, address));
        world
    }

    /// The address of the gateway.
    pub(crate) fn address(&self) -> &str {
        &self.through.as_ref().unwrap().2
    }

    /// The pid of the gateway.
    pub(crate) fn gateway(&self) -> u32 {
        self.through.as_ref().unwrap().1.id()
    }

    /// The pid of the agent.
    pub(crate) fn agent(&self) -> u32 {
        self.through.as_ref().unwrap().0.id()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.lobby.id()
    }

    /// Gives a file or directory to the account that everything runs as.
    pub(crate) fn own(path: &Path) {
        if is_root() {
            std::os::unix::fs::chown(path, Some(ACCOUNT.1), Some(ACCOUNT.1)).unwrap();
        }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.root.path().to_owned()
    }

    /// A program with this world's environment.
    pub(crate) fn command(&self, program: &str) -> Command {
        command(self.root.path(), Path::new(program))
    }

    pub(crate) fn tmux(&self, words: &[&str]) -> String {
        let output = self.command("tmux").arg("-u").args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.command("tmux").arg("kill-server").status();
        let _ = self.lobby.kill();
        let _ = self.lobby.wait();
        if let Some((agent, gateway, _)) = &mut self.through {
            for child in [agent, gateway] {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

fn lobby() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_persist")).with_file_name("lobby");
    assert!(program.exists(), "first: make page; cargo build --release --workspace");
    program
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The account that everything runs as.
fn account() -> String {
    let own = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name;
    if is_root() { ACCOUNT.0.to_owned() } else { own }
}

fn command(root: &Path, program: &Path) -> Command {
    let mut command = Command::new(if is_root() { Path::new("setpriv") } else { program });
    if is_root() {
        let id = ACCOUNT.1;
        command
            .arg(format!("--reuid={id}"))
            .arg(format!("--regid={id}"))
            .arg("--clear-groups")
            .arg(program);
    }
    command.env_clear().env("HOME", root.join("home")).env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command
        .env("TMUX_TMPDIR", root.join("tmux"))
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm-256color");
    command.current_dir(root);
    command
}
