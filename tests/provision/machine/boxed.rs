//! A host whose files may be changed: the machine's own, with a layer over them that is thrown away.
//! The tools in it are real: dpkg and apt with a repository of two packages, npm with a registry of
//! one tool, visudo, and wrappers before each of them that count calls and kill whoever called.

use crate::support::http::{Reply, Server};
use crate::support::lacks::lacks;
use crate::support::run::{Run, run};
use std::cell::Cell;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What the stand-in of Vault asks for.
const TOKEN: &str = "vault-token-1";
/// What it keeps.
pub(super) const SECRET: &str = "hunter2-of-the-vault";
/// What is there to be downloaded.
pub(super) const DOWNLOAD: &str = "#!/bin/sh\necho downloaded\n";

pub(super) struct MachineBox {
    holder: Child,
    init: i32,
    round: Cell<u32>,
    pub(super) server: Server,
}

impl MachineBox {
    /// Makes one for `test`, or says what the machine lacks.
    pub(super) fn new(test: &str) -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            lacks(test, "needs root");
            return None;
        }
        for program in ["/usr/bin/apt-get", "/usr/sbin/visudo", "/usr/bin/npm"] {
            if !Path::new(program).exists() {
                lacks(test, &format!("needs {program}"));
                return None;
            }
        }
        let script = concat!("exec 3<&0 </dev/null\n", include_str!("box_setup.sh"));
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
            lacks(test, &format!("no layer over the machine's files: {why}"));
            return None;
        }
        let init = crate::support::sandbox::children(i32::try_from(holder.id()).unwrap())[0];
        let server = Server::new(answer);
        let made = Self { holder, init, round: Cell::new(0), server };
        let binary = std::fs::read(env!("CARGO_BIN_EXE_provision")).unwrap();
        std::fs::write(made.file("/opt/provision"), binary).unwrap();
        made.sh("chmod 755 /opt/provision");
        made.sh(&format!(
            "printf '%s\n' registry={}/npm/ replace-registry-host=always >/root/.npmrc",
            made.server.url()
        ));
        made.sh(&format!("umask 077; echo {TOKEN} >/root/vault-token"));
        made.next_round();
        Some(made)
    }

    /// Begins again with the files as they were made.
    pub(super) fn next_round(&self) {
        self.round.set(self.round.get() + 1);
        let root = self.root();
        let script = "mkdir -p $1.up $1.work $1; \
             mount -t overlay -o lowerdir=/mnt/base.up:/,upperdir=$1.up,workdir=$1.work box $1; \
             mount --rbind /proc $1/proc; mount --rbind /dev $1/dev; \
             mount -t tmpfs -o mode=1777 tmp $1/tmp; mount -t tmpfs -o mode=755 run $1/run";
        let mut command = self.enter();
        run(command.args(["sh", "-euc", script, "sh", &root])).ok();
    }

    fn root(&self) -> String {
        match self.round.get() {
            0 => "/mnt/base".to_owned(),
            round => format!("/mnt/round-{round}"),
        }
    }

    /// A path of the box's, from outside.
    pub(super) fn file(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{}{path}", self.init, self.root()))
    }

    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.init)).args(["--mount", "--pid", "--ipc", "--"]);
        command
    }

    /// Runs a shell script as root; it must succeed.
    #[track_caller]
    pub(super) fn sh(&self, script: &str) -> String {
        run(self.command().args(["sh", "-euc", script])).ok().out()
    }

    /// Whether a shell script succeeds.
    pub(super) fn check(&self, script: &str) -> bool {
        run(self.command().args(["sh", "-euc", script])).code == 0
    }

    fn command(&self) -> Command {
        let mut command = self.enter();
        command.args(["chroot", &self.root(), "env", "-i", "HOME=/root", "LC_ALL=C"]);
        command.arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        // The caller's own npm goes elsewhere.
        command.arg("npm_config_prefix=/root/.local");
        command
    }

    /// `provision host ...` with the file that [`MachineBox::wants`] wrote.
    #[track_caller]
    pub(super) fn host(&self, args: &[&str]) -> Run {
        run(self.command().args(["/opt/provision", "host"]).args(args))
    }

    /// Writes `/etc/terminal-lobby/host.toml`; `SERVER` in it is the server's address.
    pub(super) fn wants(&self, toml: &str) {
        self.sh("mkdir -p /etc/terminal-lobby");
        let toml = toml.replace("SERVER", &self.server.url());
        std::fs::write(self.file("/etc/terminal-lobby/host.toml"), toml).unwrap();
    }

    /// Every file that was ever written in this round, with what would change if it were written,
    /// replaced or given another mode: all of that lands in the upper layer.
    pub(super) fn written(&self) -> String {
        let script = "cd $1.up && find . -printf '%p %i %C@ %T@ %s %m %U\\n' | sort";
        run(self.enter().args(["sh", "-euc", script, "sh", &self.root()])).ok().out()
    }

    /// The external commands that were called since the last time.
    pub(super) fn calls(&self) -> Vec<String> {
        let calls = self.sh("cat /tmp/calls 2>/dev/null || :; rm -f /tmp/calls");
        calls.lines().map(str::to_owned).collect()
    }
}

