//! Mode `oidc`, with a real OpenID provider (npm oidc-provider): right logins and wrong ones, and a login in a browser.

use super::lab::scenario;
use crate::support::host::{BIN, Host};
use crate::support::lacks::lacks;
use crate::support::run::run_within;
use crate::support::{lobby_program, wait_until};
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(2);

/// A gateway whose users log in at a provider of the test's own.
struct Lobby {
    url: String,
    issuer: String,
    provider: Child,
    gateway: Child,
    _host: Host,
}

impl Lobby {
    fn new(test: &str) -> Option<Self> {
        let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/oidc-provider");
        if !modules.join("node_modules/oidc-provider").exists() {
            lacks(test, "oidc-provider (tests/support/install-prerequisites.sh test)");
            return None;
        }
        let host = Host::new(test)?;
        for user in ["ann", "bob"] {
            host.user(user);
        }
        host.account("lobby");
        host.install("lobby", &lobby_program());
        let url = format!("http://127.0.0.1:{}", free_port());
        let (provider, issuer) = provider(&modules, &url);
        host.sh(&format!(
            "install -d -m 700 -o lobby /var/lib/lobby; install -d /run/terminal-lobby/agents
            chmod 644 {map}
            echo a-secret-of-the-lobby | install -m 640 -g lobby /dev/stdin /etc/terminal-lobby/oidc.secret
            cat >/etc/terminal-lobby/lobby.toml <<'END'
mode = \"oidc\"
url = \"{url}\"
listen = \"{listen}\"
link_socket = \"/var/lib/lobby/link.sock\"
[oidc]
issuer = \"{issuer}\"
client_id = \"lobby\"
client_secret_file = \"/etc/terminal-lobby/oidc.secret\"
END",
            map = crate::support::host::USER_MAP,
            listen = url.trim_start_matches("http://"),
        ));
        let program = format!("{BIN}/lobby");
        let mut gateway = host.user_command("lobby", [program.as_str(), "serve"]);
        let gateway = gateway.stdin(Stdio::null()).spawn().unwrap();
        let address = url.trim_start_matches("http://").to_owned();
        wait_until("the gateway listens", || TcpStream::connect(&address).is_ok());
        Some(Self { url, issuer, provider, gateway, _host: host })
    }
}

impl Drop for Lobby {
    fn drop(&mut self) {
        for child in [&mut self.gateway, &mut self.provider] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A port that was free a moment ago: the provider must know the address that it leads back to.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lobby/provider")
}

/// Starts the provider; gives its issuer.
fn provider(modules: &Path, lobby: &str) -> (Child, String) {
    let mut command = Command::new("node");
    command.arg(folder().join("provider.mjs")).arg(modules).arg(format!("{lobby}/login/callback"));
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    let issuer = lines.find(|line| line.starts_with("http://127.0.0.1:"));
    // What it prints later is read as well: on a closed pipe it would die.
    std::thread::spawn(move || lines.for_each(drop));
    (child, issuer.expect("the provider prints its issuer"))
}

#[test]
fn a_provider_logs_people_in_and_no_wrong_answer_of_its_does() {
    let test = "lobby::oidc::a_provider_logs_people_in_and_no_wrong_answer_of_its_does";
    let Some(lobby) = Lobby::new(test) else { return };
    let mut logins = Command::new("node");
    logins.arg(folder().join("logins.mjs")).arg(&lobby.url).arg(&lobby.issuer);
    run_within(&mut logins, PATIENCE).ok();
}

#[test]
fn a_person_logs_in_at_the_provider_in_a_browser() {
    let test = "lobby::oidc::a_person_logs_in_at_the_provider_in_a_browser";
    if !super::page::can_run(test) {
        return;
    }
    let Some(lobby) = Lobby::new(test) else { return };
    run_within(scenario("oidc.mjs").arg(&lobby.url), PATIENCE).ok();
}
