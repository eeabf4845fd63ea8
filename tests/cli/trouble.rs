//! What a user's own configuration and bad luck do to a restore: it says what came of each pane.

use crate::support::{Sandbox, run, wait_until};
use serde_json::Value;

fn results(json: &Value) -> Vec<&str> {
    json["rows"].as_array().unwrap().iter().map(|row| row["result"].as_str().unwrap()).collect()
}

#[test]
fn after_a_reboot_there_is_not_even_a_directory_for_the_socket() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    let uid = nix::unistd::geteuid();
    std::fs::remove_dir_all(sandbox.root().join(format!("tmux/tmux-{uid}"))).unwrap();
    let json = sandbox.persist(["restore", "--json"]).ok().json();
    assert_eq!(results(&json), ["restored"]);
    assert_eq!(sandbox.panes("#{session_name}"), ["one"]);
}

#[test]
fn a_session_that_a_hook_or_an_option_ends_at_once_is_not_called_restored() {
    for config in
        ["set-hook -g after-new-window 'kill-session -t =web'", "set -g destroy-unattached on"]
    {
        let sandbox = Sandbox::new();
        sandbox.tmux(["new-session", "-d", "-s", "web"]).ok();
        sandbox.tmux(["new-window", "-t", "web"]).ok();
        sandbox.persist(["save"]).ok();
        sandbox.crash();
        std::fs::write(sandbox.home().join(".tmux.conf"), format!("{config}\n")).unwrap();
        let run = sandbox.persist(["restore", "--json"]);
        let live = sandbox.tmux(["list-sessions", "-F", "#{session_name}"]).out();
        let restored = results(&run.json()).iter().all(|result| *result == "restored");
        assert_eq!(restored, live.contains("web"), "{config}: {} {live}", run.out());
        assert_eq!(run.code == 0, restored, "{config}");
    }
}

#[test]
fn a_launcher_that_cannot_be_run_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    let work = sandbox.work();
    let id = crate::support::stub_agent::id(1);
    sandbox.stub_in(&["new-session", "-d", "-s", "one", "-c", work.to_str().unwrap()], &id);
    sandbox.prompt(&id);
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    let bin = sandbox.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_persist"), bin.join("persist")).unwrap();
    std::fs::write(bin.join("start-claude"), "").unwrap();
    std::fs::set_permissions(bin.join("start-claude"), std::fs::Permissions::from_mode(0o644))
        .unwrap();
    let mut restore = sandbox.command(bin.join("persist"));
    restore.args(["restore", "--json", "--state-dir"]).arg(sandbox.state());
    let json =
        run(restore.arg("--user-map").arg(sandbox.root().join("no-user-map"))).code(1).json();
    assert_eq!(
        results(&json),
        ["failed: start-claude is not installed beside persist; a shell was started"]
    );
    wait_until("a shell is there", || sandbox.panes("#{pane_current_command}") == ["sh"]);
}

#[test]
fn a_new_session_after_a_crash_does_not_hide_the_others() {
    let sandbox = Sandbox::new();
    for name in ["a", "b", "closed"] {
        sandbox.tmux(["new-session", "-d", "-s", name]).ok();
    }
    sandbox.persist(["save"]).ok();
    sandbox.persist(["forget", "closed"]).ok();
    sandbox.crash();
    // Right after a server's end tmux 3.3a sometimes fails to start another.
    wait_until("a new server", || sandbox.tmux(["new-session", "-d", "-s", "fresh"]).code == 0);
    let json = sandbox.persist(["save", "--json"]).ok().json();
    let note = "lost since the last save: a, b ('persist restore' brings them back)";
    assert_eq!(json["users"][0]["notes"][0], note);
    assert_eq!(json["users"][0]["lost"], 2);
    sandbox.persist(["restore"]).ok();
    assert_eq!(sandbox.panes("#{session_name}"), ["a", "b", "fresh"]);
}

#[test]
fn a_session_of_the_users_that_is_called_like_ours_is_saved_and_restored() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "tmux-persist-builder-x"]).ok();
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    let json = sandbox.persist(["restore", "--json"]).ok().json();
    assert_eq!(results(&json), ["restored"]);
    assert_eq!(sandbox.panes("#{session_name}"), ["tmux-persist-builder-x"]);
}

#[test]
fn a_dead_pane_keeps_its_directory_and_says_why_it_is_a_shell() {
    let sandbox = Sandbox::new();
    sandbox
        .tmux(["new-session", "-d", "-s", "one", ";", "set-option", "-g", "remain-on-exit", "on"])
        .ok();
    sandbox.tmux(["split-window", "-t", "one", "-c", "/etc", "--", "sh", "-c", "exit 3"]).ok();
    wait_until("the pane is dead", || sandbox.panes("#{pane_dead}") == ["0", "1"]);
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    let json = sandbox.persist(["restore", "--json"]).ok().json();
    assert_eq!(
        (&json["rows"][1]["cwd"], &json["rows"][1]["reason"]),
        (&"/etc".into(), &"its program had exited".into())
    );
}

#[test]
fn a_corrupt_time_in_forgotten_tsv_is_passed_over_and_saving_goes_on() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.persist(["save"]).ok();
    let file = sandbox.user_state().join("forgotten.tsv");
    for closed in ["99999999999999", "253402300799", "18446744073709551615", "-1"] {
        std::fs::write(&file, format!("x\t{closed}\t\n")).unwrap();
        sandbox
            .tmux([
                "rename-session",
                "-t",
                "=one:",
                "two",
                ";",
                "rename-session",
                "-t",
                "=two:",
                "one",
            ])
            .ok();
        sandbox.tmux(["new-window", "-t", "one"]).ok();
        let json = sandbox.persist(["save", "--json"]).ok().json();
        assert_eq!(json["users"][0]["result"], "saved", "{closed}");
        assert!(
            json["users"][0]["notes"][0].as_str().unwrap().contains("forgotten.tsv: line 1"),
            "{closed}"
        );
    }
    assert!(
        sandbox.snapshots().iter().all(|name| name.starts_with("20")),
        "{:?}",
        sandbox.snapshots()
    );
}
