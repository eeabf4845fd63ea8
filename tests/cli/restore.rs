//! `persist restore`.

use crate::support::Sandbox;
use serde_json::{Value, json};

/// Everything of a pane that a restore must bring back.
const PANE: &str = "#{session_name}|#{window_index}|#{?automatic-rename,,#{window_name}}|#{pane_index}|#{pane_width}x#{pane_height}|#{pane_left},#{pane_top}|#{window_flags}|#{window_stack_index}|#{pane_active}|#{pane_last}|#{pane_title}|#{pane_current_path}";

fn results(json: &Value) -> Vec<&str> {
    json["rows"].as_array().unwrap().iter().map(|row| row["result"].as_str().unwrap()).collect()
}

/// A world with what layouts, marks and names can be.
fn furnished() -> Sandbox {
    let sandbox = Sandbox::new();
    let work = sandbox.work();
    let work = work.to_str().unwrap();
    sandbox.tmux(["new-session", "-d", "-s", "layout", "-x", "130", "-y", "41", "-c", work]).ok();
    sandbox.tmux(["split-window", "-h", "-t", "layout", "-c", "/usr"]).ok();
    sandbox.tmux(["split-window", "-v", "-t", "layout", "-c", "/etc"]).ok();
    sandbox.tmux(["split-window", "-h", "-l", "7", "-t", "layout:0.0", "-c", "/tmp"]).ok();
    sandbox.tmux(["select-pane", "-t", "layout:0.1", "-T", "a #(touch ran) title"]).ok();
    sandbox.tmux(["new-window", "-t", "layout:7", "-n", "named; #{x}", "-c", "/usr"]).ok();
    sandbox.tmux(["split-window", "-t", "layout:7", "-c", "/"]).ok();
    sandbox.tmux(["select-pane", "-t", "layout:7.0"]).ok();
    sandbox.tmux(["resize-pane", "-Z", "-t", "layout:7.0"]).ok();
    sandbox.tmux(["new-window", "-t", "layout:3", "-c", "/usr"]).ok();
    sandbox.tmux(["select-window", "-t", "layout:0"]).ok();
    sandbox.tmux(["select-window", "-t", "layout:7"]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "small", "-x", "20", "-y", "6", "-c", work]).ok();
    sandbox.tmux(["split-window", "-t", "small", "-c", work]).ok();
    sandbox
}

#[test]
fn windows_panes_layouts_titles_marks_and_directories_come_back() {
    let sandbox = furnished();
    let before = sandbox.panes(PANE);
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    let json = sandbox.persist(["restore", "--json"]).ok().json();
    assert!(results(&json).iter().all(|result| *result == "restored"), "{json}");
    crate::support::wait_until("the same panes are there", || sandbox.panes(PANE) == before);
    assert!(!sandbox.work().join("ran").exists());
    let leftover = sandbox.tmux(["show-options", "-t", "layout:"]).ok();
    assert_eq!(leftover.out(), "", "options that only the building needed");
    let saved = sandbox.latest_without_ids();
    sandbox.persist(["save"]).ok();
    assert_eq!(sandbox.latest_without_ids(), saved);
}

#[test]
fn restoring_again_does_nothing() {
    let sandbox = furnished();
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    sandbox.persist(["restore"]).ok();
    let panes = sandbox.panes("#{pane_id} #{pane_pid}");
    for _ in 0..2 {
        let json = sandbox.persist(["restore", "--json"]).ok().json();
        assert!(results(&json).iter().all(|result| *result == "skipped"), "{json}");
        assert_eq!(sandbox.panes("#{pane_id} #{pane_pid}"), panes);
    }
}

#[test]
fn a_dry_run_prints_the_plan_and_starts_nothing() {
    let sandbox = furnished();
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    let dry = sandbox.persist(["restore", "--dry-run", "--json"]).ok().json();
    assert!(sandbox.tmux(["list-sessions"]).code != 0, "no server was started");
    let mut real = sandbox.persist(["restore", "--json"]).ok().json();
    for row in real["rows"].as_array_mut().unwrap() {
        row.as_object_mut().unwrap().remove("result");
    }
    assert_eq!(dry, real);
}

#[test]
fn lesson_08_and_20_any_name_comes_back_as_itself() {
    let sandbox = Sandbox::new();
    let long = "x".repeat(200);
    let names = [
        "sp ace",
        "q\"uo'te",
        "$HOME",
        "a$b",
        "#{pid}",
        "#(touch ran)",
        "100%",
        "%1",
        "@1",
        "$1",
        "-x",
        "=x",
        "\u{e9}\u{1f600}",
        "a;b",
        "a;",
        "#[fg=red]",
        "##",
        "~",
        "back\\slash",
        "7",
        "007",
        "*",
        "{a}",
        "#",
        &long,
    ];
    for name in names {
        let escaped = name.replace('#', "##").replace("##[", "#[");
        // In an argument list tmux takes a final `;` for a separator.
        let escaped =
            escaped.strip_suffix(';').map_or(escaped.clone(), |start| format!("{start}\\;"));
        sandbox.tmux(["new-session", "-d", "-s", &escaped, "--", "sleep", "1000"]).ok();
    }
    let stored = sandbox.panes("#{session_name}");
    assert_eq!(stored.len(), names.len());
    sandbox.persist(["save"]).ok();
    let listed = sandbox.persist(["show", "--json"]).ok().json();
    let mut seen: Vec<&str> =
        listed["rows"].as_array().unwrap().iter().map(|r| r["session"].as_str().unwrap()).collect();
    seen.sort_unstable();
    let mut expected = names.to_vec();
    expected.sort_unstable();
    assert_eq!(seen, expected);
    for _ in 0..2 {
        sandbox.crash();
        let json = sandbox.persist(["restore", "--json"]).ok().json();
        assert!(results(&json).iter().all(|result| *result == "restored"), "{json}");
        assert_eq!(sandbox.panes("#{session_name}"), stored);
        sandbox.persist(["save"]).ok();
    }
    assert!(!sandbox.work().join("ran").exists() && !sandbox.home().join("ran").exists());
}

