//! A gateway with instances of ann and bob.

use crate::lobby::gateway::lab::{Lab, SECRET};
use crate::support::host::BIN;
use crate::support::sandbox::{children, kill};
use crate::support::wait::wait_until;
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

pub(super) const ANN: &str = "ann@example.org";
pub(super) const BOB: &str = "bob@example.org";
/// The socket of the helper.
const MINT: &str = "/run/terminal-lobby/own/t3-mint.sock";
const DISPATCH: &str = "/etc/t3-serve/dispatch.json";
const CLOSED: &str = "/etc/t3-serve/closed.json";

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|part| part == b"\r\n\r\n").unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Self { status, head, body: bytes.get(end + 4..).unwrap_or_default().to_vec() }
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The lines of cookies that are set.
    pub(super) fn set(&self) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
            .map(|(_, line)| line)
            .collect()
    }

    /// `name=value` of the session that is set.
    pub(super) fn session(&self) -> Option<String> {
        let line = self.set().into_iter().find(|line| line.starts_with("t3_session"))?;
        Some(line.split(';').next().unwrap().to_owned())
    }
}

/// The host, its gateway, and what serves T3 Code.
pub(super) struct T3Lab {
    pub(super) lab: Lab,
    children: RefCell<Vec<(String, Child)>>,
}

impl T3Lab {
    /// Without any instance yet; `keys` are further lines of the section.
    pub(super) fn bare(keys: &str) -> Option<Self> {
        Self::with("http", keys)
    }

