//! `persist hook --install` and `--uninstall`. What they do to a text has its table in
//! `src/agent/settings.rs`; this is about files.

use crate::support::{Run, Sandbox};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

fn settings(sandbox: &Sandbox) -> PathBuf {
    let dir = sandbox.home().join(".claude");
    std::fs::create_dir_all(&dir).unwrap();
    dir.join("settings.json")
}

fn hook(sandbox: &Sandbox, args: &[&str]) -> Run {
    sandbox.persist([&["hook"], args].concat())
}

#[test]
fn a_users_settings_get_our_hook_once_and_come_back_byte_by_byte() {
    let sandbox = Sandbox::new();
    let file = settings(&sandbox);
    let before = "{\n  \"theme\": \"dark\",\n  \"hooks\": {\n    \"Stop\": [\n      {\"hooks\": [{\"type\": \"command\", \"command\": \"theirs\"}]}\n    ]\n  }\n}";
    std::fs::write(&file, before).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let said = hook(&sandbox, &["--install"]).ok().out();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains("hooks installed in ") && said.contains(file.to_str().unwrap()),
        "{said}"
    );
    let installed = std::fs::read_to_string(&file).unwrap();
    assert!(installed.contains("theirs") && installed.contains("hook --agent claude"));
    assert!(installed.contains(env!("CARGO_BIN_EXE_persist")), "by its path: {installed}");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    let again = hook(&sandbox, &["--install", "--json"]).ok().json();
    assert_eq!(again["result"], "unchanged", "{again}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), installed);
    assert_eq!(hook(&sandbox, &["--uninstall", "--json"]).ok().json()["result"], "removed");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    assert_eq!(hook(&sandbox, &["--uninstall", "--json"]).ok().json()["result"], "unchanged");
}

#[test]
fn settings_that_were_not_there_appear_and_go_for_either_agent() {
    let sandbox = Sandbox::new();
    for (agent, file) in [("claude", ".claude/settings.json"), ("codex", ".codex/hooks.json")] {
        let file = sandbox.home().join(file);
        assert_eq!(
            hook(&sandbox, &["--uninstall", "--agent", agent, "--json"]).ok().json()["result"],
            "unchanged"
        );
        assert!(!file.parent().unwrap().exists());
        let run = hook(&sandbox, &["--install", "--agent", agent]).ok();
        assert_eq!(run.err().contains("Codex asks once"), agent == "codex", "{}", run.err());
        let text: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(text["hooks"]["SessionStart"][0]["hooks"][0]["timeout"], 5);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        hook(&sandbox, &["--uninstall", "--agent", agent]).ok();
        assert!(!file.exists());
    }
}

#[test]
fn files_that_are_not_plain_settings_of_the_users_are_refused_and_left_alone() {
    let sandbox = Sandbox::new();
    let file = settings(&sandbox);
    let dir = file.parent().unwrap();
    for (text, why) in [
        ("{\n  \"a\": 1,\n}", "line 3"),
        ("", "line 1"),
        ("[]", "not an object"),
        ("{\"hooks\": 5}", "hooks is not an object"),
        ("{\"hooks\": {\"Stop\": 5}}", "hooks.Stop is not a list"),
        ("{\"hooks\": {}, \"hooks\": {}}", "'hooks' twice"),
    ] {
        std::fs::write(&file, text).unwrap();
        for args in ["--install", "--uninstall"] {
            let run = hook(&sandbox, &[args]).code(1);
            assert!(run.err().contains(why), "{why}: {}", run.err());
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
    std::fs::write(&file, b"{\"a\": \"\xff\"}").unwrap();
    assert!(hook(&sandbox, &["--install"]).code(1).err().contains("not UTF-8"));
    let outside = sandbox.root().join("outside.json");
    std::fs::write(&outside, "{}").unwrap();
    std::fs::remove_file(&file).unwrap();
    symlink(&outside, &file).unwrap();
    assert!(hook(&sandbox, &["--install"]).code(1).err().contains("leads out of the home"));
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "{}");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert!(hook(&sandbox, &["--install"]).code(1).err().contains("not a regular file"));
    std::fs::remove_dir(&file).unwrap();
    symlink(sandbox.root().join("nowhere"), &file).unwrap();
    hook(&sandbox, &["--install"]).code(1);
    assert_eq!(std::fs::read_dir(dir).unwrap().count(), 1, "nothing else was left there");
}

#[test]
fn a_link_inside_the_home_stays_a_link_and_what_it_leads_to_is_changed() {
    let sandbox = Sandbox::new();
    let file = settings(&sandbox);
    let real = sandbox.home().join("dotfiles.json");
    std::fs::write(&real, "{}\n").unwrap();
    symlink(&real, &file).unwrap();
    hook(&sandbox, &["--install"]).ok();
    assert!(file.symlink_metadata().unwrap().is_symlink());
    assert!(std::fs::read_to_string(&real).unwrap().contains("hook --agent"));
    hook(&sandbox, &["--uninstall"]).ok();
    assert_eq!(std::fs::read_to_string(&real).unwrap(), "{}\n");
}

#[test]
fn the_machines_agents_get_a_file_of_ours_beside_others() {
    let sandbox = Sandbox::new();
    let root = sandbox.root().join("machine");
    let dir = root.join("etc/claude-code/managed-settings.d");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("10-others.json"), "{}").unwrap();
    let args = ["--scope", "machine", "--root", root.to_str().unwrap()];
    hook(&sandbox, &[&["--install"], &args[..]].concat()).ok();
    let file = dir.join("50-terminal-lobby.json");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    let installed = std::fs::read(&file).unwrap();
    hook(&sandbox, &[&["--install"], &args[..]].concat()).ok();
    assert_eq!(std::fs::read(&file).unwrap(), installed);
    hook(&sandbox, &[&["--uninstall"], &args[..]].concat()).ok();
    let left: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["10-others.json"]);
    let codex = [&["--install", "--agent", "codex"], &args[..]].concat();
    hook(&sandbox, &codex).code(2);
}
