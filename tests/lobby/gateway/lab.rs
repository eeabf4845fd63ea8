//! A gateway on a throw-away host, with real agents of its users, and what browsers and proxies send to it.

use crate::lobby::client::Client;
use crate::support::host::{BIN, Host, USER_MAP};
use crate::support::lobby_program;
use crate::support::wait::{wait_for, wait_until};
use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;
use tungstenite::client::IntoClientRequest;

/// What the login proxy of these tests sends over TCP.
pub(super) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(super) const ADMINS: &str = "/etc/ttyd-admins";
const AGENTS: &str = "/run/terminal-lobby/agents";
const FILE: &str = "/etc/terminal-lobby/lobby.toml";

/// A host with users ann and bob, each with a session and an agent that a connection starts.
pub(super) struct Lab {
    pub(super) host: Host,
    gateway: RefCell<Option<Child>>,
    port: Cell<u16>,
    log: RefCell<Vec<std::thread::JoinHandle<()>>>,
    lines: std::sync::Arc<std::sync::Mutex<Vec<String>>>,
    activators: RefCell<Vec<Child>>,
}

impl Lab {
    /// With a login proxy over TCP.
    pub(super) fn new(test: &str) -> Option<Self> {
        Self::with(test, "proxy", "")
    }

    /// In another mode, and with more keys and sections.
    pub(super) fn with(test: &str, mode: &str, further: &str) -> Option<Self> {
        let host = Host::new(test)?;
        host.install("lobby", &lobby_program());
        host.account("lobby");
        for user in ["ann", "bob"] {
            host.user(user);
            host.sessions(user, &[&format!("of-{user}")]);
        }
        host.sh(&format!(
            "install -d -m 755 {AGENTS}; install -d -m 755 -o lobby /run/terminal-lobby/own; \
             install -d -m 700 -o lobby /var/lib/lobby; : >{ADMINS}; \
             printf %s {SECRET} >/etc/terminal-lobby/proxy.secret; chown lobby /etc/terminal-lobby/proxy.secret; \
             chmod 400 /etc/terminal-lobby/proxy.secret"
        ));
        let proxy = if mode == "proxy" {
            "[proxy]\nheader = \"X-User\"\nsecret_file = \"/etc/terminal-lobby/proxy.secret\"\n"
        } else {
            ""
        };
        let (keys, sections) = further.split_once("\n\n").unwrap_or((further, ""));
        let settings = format!(
            "mode = \"{mode}\"\nurl = \"http://lobby.test\"\nlisten = \"127.0.0.1:0\"\nuser_map = \"{USER_MAP}\"\n\
             admins = \"{ADMINS}\"\nagents = \"{AGENTS}\"\nstate = \"/var/lib/lobby\"\n\
             link_socket = \"/run/terminal-lobby/own/link.sock\"\n{keys}\n{proxy}{sections}\n"
        );
        host.sh(&format!("cat >{FILE} <<'END'\n{settings}\nEND"));
        let lab = Self {
            host,
            gateway: RefCell::default(),
            port: Cell::new(0),
            log: RefCell::default(),
            lines: std::sync::Arc::default(),
            activators: RefCell::default(),
        };
        for user in ["ann", "bob"] {
            lab.agent(user);
        }
        lab.start();
        Some(lab)
    }

