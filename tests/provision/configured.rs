//! What a user's process does in a sound home: agents' instructions, the access to a cluster, the
//! browser tool.

use super::worker::ask;
use crate::support::lacks::lacks;
use crate::support::{Sandbox, run};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

const HEADER: &str = terminal_lobby::provision::edit::marked_block::HEADER;
const BEGIN: &str = terminal_lobby::provision::edit::marked_block::BEGIN;
const END: &str = terminal_lobby::provision::edit::marked_block::END;

fn look_at_agents(sandbox: &Sandbox) -> Value {
    let look = json!({"inspect": {"agents": {"instructions": true, "login": true}}});
    ask(sandbox, &look)["facts"]["agents"].clone()
}

fn mirror(sandbox: &Sandbox, text: &str, before: Option<&str>) -> Value {
    let before = before.map(|text| terminal_lobby::provision::state::digest::of(text.as_bytes()));
    ask(
        sandbox,
        &json!({"perform": {"agents": {"instructions": {"text": text, "before": before}}}}),
    )
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

#[test]
fn instructions_are_mirrored_beside_what_a_person_wrote() {
    let sandbox = Sandbox::new();
    let file = sandbox.home().join(".codex/AGENTS.md");
    assert_eq!(
        look_at_agents(&sandbox),
        json!({"instructions": "no_file", "login": "absent", "codex_login": null})
    );
    assert_eq!(mirror(&sandbox, "one\n", None)["done"], json!(["~/.codex/AGENTS.md written"]));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{HEADER}\none\n"));
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    mirror(&sandbox, "two\n", Some("one\n"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{HEADER}\ntwo\n"));
    // A person's file, with bytes that are no text, and a mode of its own.
    let before = b"mine \xff\x00\r\nlast line".to_vec();
    std::fs::write(&file, &before).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(look_at_agents(&sandbox)["instructions"], "unmanaged");
    mirror(&sandbox, "one\n", None);
    let block = format!("\n\n{BEGIN}\none\n{END}\n");
    assert_eq!(std::fs::read(&file).unwrap(), [&before[..], block.as_bytes()].concat());
    let after = [&before[..], block.as_bytes(), b"more of mine"].concat();
    std::fs::write(&file, after).unwrap();
    mirror(&sandbox, "two\n", Some("one\n"));
    let block = format!("\n\n{BEGIN}\ntwo\n{END}\nmore of mine");
    assert_eq!(std::fs::read(&file).unwrap(), [&before[..], block.as_bytes()].concat());
    assert_eq!(mode(&file), 0o640);
}

/// One file of many writers: a stale one dropped keys, and users were in the first-run wizard again.
#[test]
fn lesson_37_a_shared_file_is_written_only_when_needed_and_never_over_what_is_not_understood() {
    let sandbox = Sandbox::new();
    let file = sandbox.home().join(".codex/AGENTS.md");
    mirror(&sandbox, "one\n", None);
    let inode = |file: &Path| {
        let meta = file.metadata().unwrap();
        (meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.ctime_nsec())
    };
    let before = inode(&file);
    let said = mirror(&sandbox, "one\n", None);
    assert_eq!(said["done"], json!(["~/.codex/AGENTS.md is up to date already"]));
    assert_eq!(inode(&file), before);
    // What was planned from is no longer there.
    let said = mirror(&sandbox, "three\n", Some("two\n"));
    assert!(said["failed"].as_str().unwrap().contains("changed since it was inspected"), "{said}");
    // Marks that do not pair.
    let broken = format!("{BEGIN}\none\n");
    std::fs::write(&file, &broken).unwrap();
    let said = mirror(&sandbox, "two\n", Some("one\n"));
    assert!(said["failed"].as_str().unwrap().contains("do not form one block"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), broken);
    assert!(look_at_agents(&sandbox)["instructions"]["unusable"].is_string());
    // The agent's own file: over one that does not parse the agent is not even started.
    let agent = stub(&sandbox, "");
    let file = sandbox.home().join(".claude.json");
    for text in ["{\"mcpServers\": {", "", "[]", "{\"mcpServers\": 7}"] {
        std::fs::write(&file, text).unwrap();
        let said = register(&sandbox, &agent);
        assert!(said["failed"].as_str().unwrap().contains("~/.claude.json"), "{said}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
    assert!(!sandbox.root().join("calls").exists());
    let left: Vec<_> = std::fs::read_dir(sandbox.home()).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_login_is_whatever_is_where_the_agent_keeps_it() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.home().join(".claude")).unwrap();
    assert_eq!(look_at_agents(&sandbox)["login"], "absent");
    std::fs::write(sandbox.home().join(".claude/.credentials.json"), "").unwrap();
    assert_eq!(look_at_agents(&sandbox)["login"], "present");
}

#[test]
fn kubectl_takes_what_is_written_and_nothing_is_written_twice() {
    use terminal_lobby::provision::sources::kubeconfig::{Login, read, write};
    let sandbox = Sandbox::new();
    let look = json!({"inspect": {"cluster": {}}});
    assert_eq!(ask(&sandbox, &look)["facts"]["cluster"], "absent");
    let admins = "clusters: [{name: a, cluster: {server: 'https://k:6443', \
        certificate-authority-data: QQ==}}]\nusers: [{name: a, user: {client-key-data: c2VjcmV0}}]";
    let command = ["kubectl", "oidc-login"].map(str::to_owned);
    let login = Login {
        command: &command,
        issuer: "https://id.example.org/k8s/",
        client: "k8s",
        scopes: &["groups".to_owned()],
        grant: "device-code",
    };
    let text = write(&read(admins.as_bytes()).unwrap(), &login, Some("builds"));
    let work = json!({"perform": {"cluster": {"config": {"text": text}}}});
    assert_eq!(ask(&sandbox, &work)["done"], json!(["~/.kube/config written (0600)"]));
    let file = sandbox.home().join(".kube/config");
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    assert_eq!(ask(&sandbox, &look)["facts"]["cluster"], "present");
    let other = json!({"perform": {"cluster": {"config": {"text": "other"}}}});
    let said = ask(&sandbox, &other);
    assert_eq!(said["done"], json!(["~/.kube/config exists already: left as it is"]));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    if std::process::Command::new("kubectl").arg("--help").output().is_err() {
        return lacks(
            "kubectl_takes_what_is_written_and_nothing_is_written_twice",
            "needs kubectl",
        );
    }
    let mut kubectl = sandbox.command("kubectl");
    let config = run(kubectl.args(["config", "view", "--raw", "-o", "json"])).ok().json();
    assert_eq!(config["current-context"], "cluster");
    let cluster = json!({"server": "https://k:6443", "certificate-authority-data": "QQ=="});
    assert_eq!(config["clusters"][0]["cluster"], cluster);
    assert_eq!(config["contexts"][0]["context"]["namespace"], "builds");
    let exec = &config["users"][0]["user"]["exec"];
    assert_eq!(exec["command"], "kubectl");
    let args = [
        "oidc-login",
        "get-token",
        "--oidc-issuer-url=https://id.example.org/k8s/",
        "--oidc-client-id=k8s",
        "--oidc-extra-scope=groups",
        "--grant-type=device-code",
    ];
    assert_eq!(exec["args"], json!(args));
}

/// A stub of the agent that writes down each call: `get` finds nothing, and `add` runs `add`.
pub(super) fn stub(sandbox: &Sandbox, add: &str) -> PathBuf {
    let stub = sandbox.root().join("stub-agent");
    let calls = sandbox.root().join("calls");
    let script = format!(
        "#!/bin/sh\nfor word; do printf '%s|' \"$word\"; done >>'{}'\n\
         case \"$2\" in get) echo 'No MCP server named \"x\".' >&2; exit 1;; esac\n{add}\n",
        calls.display()
    );
    std::fs::write(&stub, script).unwrap();
    std::fs::set_permissions(&stub, std::fs::Permissions::from_mode(0o755)).unwrap();
    stub
}

/// Registers the tool with an agent.
pub(super) fn register(sandbox: &Sandbox, agent: &Path) -> Value {
    ask(
        sandbox,
        &json!({"perform": {"browser": {"register": {
            "agent": agent, "name": "playwright", "url": "http://localhost:8931/mcp",
            "headers": ["Authorization: Bearer ${PLAYWRIGHT_MCP_TOKEN}"],
        }}}}),
    )
}

#[test]
fn a_stub_agent_is_asked_first_and_what_it_says_is_checked() {
    let sandbox = Sandbox::new();
    let said = register(&sandbox, &stub(&sandbox, ""));
    assert!(said["failed"].as_str().unwrap().contains("reported success, but"), "{said}");
    let said = register(&sandbox, &stub(&sandbox, "echo no >&2; exit 3"));
    assert!(said["failed"].as_str().unwrap().contains("exited with 3: no"), "{said}");
    std::fs::remove_file(sandbox.root().join("calls")).unwrap();
    let add = "printf '{\"mcpServers\": {\"playwright\": {}}}' >\"$HOME/.claude.json\"";
    let said = register(&sandbox, &stub(&sandbox, add));
    assert!(
        said["done"][0].as_str().unwrap().contains("registered the server playwright"),
        "{said}"
    );
    let calls = std::fs::read_to_string(sandbox.root().join("calls")).unwrap();
    assert_eq!(
        calls,
        "mcp|get|playwright|mcp|add|--scope|user|--transport|http|playwright|\
         http://localhost:8931/mcp|--header|Authorization: Bearer ${PLAYWRIGHT_MCP_TOKEN}|"
    );
    // Looking, and doing it again, starts nothing.
    let look = json!({"inspect": {"browser": {"name": "playwright"}}});
    assert_eq!(ask(&sandbox, &look)["facts"]["browser"], json!({"registered": null}));
    let said = register(&sandbox, &stub(&sandbox, "exit 9"));
    assert!(said["done"][0].as_str().unwrap().contains("already"), "{said}");
    assert_eq!(std::fs::read_to_string(sandbox.root().join("calls")).unwrap(), calls);
}

/// One map had two copies, and the deploy of one part put its stale copy over the other's.
#[test]
fn lesson_34_the_plan_wants_the_hooks_file_that_persist_makes() {
    let host = super::trouble::host("14-agents");
    let file = host.place().join("root/etc/claude-code/managed-settings.d/50-terminal-lobby.json");
    let hook = "/etc/claude-code/managed-settings.d/50-terminal-lobby.json";
    assert!(host.plan(&[]).out().contains(&format!("+ add      {hook}")));
    let root = host.place().join("root");
    let args = ["hook", "--install", "--scope", "machine", "--root", root.to_str().unwrap()];
    host.sandbox.persist(args).ok();
    assert!(!host.plan(&[]).out().contains(hook));
    std::fs::write(&file, "{}\n").unwrap();
    assert!(host.plan(&[]).out().contains(&format!("~ repair   {hook}")));
}
