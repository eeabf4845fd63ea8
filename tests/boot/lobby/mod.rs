//! The lobby of a host: a real nginx or Caddy before the gateway, the agents of three users behind it.

mod links;
mod proxies;
mod restarts;
mod t3;
mod users;

use crate::support::boxes::USERS;
use crate::support::{BootBox, On, Run, run, wait_until};
use std::path::{Path, PathBuf};
use std::process::Command;

const URL: &str = "https://lobby.example.org";
const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/boot/lobby/client.py");

/// The web server in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Nginx,
    Caddy,
}

/// A file of the examples, as it is shipped.
fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("units/config/examples").join(name)
}

/// A booted host whose three users each have a session of their own name, with a lobby behind a web server.
fn host(test: &str, server: Server) -> Option<BootBox> {
    let made = BootBox::booted(test, On::Lobby)?;
    made.copy_in(CLIENT, "/usr/local/bin/client");
    certificate(&made);
    made.copy_in(example("lobby.toml"), "/etc/terminal-lobby/lobby.toml");
    made.sh("chmod 755 /usr/local/bin/client; echo '127.0.0.1 lobby.example.org t3.example.org' >>/etc/hosts
        chmod 644 /etc/terminal-lobby/lobby.toml; rm -f /etc/nginx/sites-enabled/default; touch /etc/ttyd-admins");
    for user in USERS {
        made.sh_as(user, &format!("tmux new-session -d -s of-{user} -x 80 -y 24"));
        made.sh(&format!("systemctl enable --now lobby-agent@{user}.socket"));
    }
    made.sh("systemctl enable --now lobby.service");
    start(&made, server);
    Some(made)
}

/// A throw-away authority's certificate for the example's name, where the examples look for it.
fn certificate(made: &BootBox) {
    let dir = tempfile::tempdir().unwrap();
    let words = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=lobby.example.org",
        "-addext",
        "subjectAltName=DNS:lobby.example.org,DNS:t3.example.org",
        "-keyout",
        "key",
        "-out",
        "pem",
    ];
    run(Command::new("openssl").args(words).current_dir(dir.path())).ok();
    made.copy_in(dir.path().join("pem"), "/etc/ssl/lobby.example.org.pem");
    made.copy_in(dir.path().join("key"), "/etc/ssl/private/lobby.example.org.key");
    made.sh("chmod 644 /etc/ssl/lobby.example.org.pem; chmod 711 /etc/ssl/private
        chgrp www-data /etc/ssl/private/lobby.example.org.key; chmod 640 /etc/ssl/private/lobby.example.org.key");
}

/// Puts the example of a web server in place as it stands, with a password for each user (the user's name).
fn start(made: &BootBox, server: Server) {
    match server {
        Server::Nginx => {
            made.copy_in(example("lobby-nginx.conf"), "/etc/nginx/conf.d/lobby.conf");
            for user in USERS {
                let hash = run(Command::new("openssl").args(["passwd", "-apr1", user])).ok().out();
                made.sh(&format!(
                    "echo '{user}@example.org:{}' >>/etc/nginx/lobby.htpasswd",
                    hash.trim()
                ));
            }
            made.sh("chmod 644 /etc/nginx/lobby.htpasswd /etc/nginx/conf.d/lobby.conf; nginx -t; systemctl enable --now nginx");
        }
        Server::Caddy => {
            made.copy_in(example("Caddyfile"), "/etc/caddy/Caddyfile");
            for user in USERS {
                made.sh(&format!("echo {user}@example.org $(caddy hash-password --plaintext {user}) >>/etc/caddy/lobby-users"));
            }
            made.sh("chmod 644 /etc/caddy/*
                sed -i 's/^user = .*/user = \"caddy\"/' /etc/terminal-lobby/lobby.toml
                systemctl restart lobby.service; systemctl enable --now caddy");
        }
    }
    let me = || client(made, &format!("get {URL}/api/me {}", as_user("alice"))).0 == 200;
    wait_until("the web server and the lobby answer", me);
}

/// Options of a browser of a user's.
fn as_user(user: &str) -> String {
    format!("--ca /etc/ssl/lobby.example.org.pem --user {user}@example.org:{user}")
}

/// Status and text of an answer; 0 if there is none.
fn client(made: &BootBox, arguments: &str) -> (u16, String) {
    let said = try_client(made, "root", arguments);
    let (status, rest) =
        said.out().split_once('\n').map_or((0, String::new()), |(status, rest)| {
            (status.parse().unwrap_or(0), rest.to_owned())
        });
    (status, rest)
}

fn try_client(made: &BootBox, user: &str, arguments: &str) -> Run {
    made.try_sh(user, &format!("client {arguments}"))
}

/// The user that an answer of `/api/me` is for.
fn user_of(answer: &str) -> String {
    let json = answer.lines().rfind(|line| line.starts_with('{')).unwrap_or("{}");
    let me: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    me["user"].as_str().unwrap_or_default().to_owned()
}

/// A view that goes on whenever it is closed, as a page's does; what happens is in a file.
struct View<'a> {
    made: &'a BootBox,
    user: &'static str,
}

impl<'a> View<'a> {
    /// Opens it and types a command.
    fn open(made: &'a BootBox, user: &'static str, command: &str) -> Self {
        made.sh(&format!(
            "rm -f /tmp/end-{user}
            cat >/tmp/open-{user} <<'END'
exec client view {URL} of-{user} '{command}' {} --return --until /tmp/end-{user} >/tmp/view-{user} 2>&1
END
            systemd-run --quiet --collect --unit=view-{user} sh /tmp/open-{user}",
            as_user(user)
        ));
        let view = Self { made, user };
        view.waits_for("output");
        view
    }

    /// What has happened so far: the time, and what.
    fn events(&self) -> Vec<(f64, String)> {
        let text = self.made.sh(&format!("cat /tmp/view-{} 2>/dev/null || :", self.user));
        let event = |line: &str| {
            let (time, what) = line.split_once(' ')?;
            Some((time.parse().ok()?, what.to_owned()))
        };
        text.lines().filter_map(event).collect()
    }

    #[track_caller]
    fn waits_for(&self, what: &str) {
        wait_until(&format!("the view of {}: {what}", self.user), || {
            self.events().iter().any(|(_, event)| event.contains(what))
        });
    }

    fn count(&self, what: &str) -> usize {
        self.events().iter().filter(|(_, event)| event.starts_with(what)).count()
    }
}

impl Drop for View<'_> {
    fn drop(&mut self) {
        self.made
            .try_sh("root", &format!("touch /tmp/end-{0}; systemctl stop view-{0}", self.user));
        if std::thread::panicking() {
            eprintln!("the view of {}: {:#?}", self.user, self.events());
        }
    }
}
