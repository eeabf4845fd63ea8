//! Remotes on loopback: git's own daemon behind a listener of ours, and those that misbehave.

use super::http;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// What a remote does with a connection.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// `git daemon`, after a delay like a network's.
    Daemon(Duration),
    /// `git daemon` that falls silent after so many bytes.
    Stalling(usize),
    /// Accepts and says nothing.
    Silent,
    /// `git http-backend`; with a password if there is one.
    Http(Option<(&'static str, &'static str)>),
}

/// A listener on a free port, until it is dropped.
pub(crate) struct Server {
    port: u16,
    scheme: &'static str,
    accepted: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// Serves the repositories below `root`.
    pub(crate) fn start(kind: Kind, root: &Path) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let scheme = if matches!(kind, Kind::Http(_)) { "http" } else { "git" };
        let (accepted, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let server = Self { port, scheme, accepted: accepted.clone(), stop: stop.clone() };
        let root = root.to_owned();
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                accepted.fetch_add(1, Ordering::SeqCst);
                match kind.clone() {
                    Kind::Silent => silent.push(stream),
                    kind => {
                        let root = root.clone();
                        std::thread::spawn(move || serve(&kind, stream, &root));
                    }
                }
            }
        });
        server
    }

    /// The address of a repository there.
    pub(crate) fn url(&self, repository: &str) -> String {
        format!("{}://127.0.0.1:{}/{repository}", self.scheme, self.port)
    }

    /// How many connections there were.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn serve(kind: &Kind, stream: TcpStream, root: &Path) {
    match kind {
        Kind::Silent => {}
        Kind::Http(password) => http::serve(&stream, root, *password),
        Kind::Daemon(delay) => {
            std::thread::sleep(*delay);
            let input = OwnedFd::from(stream.try_clone().unwrap());
            let mut daemon = daemon(root);
            daemon.stdin(input).stdout(OwnedFd::from(stream)).status().unwrap();
        }
        Kind::Stalling(bytes) => {
            let input = OwnedFd::from(stream.try_clone().unwrap());
            let mut daemon = daemon(root).stdin(input).stdout(Stdio::piped()).spawn().unwrap();
            let mut start = daemon.stdout.take().unwrap().take(*bytes as u64);
            std::io::copy(&mut start, &mut &stream).unwrap();
            // Silent from here, until the other side is gone.
            let _ = (&stream).flush();
            let mut sink = [0; 512];
            while stream.peek(&mut sink).is_ok_and(|read| read > 0) {
                std::thread::sleep(Duration::from_millis(5));
            }
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn daemon(root: &Path) -> Command {
    let mut command = Command::new("git");
    command.args(["daemon", "--inetd", "--export-all"]).stderr(Stdio::null());
    command.arg(format!("--base-path={}", root.display()));
    // Whoever owns the test's files, they are the test's.
    command.env_clear().env("PATH", super::world::path()).env("GIT_CONFIG_COUNT", "1");
    command.env("GIT_CONFIG_KEY_0", "safe.directory").env("GIT_CONFIG_VALUE_0", "*");
    command
}