impl Drop for MachineBox {
    fn drop(&mut self) {
        crate::support::sandbox::kill(self.init);
        let _ = self.holder.wait();
    }
}

fn answer(path: &str) -> Reply {
    match path {
        "/download" => raw("application/octet-stream", DOWNLOAD.as_bytes()),
        "/endless" => Reply::Endless,
        "/moved" => Reply::Body(302, "/download".to_owned()),
        "/v1/secret/data/lobby" => {
            let secret = format!("{{\"data\":{{\"data\":{{\"token\":\"{SECRET}\"}}}}}}");
            Reply::Body(200, secret)
        }
        // npm is told to put its registry in place of this host, whose port is not known here.
        "/npm/tl-tool" => {
            let version = |version: &str| {
                let tarball = format!("http://elsewhere.invalid/npm/{version}.tgz");
                format!(
                    "\"{version}\":{{\"name\":\"tl-tool\",\"version\":\"{version}\",\
                     \"bin\":{{\"tl-tool\":\"tool.js\"}},\"dist\":{{\"tarball\":\"{tarball}\"}}}}"
                )
            };
            let (one, two) = (version("1.0.0"), version("2.0.0"));
            // One whose command needs its install script.
            let three = version("3.0.0").replacen('{', "{\"hasInstallScript\":true,", 1);
            let (two, three) = (format!("{two},"), three);
            let two = two + &three;
            let tags = "\"dist-tags\":{\"latest\":\"2.0.0\"}";
            Reply::Body(
                200,
                format!("{{\"name\":\"tl-tool\",{tags},\"versions\":{{{one},{two}}}}}"),
            )
        }
        path if path.ends_with("1.0.0.tgz") => raw("application/octet-stream", &tarball("1.0.0")),
        path if path.ends_with("3.0.0.tgz") => raw("application/octet-stream", &tarball("3.0.0")),
        path if path.ends_with("2.0.0.tgz") => raw("application/octet-stream", &tarball("2.0.0")),
        _ => Reply::Body(404, "{}".to_owned()),
    }
}

fn raw(kind: &str, body: &[u8]) -> Reply {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 X\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n"
    );
    Reply::Raw([head.as_bytes(), body].concat())
}

/// A package as npm packs it.
fn tarball(version: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let package = dir.path().join("package");
    std::fs::create_dir(&package).unwrap();
    let (scripts, needs) = match version {
        "3.0.0" => (
            ",\"scripts\":{\"postinstall\":\"touch native\"}",
            "if (!require('fs').existsSync(__dirname + '/native')) \
             { console.error('native binary not installed'); process.exit(1); }\n",
        ),
        _ => ("", ""),
    };
    let json = format!(
        "{{\"name\":\"tl-tool\",\"version\":\"{version}\",\"bin\":{{\"tl-tool\":\"tool.js\"}}{scripts}}}"
    );
    std::fs::write(package.join("package.json"), json).unwrap();
    let script = format!("#!/usr/bin/env node\n{needs}console.log('{version}');\n");
    std::fs::write(package.join("tool.js"), script).unwrap();
    let tar = Command::new("tar").arg("-C").arg(dir.path()).args(["-cz", "package"]).output();
    tar.unwrap().stdout
}