    pub(super) fn with(scheme: &str, keys: &str) -> Option<Self> {
        let sections = format!(
            "metrics = \"127.0.0.1:0\"\n\n[t3]\nurl = \"{scheme}://t3.test\"\nmint_socket = \"{MINT}\"\n{keys}\n"
        );
        let lab = Lab::with("lobby::gateway::t3", "proxy", &sections)?;
        lab.host.install("t3", &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/t3/stand-in-t3"));
        let mint =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lobby/gateway/t3/stand-in-mint");
        lab.host.install("stand-in-mint", &mint);
        lab.host.sh("install -d -m 755 /etc/t3-serve");
        let t3 = Self { lab, children: RefCell::default() };
        t3.mint();
        Some(t3)
    }

    /// With an instance of ann.
    pub(super) fn new(keys: &str) -> Option<Self> {
        let lab = Self::bare(keys)?;
        let port = lab.instance("ann", "0.0.26");
        lab.serve(&[(ANN, "ann", port)]);
        Some(lab)
    }

    /// Starts the stand-in for the helper.
    pub(super) fn mint(&self) {
        let program = format!("{BIN}/t3");
        let argv = [format!("{BIN}/stand-in-mint"), MINT.to_owned(), program];
        let mut command = self.lab.host.root_command(argv);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        self.children.borrow_mut().push(("mint".to_owned(), command.spawn().unwrap()));
        wait_until("the helper listens", || self.lab.host.root(["test", "-S", MINT]).code == 0);
    }

    /// How many credentials were asked for.
    pub(super) fn mints(&self) -> usize {
        self.lab.host.sh(&format!("cat {MINT}.log 2>/dev/null || :")).lines().count()
    }

    /// Starts an instance of a user's, on a port of its own.
    pub(super) fn instance(&self, user: &str, version: &str) -> u16 {
        self.instance_on(user, version, 0)
    }

    pub(super) fn instance_on(&self, user: &str, version: &str, port: u16) -> u16 {
        let host = &self.lab.host;
        host.sh(&format!("echo {version} >/run/t3-version-{user}"));
        let base = format!("/home/{user}/.t3");
        host.sh_as(user, &format!("install -d -m 700 {base}"));
        let argv = [
            "env",
            &format!("T3_STAND_IN_VERSION={version}"),
            &format!("{BIN}/t3"),
            "serve",
            "--port",
            &port.to_string(),
            "--host",
            "127.0.0.1",
            "--base-dir",
            &base,
        ];
        let mut command = host.user_command(user, argv);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.children.borrow_mut().push((user.to_owned(), child));
        line.trim_end().trim_end_matches(')').rsplit(' ').next().unwrap().parse().expect(&line)
    }

    /// Runs a program of a test's as an instance of a user's; it prints its port.
    pub(super) fn program(&self, user: &str, program: &str, args: &[&str]) -> u16 {
        let words = ["python3", "-u", "-c", program].into_iter().chain(args.iter().copied());
        let mut command = self.lab.host.user_command(user, words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.children.borrow_mut().push((user.to_owned(), child));
        line.trim().parse().expect(&line)
    }

    /// Ends what serves a user, or the helper: `mint`.
    pub(super) fn end(&self, whose: &str) {
        let mut all = self.children.borrow_mut();
        for (_, child) in all.iter_mut().filter(|(own, _)| own == whose) {
            // What entered the host for it waits for it.
            for pid in children(i32::try_from(child.id()).unwrap()) {
                kill(pid);
            }
            let _ = child.wait();
        }
        all.retain(|(own, _)| own != whose);
    }

    /// What the instance of a user does wrong.
    pub(super) fn faults(&self, user: &str, faults: &str) {
        let file = format!("/home/{user}/.t3/stand-in.json");
        self.lab
            .host
            .sh_as(user, &format!("printf '%s' '{faults}' >{file}.new; mv {file}.new {file}"));
    }

    /// Writes the table, and waits until it counts for everyone in it.
    pub(super) fn serve(&self, rows: &[(&str, &str, u16)]) {
        self.table(&[]);
        for (identity, _, _) in rows {
            wait_until("the old table is gone", || self.get("/", identity, "").status == 403);
        }
        self.table(rows);
        for (identity, _, _) in rows {
            wait_until("the table counts", || {
                let status = self.get("/", identity, "").status;
                status != 403 && status != 503
            });
        }
    }

    /// Writes the table.
    pub(super) fn table(&self, rows: &[(&str, &str, u16)]) {
        let rows: Vec<String> = rows
            .iter()
            .map(|(identity, user, port)| {
                format!(r#""{identity}": {{"os_user": "{user}", "port": {port}}}"#)
            })
            .collect();
        self.replace(DISPATCH, &format!("{{{}}}", rows.join(", ")));
    }

    pub(super) fn closed(&self, text: &str) {
        self.replace(CLOSED, text);
    }

    pub(super) fn replace(&self, file: &str, text: &str) {
        self.lab.host.sh(&format!("cat >{file}.new <<'END'\n{text}\nEND\nmv {file}.new {file}"));
    }

    pub(super) fn spoil(&self, text: &str) {
        self.replace(DISPATCH, text);
    }

    /// Sends a request with these header lines, as an identity.
    pub(super) fn ask(&self, line: &str, identity: &str, headers: &str, body: &str) -> Answer {
        let length = if body.is_empty() {
            String::new()
        } else {
            format!("Content-Length: {}\n", body.len())
        };
        let head = format!(
            "{line} HTTP/1.1\nHost: t3.test\nConnection: close\n{}{length}{headers}\n",
            Lab::as_user(identity)
        );
        self.raw(&(head.replace('\n', "\r\n") + body))
    }

    /// Sends a request and does not wait for its answer.
    pub(super) fn send(&self, path: &str, identity: &str, headers: &str) -> TcpStream {
        let user = Lab::as_user(identity);
        let head =
            format!("GET {path} HTTP/1.1\nHost: t3.test\nConnection: close\n{user}{headers}\n");
        let mut stream = self.connect();
        stream.write_all(head.replace('\n', "\r\n").as_bytes()).unwrap();
        stream
    }

    pub(super) fn raw(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        let _ = stream.write_all(request.as_bytes());
        Self::answer(stream)
    }

    /// Reads an answer to its end.
    pub(super) fn answer(mut stream: TcpStream) -> Answer {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Answer::parse(&answer)
    }

    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.lab.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// What is no navigation.
    pub(super) fn get(&self, path: &str, identity: &str, cookie: &str) -> Answer {
        let cookie = if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\n") };
        self.ask(&format!("GET {path}"), identity, &format!("Sec-Fetch-Dest: empty\n{cookie}"), "")
    }

    /// A navigation.
    pub(super) fn navigate(&self, path: &str, identity: &str, cookie: &str) -> Answer {
        let cookie = if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\n") };
        let headers = format!("Sec-Fetch-Dest: document\nAccept: text/html\n{cookie}");
        self.ask(&format!("GET {path}"), identity, &headers, "")
    }

    /// A session of an identity's, by pairing.
    pub(super) fn session(&self, identity: &str) -> String {
        let answer = self.navigate("/", identity, "");
        answer.session().unwrap_or_else(|| panic!("{answer:?}"))
    }

    /// What the gateway prints as metrics.
    pub(super) fn metrics(&self) -> String {
        let said = self.lab.said();
        let (_, address) = said.split_once("metrics at http://").expect(&said);
        let address = address.split('/').next().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    /// The proxy's secret as a header line.
    pub(super) fn proof() -> String {
        format!("X-Lobby-Secret: {SECRET}\n")
    }
}

impl Drop for T3Lab {
    fn drop(&mut self) {
        for (_, mut child) in self.children.borrow_mut().drain(..) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