#[test]
fn only_the_chosen_sessions_come_back_and_a_wrong_choice_starts_none() {
    let sandbox = Sandbox::new();
    for name in ["7", "007", "prefix", "prefixlong"] {
        sandbox.tmux(["new-session", "-d", "-s", name]).ok();
    }
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    let wrong = sandbox.persist(["restore", "prefix", "pref"]).code(2);
    assert!(
        wrong.err().contains("no session 'pref' and no conversation with that prefix in snapshot "),
        "{}",
        wrong.err()
    );
    assert!(sandbox.tmux(["list-sessions"]).code != 0);
    sandbox.persist(["restore", "7", "prefix"]).ok();
    assert_eq!(sandbox.panes("#{session_name}"), ["7", "prefix"]);
}

#[test]
fn an_older_snapshot_or_a_hand_written_manifest_can_be_restored_from() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "old"]).ok();
    let first = sandbox.persist(["save", "--json"]).ok().json()["users"][0]["snapshot"].clone();
    sandbox.tmux(["rename-session", "-t", "old", "new"]).ok();
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    let unknown = sandbox.persist(["restore", "--from", "20200101T000000Z"]).code(2);
    assert!(unknown.err().contains("no snapshot '20200101T000000Z'"), "{}", unknown.err());
    sandbox.persist(["restore", "--from", first.as_str().unwrap()]).ok();
    assert_eq!(sandbox.panes("#{session_name}"), ["old"]);
    let manifest = sandbox.root().join("manifest.tsv");
    std::fs::write(&manifest, "hand\t/usr\t-\nother\t/etc\t\n").unwrap();
    let json =
        sandbox.persist(["restore", "--json", "--from", manifest.to_str().unwrap()]).ok().json();
    assert_eq!(results(&json), ["restored", "restored"]);
    assert_eq!(sandbox.panes("#{session_name}"), ["hand", "old", "other"]);
}

#[test]
fn a_hostile_layout_in_a_snapshot_never_reaches_tmux() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.tmux(["split-window", "-t", "one"]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "keep"]).ok();
    sandbox.persist(["save"]).ok();
    sandbox.tmux(["kill-session", "-t", "one"]).ok();
    let text = String::from_utf8(sandbox.latest()).unwrap();
    let layout = sandbox.user_state().join("edited.tsv");
    for hostile in ["garbage", "", "zzzz,80x24", "b25d,80x24,0,0{"] {
        let edited: Vec<String> = text
            .lines()
            .map(|line| {
                let mut fields: Vec<&str> = line.split('\t').collect();
                if fields.len() > 7 && !line.starts_with('#') {
                    fields[7] = hostile;
                }
                fields.join("\t") + "\n"
            })
            .collect();
        std::fs::write(&layout, edited.concat()).unwrap();
        let json = sandbox
            .persist(["restore", "one", "--json", "--from", layout.to_str().unwrap()])
            .ok()
            .json();
        assert_eq!(results(&json), ["skipped", "restored", "restored"], "{hostile}");
        assert_eq!(sandbox.panes("#{session_name}"), ["keep", "one", "one"]);
        sandbox.tmux(["kill-session", "-t", "one"]).ok();
    }
}

#[test]
fn a_configuration_with_other_indexes_and_a_default_command_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one", "-c", "/usr"]).ok();
    sandbox.tmux(["new-window", "-t", "one:2", "-c", "/etc"]).ok();
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    let config = "set -g base-index 5\nset -g pane-base-index 3\nset -g renumber-windows on\nset -g default-command 'sleep 999'\n";
    std::fs::write(sandbox.home().join(".tmux.conf"), config).unwrap();
    sandbox.persist(["restore"]).ok();
    assert_eq!(sandbox.panes("#{window_index} #{pane_current_path}"), ["0 /usr", "2 /etc"]);
    crate::support::wait_until("a shell runs, not the default command", || {
        sandbox.panes("#{pane_current_command}") == ["sh", "sh"]
    });
}

#[test]
fn sessions_of_a_group_share_their_windows_again() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "main", "-c", "/usr"]).ok();
    sandbox.tmux(["new-window", "-t", "main:3", "-c", "/etc"]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "also", "-t", "main"]).ok();
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    let json = sandbox.persist(["restore", "--json"]).ok().json();
    assert_eq!(json["error"], json!(null));
    let windows = sandbox.panes("#{session_name} #{window_index} #{session_group} #{pane_id}");
    let ids: Vec<&str> = windows.iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!((windows.len(), ids[0], ids[1]), (4, ids[2], ids[3]), "{windows:?}");
}
