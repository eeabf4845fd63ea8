//! Configurations in the manner of those that many people publish and copy: sessions that were made under
//! one come back under it, twice.

use crate::support::set_up::SetUp;
use crate::support::wait_for;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// What stands for a plugin manager: it takes its time, sets what plugins set, and hooks into saves.
const PLUGIN_MANAGER: &str = "#!/bin/sh
sleep 0.3
tmux set -g @plugins_loaded 1
tmux set -g status-right '#(cat /proc/uptime) #{status-right}'
tmux bind -n M-s run-shell 'true'
tmux set-hook -ga session-created 'set -g @seen 1'
";

/// Where each pane is, and what it is; names only where the user gave one.
const SHAPE: &str = "#{session_name}:#{window_index}.#{pane_index} \
    #{?automatic-rename,,#{window_name}} #{pane_current_path} #{window_width}x#{window_height} \
    #{pane_left},#{pane_top},#{pane_width},#{pane_height} #{window_active}#{pane_active}";

/// Their files.
pub(super) fn configurations() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/set_ups/tmux_conf");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

/// Puts what stands for a plugin manager where the configurations look for one.
pub(super) fn install_plugin_manager(set_up: &SetUp) {
    let tpm = set_up.sandbox.home().join(".tmux/plugins/tpm/tpm");
    std::fs::create_dir_all(tpm.parent().unwrap()).unwrap();
    std::fs::write(&tpm, PLUGIN_MANAGER).unwrap();
    std::fs::set_permissions(&tpm, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The panes of the sessions that are made here, once their shells have started.
fn shape(set_up: &SetUp) -> Vec<String> {
    wait_for("every pane has its directory", || {
        let mut panes = set_up.panes(SHAPE);
        panes.retain(|pane| pane.starts_with("web:") || pane.starts_with("api:"));
        panes.iter().all(|pane| pane.contains('/')).then_some(panes)
    })
}

/// Two sessions with three windows and five panes.
fn make(set_up: &SetUp) {
    let (one, two) = (set_up.directory("one"), set_up.directory("two words"));
    set_up.tmux(["new-session", "-d", "-s", "web", "-x", "120", "-y", "40", "-c", &one]);
    set_up.tmux(["split-window", "-h", "-t", "web:", "-c", &two]);
    let shown = ["-P", "-F", "#{pane_id}"];
    let new = ["new-window", "-t", "web:", "-n", "logs", "-c", &two];
    let logs = set_up.tmux(new.iter().chain(&shown)).out().trim().to_owned();
    set_up.tmux(["split-window", "-v", "-l", "9", "-t", &logs, "-c", "/usr"]);
    set_up.tmux(["new-session", "-d", "-s", "api", "-x", "120", "-y", "40", "-c", &one]);
    set_up.tmux(["rename-window", "-t", "api:", "named"]);
}

/// What differs after a save, a crash and a restore under a configuration, twice.
fn difference(conf: &str) -> Option<String> {
    let set_up = SetUp::new();
    set_up.tmux_conf(conf);
    install_plugin_manager(&set_up);
    make(&set_up);
    let before = shape(&set_up);
    for round in 1..=2 {
        set_up.save();
        set_up.crash();
        let restored = set_up.persist("restore");
        let after = shape(&set_up);
        if restored.code != 0 || after != before {
            let (out, err) = (restored.out(), restored.err());
            return Some(format!("round {round}: {before:#?} became {after:#?}\n{out}{err}"));
        }
    }
    None
}

#[test]
fn sessions_come_back_under_each_of_twenty_configurations_as_people_publish_them() {
    let files = configurations();
    assert_eq!(files.len(), 20);
    let problems: Vec<String> = files
        .iter()
        .filter_map(|file| {
            let problem = difference(&std::fs::read_to_string(file).unwrap())?;
            Some(format!("{}: {problem}", file.file_name().unwrap().to_string_lossy()))
        })
        .collect();
    assert!(problems.is_empty(), "{} of 20:\n{}", problems.len(), problems.join("\n"));
}