    /// Makes a user's socket as the service manager does: a connection starts the agent.
    pub(super) fn agent(&self, user: &str) {
        let (uid, socket) = (self.host.uid(user), format!("{AGENTS}/{user}.sock"));
        self.host.sh(&format!("rm -f {socket}"));
        let mut command =
            self.host.root_command(["systemd-socket-activate", "--fdname=agent", "-l", &socket]);
        command.args(["--", "setpriv"]);
        command.arg(format!("--reuid={uid}")).arg(format!("--regid={uid}"));
        command.args([
            "--init-groups",
            "--inh-caps=-all",
            "env",
            "SHELL=/bin/sh",
            "TERM=xterm-256color",
        ]);
        command
            .arg(format!("HOME=/home/{user}"))
            .arg(format!("USER={user}"))
            .arg(format!("{BIN}/lobby"));
        command.args(["agent", "--gateway", "lobby"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.activators.borrow_mut().push(command.spawn().unwrap());
        wait_until("the agent's socket is there", || {
            self.host.root(["test", "-S", &socket]).code == 0
        });
        self.host.sh(&format!("chown root:lobby {socket}; chmod 660 {socket}"));
    }

    /// Puts something else where a user's agent listens; connections are its.
    pub(super) fn instead_of_agent(&self, user: &str, program: &str) {
        let socket = format!("{AGENTS}/{user}.sock");
        self.host.sh(&format!("rm -f {socket}"));
        let mut command = self.host.root_command(["python3", "-c", program, &socket]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        self.activators.borrow_mut().push(command.spawn().unwrap());
        wait_until("the socket is there", || self.host.root(["test", "-S", &socket]).code == 0);
        self.host.sh(&format!("chown root:lobby {socket}; chmod 660 {socket}"));
    }

    pub(super) fn without_agent(&self, user: &str) {
        self.host.sh(&format!("rm {AGENTS}/{user}.sock"));
    }

    /// Starts the gateway, on the port that it had.
    pub(super) fn start(&self) {
        if self.port.get() != 0 {
            let port = self.port.get();
            self.host.sh(&format!("sed -i 's/^listen = .*/listen = \"127.0.0.1:{port}\"/' {FILE}"));
        }
        let mut command = self.host.user_command("lobby", [&format!("{BIN}/lobby"), "serve"]);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let port = loop {
            let mut line = String::new();
            assert!(
                lines.read_line(&mut line).unwrap() > 0,
                "the gateway ended: {:?}",
                self.lines.lock()
            );
            self.lines.lock().unwrap().push(line.clone());
            if let Some((_, address)) = line.split_once("connections to ") {
                break address.trim().rsplit(':').next().unwrap().parse().unwrap();
            }
        };
        self.port.set(port);
        let all = std::sync::Arc::clone(&self.lines);
        self.log.borrow_mut().push(std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                all.lock().unwrap().push(line);
            }
        }));
        *self.gateway.borrow_mut() = Some(child);
    }

    /// The pid of the gateway itself, below the programs that enter the host.
    pub(super) fn pid(&self) -> i32 {
        self.pid_of("lobby", b"serve\0")
    }

    /// The pid of a user's agent.
    pub(super) fn agent_pid(&self, user: &str) -> i32 {
        self.pid_of(user, b"agent\0--gateway\0lobby\0")
    }

