//! A running `lobby open`.

use crate::support::{Sandbox, lobby_program};
use std::cell::OnceCell;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;

/// A lobby in a sandbox; it ends when this is dropped.
pub(super) struct Lobby {
    pub(super) sandbox: Rc<Sandbox>,
    child: Child,
    /// The URL that it printed.
    pub(super) url: String,
    /// Of the one browser that is logged in without one.
    cookie: OnceCell<String>,
}

impl Lobby {
    /// Starts it in a sandbox with these sessions, each with a shell.
    pub(super) fn with_sessions(names: &[&str]) -> Self {
        let sandbox = Sandbox::new();
        for name in names {
            let home = sandbox.home();
            let size = ["-x", "100", "-y", "30"];
            let words = ["new-session", "-d", "-s", name, "-c", home.to_str().unwrap()];
            sandbox.tmux(words.iter().chain(&size)).ok();
        }
        Self::start(sandbox)
    }

    /// Starts it in a sandbox.
    pub(super) fn start(sandbox: Sandbox) -> Self {
        Self::beside(Rc::new(sandbox))
    }

    /// Starts it in the sandbox of something else that goes on.
    pub(super) fn beside(sandbox: Rc<Sandbox>) -> Self {
        let (child, url) = begin(&sandbox, 0);
        Self { sandbox, child, url, cookie: OnceCell::new() }
    }

    /// Ends it as Ctrl-C does.
    pub(super) fn interrupt(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    /// Another lobby of the same user, on the same tmux server.
    pub(super) fn another(&self) -> Self {
        let (child, url) = begin(&self.sandbox, 0);
        Self { sandbox: Rc::clone(&self.sandbox), child, url, cookie: OnceCell::new() }
    }

    pub(super) fn port(&self) -> u16 {
        let rest = self.url.strip_prefix("http://127.0.0.1:").unwrap();
        rest.split('/').next().unwrap().parse().unwrap()
    }

    /// The secret in its URL.
    pub(super) fn link(&self) -> &str {
        self.url.split_once('#').unwrap().1
    }

    /// The cookie of a browser that used the link.
    pub(super) fn cookie(&self) -> &str {
        self.cookie.get_or_init(|| super::door::log_in(self))
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Lobby {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn begin(sandbox: &Sandbox, port: u16) -> (Child, String) {
    let mut command = sandbox.command(lobby_program());
    command.args(["open", "--json", "--no-browser", "--port", &port.to_string()]);
    command.arg("--state-dir").arg(sandbox.state()).arg("--config").arg(sandbox.config());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).expect("lobby open prints its URL");
    (child, said["url"].as_str().unwrap().to_owned())
}

/// The file of a scenario in a browser.
pub(super) fn scenario(name: &str) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lobby/browser");
    let mut command = Command::new("node");
    command.arg(folder.join(name)).current_dir(folder);
    command
}
