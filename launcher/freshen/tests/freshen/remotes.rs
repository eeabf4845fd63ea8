//! Transports, and remotes that do not do their part.

use crate::support::world::lines;
use crate::support::{Bytes, Kind, Server, World};
use freshen::Options;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn clone_at(world: &World, url: &str) -> PathBuf {
    let clone = world.clone_as("infra");
    world.git(&clone, &["remote", "set-url", "origin", url]);
    world.publish("file", "2");
    clone
}

#[track_caller]
fn leaves_refs_alone(world: &World, clone: &Path, says: &[&str]) {
    let refs = world.git(clone, &["for-each-ref"]);
    world.leaves_alone(clone, says);
    assert_eq!(world.git(clone, &["for-each-ref"]), refs);
}

#[test]
fn git_daemon_is_fetched() {
    let world = World::new();
    let server = Server::start(Kind::Daemon(Duration::ZERO), world.root());
    let clone = clone_at(&world, &server.url("origin.git"));
    assert_eq!(world.freshen(), ["infra: 1 commit"]);
    world.assert_current(&clone);
}

#[test]
fn http_is_fetched() {
    let world = World::new();
    let server = Server::start(Kind::Http(None), world.root());
    let clone = clone_at(&world, &server.url("origin.git"));
    assert_eq!(world.freshen(), ["infra: 1 commit"]);
    world.assert_current(&clone);
}

#[test]
fn plain_path_is_fetched() {
    let world = World::new();
    let clone = clone_at(&world, world.origin().to_str().unwrap());
    assert_eq!(world.freshen(), ["infra: 1 commit"]);
    world.assert_current(&clone);
}

#[test]
fn silent_remote_is_left_at_the_deadline() {
    let world = World::new();
    let server = Server::start(Kind::Silent, world.root());
    let clone = clone_at(&world, &server.url("origin.git"));
    let before = Bytes::of(&clone);
    let begin = Instant::now();
    let deadline = Duration::from_secs(1);
    let outcomes = world.outcomes(&Options { deadline, ..world.options() });
    assert!((1.0..1.5).contains(&begin.elapsed().as_secs_f64()), "{:?}", begin.elapsed());
    assert_eq!(lines(&outcomes), ["infra: remote did not answer in 1 s"]);
    before.assert_same(&Bytes::of(&clone));
    world.assert_nothing_runs();
}

#[test]
fn refusing_remote_cannot_be_reached() {
    let world = World::new();
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for scheme in ["git", "http"] {
        let world = World::new();
        let clone = clone_at(&world, &format!("{scheme}://127.0.0.1:{port}/origin.git"));
        leaves_refs_alone(&world, &clone, &["infra: remote cannot be reached"]);
    }
    let clone = clone_at(&world, "https://name.invalid/origin.git");
    leaves_refs_alone(&world, &clone, &["infra: remote cannot be reached"]);
}

#[test]
fn password_is_not_asked_for() {
    let mut world = World::new();
    let asked = world.root().join("asked");
    let ask = world.script("ask", &format!("touch {}; echo secret", asked.display()));
    for name in ["GIT_ASKPASS", "SSH_ASKPASS"] {
        world.environment.push((name.into(), ask.clone().into_os_string()));
    }
    let server = Server::start(Kind::Http(Some(("me", "secret"))), world.root());
    let clone = clone_at(&world, &server.url("origin.git"));
    world.git(&clone, &["config", "core.askPass", ask.to_str().unwrap()]);
    leaves_refs_alone(&world, &clone, &["infra: asks for a password, left alone"]);
    assert!(!asked.exists());
}

#[test]
fn credential_helper_is_used() {
    let world = World::new();
    let server = Server::start(Kind::Http(Some(("me", "secret"))), world.root());
    let clone = clone_at(&world, &server.url("origin.git"));
    let helper = "!f() { echo username=me; echo password=secret; }; f";
    world.git(&clone, &["config", "credential.helper", helper]);
    assert_eq!(world.freshen(), ["infra: 1 commit"]);
    world.assert_current(&clone);
}

#[test]
fn wrong_password_is_not_asked_again() {
    let world = World::new();
    let server = Server::start(Kind::Http(Some(("me", "secret"))), world.root());
    let clone = clone_at(&world, &server.url("origin.git"));
    let helper = "!f() { echo username=me; echo password=old; }; f";
    world.git(&clone, &["config", "credential.helper", helper]);
    leaves_refs_alone(&world, &clone, &["infra: asks for a password, left alone"]);
}

#[test]
fn missing_repository_is_reported() {
    let world = World::new();
    let servers = [
        Server::start(Kind::Daemon(Duration::ZERO), world.root()),
        Server::start(Kind::Http(None), world.root()),
    ];
    let clone = world.clone_as("infra");
    let mut urls: Vec<String> = servers.iter().map(|server| server.url("gone.git")).collect();
    urls.push(format!("file://{}/gone.git", world.root().display()));
    for url in urls {
        world.git(&clone, &["remote", "set-url", "origin", &url]);
        let said = world.freshen();
        // git's daemon does not tell strangers why.
        let expected = if url.starts_with("git:") {
            "infra: git: remote error: access denied or repository not exported: /gone.git"
        } else {
            "infra: remote has no such repository"
        };
        assert_eq!(said, [expected], "{url}");
    }
}

#[test]
fn second_remote_that_fails_does_not_hinder_the_first() {
    let world = World::new();
    let clone = world.clone_as("infra");
    world.git(&clone, &["remote", "add", "fork", "http://127.0.0.1:1/fork.git"]);
    world.publish("file", "2");
    assert_eq!(world.freshen(), ["infra: 1 commit; remote cannot be reached"]);
    world.assert_current(&clone);
}

#[test]
fn all_remotes_are_fetched_and_pruned() {
    let world = World::new();
    let clone = world.clone_as("infra");
    world.git(world.root(), &["clone", "-q", "--bare", "origin.git", "fork.git"]);
    let fork = format!("file://{}", world.root().join("fork.git").display());
    world.git(&clone, &["remote", "add", "fork", &fork]);
    world.git(&world.author(), &["push", "-q", "origin", "HEAD:old"]);
    world.git(&clone, &["fetch", "-q"]);
    world.git(&world.author(), &["push", "-q", "origin", ":old"]);
    world.git(&clone, &["branch", "-q", "local"]);
    assert_eq!(world.freshen(), [""; 0]);
    let refs = world.git(&clone, &["for-each-ref", "--format=%(refname)"]);
    let refs: Vec<&str> = refs.lines().filter(|name| !name.ends_with("/HEAD")).collect();
    assert_eq!(
        refs,
        [
            "refs/heads/local",
            "refs/heads/main",
            "refs/remotes/fork/main",
            "refs/remotes/origin/main"
        ]
    );
}

#[test]
fn hostile_words_of_a_remote_are_escaped() {
    let world = World::new();
    let clone = world.clone_as("infra");
    let command = "printf '0029ERR \\033]0;owned\\007 and \\033[2J more text!' ; exit 1; #";
    world.git(&clone, &["config", "remote.origin.uploadpack", command]);
    let said = world.freshen();
    assert_eq!(said.len(), 1);
    assert!(!said[0].chars().any(char::is_control), "{said:?}");
}
