//! A host of its own with instances of users: the stand-in, installed as versions are.

use crate::support::host::Host;
use crate::support::wait::wait_until;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use terminal_lobby::t3::instance::Instance as Client;

const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/t3/stand-in-t3");
const SYSTEMCTL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/t3/stand-in-systemctl");
/// Long enough for a busy machine.
pub(super) const LONG: Duration = Duration::from_mins(1);

/// The host, and the port of each of its users.
pub(super) struct Served {
    pub(super) host: Host,
    pub(super) ports: Vec<(&'static str, u16)>,
}

impl Served {
    /// A host whose users have instances of this version, which do not run yet; `None` with what the machine lacks.
    pub(super) fn new(test: &str, version: &str, users: &[&'static str]) -> Option<Self> {
        let host = Host::new(test)?;
        host.install("provision", Path::new(env!("CARGO_BIN_EXE_provision")));
        host.sh(
            "mount -t tmpfs -o mode=755 tools /usr/local && mkdir -p /usr/local/bin /etc/t3-serve",
        );
        host.sh(&format!(
            "cat >/usr/local/bin/systemctl <<'END'\n{}\nEND\nchmod 755 /usr/local/bin/systemctl",
            text(SYSTEMCTL)
        ));
        let ports = users.iter().map(|user| {
            host.user(user);
            (*user, free_port())
        });
        let served = Self { ports: ports.collect(), host };
        served.install(version);
        served.host.sh(&format!("ln -sfn versions/{version} /opt/t3/current"));
        let rows = served.ports.iter().map(|(user, port)| {
            served.host.sh(&format!("echo T3_PORT={port} >/etc/t3-serve/{user}.env"));
            format!(r#""{user}@x": {{"os_user": "{user}", "port": {port}}}"#)
        });
        let rows = rows.collect::<Vec<_>>().join(", ");
        served.table(&format!("{{{rows}}}"));
        Some(served)
    }

    /// Replaces the table of instances.
    pub(super) fn table(&self, text: &str) {
        self.host.sh(&format!("echo '{text}' >/etc/t3-serve/dispatch.json"));
    }

    /// Installs a version beside the others.
    pub(super) fn install(&self, version: &str) {
        let dir = format!("/opt/t3/versions/{version}");
        self.host.sh(&format!(
            "mkdir -p {dir}/bin; echo {version} >{dir}/bin/stand-in-version
             cat >{dir}/bin/t3 <<'END'\n{}\nEND
             chmod 755 {dir}/bin/t3; echo {version} >{dir}/.install-complete",
            text(STAND_IN)
        ));
    }

    pub(super) fn settings(&self, text: &str) {
        self.host.sh(&format!("cat >/etc/terminal-lobby/t3.toml <<'END'\n{text}\nEND"));
    }

    pub(super) fn port(&self, user: &str) -> u16 {
        self.ports.iter().find(|(name, _)| *name == user).unwrap().1
    }

    pub(super) fn client(&self, user: &str) -> Client {
        Client::on(self.port(user), LONG)
    }

    /// Starts a user's instance as its unit, and waits until it answers.
    pub(super) fn start(&self, user: &str) {
        self.host.root(["systemctl", "start", &format!("t3-serve@{user}.service")]).ok();
        wait_until("the instance answers", || self.client(user).session(&[]).is_ok());
    }

    /// What the stand-in of a user does wrong from now on.
    pub(super) fn fault(&self, user: &str, faults: &str) {
        self.host.sh_as(user, &format!("echo '{faults}' >~/.t3/stand-in.json"));
    }

    /// Runs `provision t3 ARGS` as root.
    #[track_caller]
    pub(super) fn t3(&self, args: &[&str]) -> crate::support::run::Run {
        self.host.patient(["/opt/tl/provision", "t3"].iter().chain(args))
    }

    /// Starts the helper that makes credentials behind a socket that all accounts can connect to.
    pub(super) fn helper(&self) -> Helper {
        let script = "import os, socket\n\
            listener = socket.socket(socket.AF_UNIX)\n\
            listener.bind('/run/mint.new')\n\
            os.chmod('/run/mint.new', 0o666)\n\
            listener.listen(256)\n\
            os.rename('/run/mint.new', '/run/mint.sock')\n\
            os.dup2(listener.fileno(), 3)\n\
            os.set_inheritable(3, True)\n\
            os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')\n\
            os.execv('/opt/tl/provision', ['/opt/tl/provision', 't3', 'mint'])";
        let mut command = self.host.root_command(["python3", "-c", script]);
        let log = tempfile::NamedTempFile::new().unwrap();
        let child = command.stdin(Stdio::null()).stderr(log.reopen().unwrap()).spawn().unwrap();
        let made = "test -S /run/mint.sock && echo made || :";
        wait_until("the helper listens", || self.host.sh(made).contains("made"));
        Helper { child, log }
    }

    /// What the helper answers a user of the host to these bytes.
    pub(super) fn ask(&self, user: &str, bytes: &str) -> String {
        let script = "import socket, sys\n\
            peer = socket.socket(socket.AF_UNIX)\n\
            peer.settimeout(50)\n\
            peer.connect('/run/mint.sock')\n\
            peer.sendall(sys.argv[1].encode())\n\
            print(peer.makefile().read())";
        let argv = ["python3", "-c", script, bytes];
        let run =
            if user == "root" { self.host.patient(argv) } else { self.host.as_user(user, argv) };
        run.ok().out().trim().to_owned()
    }
}

/// The helper, with what it wrote.
pub(super) struct Helper {
    pub(super) child: std::process::Child,
    log: tempfile::NamedTempFile,
}

impl Helper {
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(path: &str) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// A port that was free just now: the host shares the machine's network.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