    fn pid_of(&self, user: &str, arguments: &[u8]) -> i32 {
        let names = std::fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let uid = self.host.uid(user);
        // Programs that become it have the same arguments at their end: setpriv, sh, systemd-socket-activate.
        let is_ours = |pid: &i32| {
            use std::os::unix::fs::MetadataExt;
            let own = std::fs::metadata(format!("/proc/{pid}")).is_ok_and(|stat| stat.uid() == uid);
            own && std::fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| line.ends_with(arguments) && !line.starts_with(b"s"))
                && self.is_inside(*pid)
        };
        // A child that it begins is one of these for a moment.
        names.filter_map(|name| name.parse().ok()).filter(is_ours).min().expect("it runs")
    }

    /// Whether a process is in this host, and not in that of another test.
    fn is_inside(&self, pid: i32) -> bool {
        let own = std::fs::read_link(format!("/proc/{pid}/ns/mnt")).ok();
        own.is_some()
            && own == std::fs::read_link(format!("/proc/{}/ns/mnt", self.host.init())).ok()
    }

    pub(super) fn kill(&self) {
        crate::support::sandbox::kill(self.pid());
        let _ = self.gateway.borrow_mut().take().unwrap().wait();
    }

    /// Ends it as the service manager does; gives whether it ended well.
    pub(super) fn terminate(&self) -> bool {
        let pid = nix::unistd::Pid::from_raw(self.pid());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        self.gateway.borrow_mut().take().unwrap().wait().unwrap().success()
    }

    /// What the gateway printed.
    pub(super) fn said(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// Waits until the gateway has said something.
    #[track_caller]
    pub(super) fn says(&self, what: &str) {
        wait_until(&format!("it is said: {what}"), || self.said().contains(what));
    }

    pub(super) fn port(&self) -> u16 {
        self.port.get()
    }

    /// The proxy's part of a request of this identity.
    pub(super) fn as_user(identity: &str) -> String {
        format!("X-User: {identity}\nX-Lobby-Secret: {SECRET}\n")
    }

    /// Sends a request byte for byte (`\n` becomes CR LF); gives the whole answer.
    pub(super) fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The answer to a request with these header lines, after which the connection is closed.
    pub(super) fn ask(&self, line: &str, headers: &str) -> String {
        let head = format!("{line} HTTP/1.1\nHost: lobby.test\nConnection: close\n{headers}\n");
        self.raw(head.replace('\n', "\r\n").as_bytes())
    }

    pub(super) fn get(&self, path: &str, identity: &str) -> (u16, serde_json::Value) {
        parse(&self.ask(&format!("GET {path}"), &Self::as_user(identity)))
    }

    pub(super) fn post(&self, path: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\nHost: lobby.test\nConnection: close\nOrigin: http://lobby.test\n\
             Content-Type: application/json\nContent-Length: {length}\n{headers}\n"
        );
        self.raw(&[head.replace('\n', "\r\n").as_bytes(), body.as_bytes()].concat())
    }

    /// Opens a WebSocket with these header lines.
    pub(super) fn socket(&self, path: &str, headers: &str) -> Result<Client, u16> {
        let mut request = format!("ws://lobby.test{path}").into_client_request().unwrap();
        request.headers_mut().insert("Origin", "http://lobby.test".parse().unwrap());
        for line in headers.lines() {
            let (name, value) = line.split_once(": ").unwrap();
            let name: tungstenite::http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(("127.0.0.1", self.port())).map_err(|_| 0u16)?;
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Client::open(request, stream)
    }

    /// The list that an identity sees: the names of sessions.
    pub(super) fn names(&self, identity: &str) -> Vec<String> {
        let list = self.list("/api/events", identity);
        list["sessions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|own| own["name"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(super) fn list(&self, path: &str, identity: &str) -> serde_json::Value {
        let mut socket =
            wait_for("the list opens", || self.socket(path, &Self::as_user(identity)).ok());
        socket.next_json()
    }

    /// The birth id of a session.
    pub(super) fn birth_id(&self, identity: &str, name: &str) -> String {
        let list = self.list("/api/events", identity);
        let all = list["sessions"].as_array().unwrap().clone();
        let own = all.iter().find(|own| own["name"] == name).expect("it is listed");
        own["id"].as_str().unwrap().to_owned()
    }

    /// Replaces the map in one step, as its generator does.
    pub(super) fn map(&self, text: &str) {
        self.host
            .sh(&format!("cat >{USER_MAP}.new <<'END'\n{text}\nEND\nmv {USER_MAP}.new {USER_MAP}"));
    }

    pub(super) fn admins(&self, text: &str) {
        self.host.sh(&format!("cat >{ADMINS}.new <<'END'\n{text}\nEND\nmv {ADMINS}.new {ADMINS}"));
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let children = self.gateway.borrow_mut().take().into_iter();
        for mut child in children.chain(self.activators.borrow_mut().drain(..)) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The status of an answer, and its body if that is JSON.
pub(super) fn parse(answer: &str) -> (u16, serde_json::Value) {
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or(serde_json::Value::Null))
}

pub(super) fn status(answer: &str) -> u16 {
    parse(answer).0
}

/// What the gateway holds in memory of its own, in KiB.
pub(super) fn memory(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
