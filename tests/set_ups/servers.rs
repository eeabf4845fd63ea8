//! How people's tmux servers are started, what their panes run by default, how they end, and what
//! becomes of their sockets.

use crate::support::set_up::SetUp;
use crate::support::{run, wait_until};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

const COMMANDS: &str = "#{session_name}:#{window_index}.#{pane_index} #{pane_current_command}";

/// A window of each shell that is started as this configuration says comes back as that.
#[track_caller]
fn shell_comes_back(conf: &str, expected: &str) {
    let set_up = SetUp::new();
    std::fs::write(set_up.sandbox.home().join(".zshrc"), "").unwrap();
    set_up.tmux_conf(conf);
    set_up.t("new-session -d -s a");
    let expected = [format!("a:0.0 {expected}")];
    set_up.wait_for_panes(COMMANDS, &expected);
    for _ in 0..2 {
        set_up.save();
        set_up.crash();
        set_up.restore();
        set_up.wait_for_panes(COMMANDS, &expected);
    }
}

#[test]
fn a_default_command_that_is_a_shell_comes_back_as_that_shell() {
    shell_comes_back("set -g default-command /usr/bin/dash\n", "dash");
    shell_comes_back("set -g default-command 'exec dash'\n", "dash");
    shell_comes_back("set -g default-shell /bin/dash\nset -g default-command '${SHELL}'\n", "dash");
    shell_comes_back("set -g default-shell /bin/dash\n", "dash");
}

#[test]
fn a_default_command_that_wraps_a_shell_is_run_again() {
    let set_up = SetUp::new();
    let wrapper = set_up.bin().join("wrapped");
    std::fs::write(&wrapper, "#!/bin/sh\nWRAPPED=yes exec /bin/bash --norc\n").unwrap();
    std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755)).unwrap();
    set_up.tmux_conf(&format!("set -g default-command {}\n", wrapper.to_str().unwrap()));
    set_up.t("new-session -d -s a");
    set_up.wait_for_panes(COMMANDS, &["a:0.0 bash".to_owned()]);
    set_up.save();
    set_up.crash();
    set_up.restore();
    set_up.type_line("a", "echo is=$WRAPPED");
    set_up.wait_for_text("a", "is=yes");
}

#[test]
fn a_shell_beside_the_default_one_comes_back_as_itself() {
    let set_up = SetUp::new();
    set_up.tmux_conf("set -g default-command 'exec bash --norc'\n");
    set_up.t("new-session -d -s a");
    set_up.tmux(["new-window", "-t", "a:", "exec dash"]);
    set_up.tmux(["new-window", "-t", "a:", "--", "dash", "-i"]);
    let expected = ["a:0.0 bash", "a:1.0 dash", "a:2.0 dash"].map(str::to_owned);
    set_up.wait_for_panes(COMMANDS, &expected);
    set_up.save();
    set_up.crash();
    set_up.restore();
    set_up.wait_for_panes(COMMANDS, &expected);
}

#[test]
fn a_default_shell_that_ends_at_once_does_not_end_panes_that_had_another() {
    let set_up = SetUp::new();
    set_up.tmux_conf("set -g default-shell /bin/false\n");
    set_up.tmux(["new-session", "-d", "-s", "a", "--", "bash", "-i"]);
    set_up.wait_for_panes(COMMANDS, &["a:0.0 bash".to_owned()]);
    set_up.save();
    set_up.crash();
    set_up.restore();
    set_up.wait_for_panes(COMMANDS, &["a:0.0 bash".to_owned()]);
}

#[test]
fn a_server_that_ends_without_clients_lives_until_one_has_come() {
    let set_up = SetUp::new();
    set_up.sandbox.tmux(["new-session", "-d", "-s", "a"]).ok();
    set_up.sandbox.tmux(["new-session", "-d", "-s", "b"]).ok();
    set_up.tmux_conf("set -s exit-unattached on\n");
    set_up.save();
    set_up.crash();
    let restored = set_up.restore();
    assert!(restored.err().contains("exit-unattached is off until a client"), "{}", restored.err());
    assert_eq!(set_up.panes("#{session_name}"), ["a", "b"]);
    // A client that attaches and goes.
    let mut attach = set_up.command("tmux");
    attach.args(["-C", "attach-session", "-t", "=a"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut client = attach.spawn().unwrap();
    wait_until("the option is on again", || {
        set_up.t("show-options -s -v exit-unattached").out() == "on\n"
    });
    drop(client.stdin.take());
    client.wait().unwrap();
    wait_until("the server has ended", || set_up.sandbox.server_pid().is_none());
}

#[test]
fn sessions_that_end_without_clients_are_kept() {
    let set_up = SetUp::new();
    set_up.sandbox.tmux(["new-session", "-d", "-s", "a"]).ok();
    set_up.sandbox.tmux(["split-window", "-t", "a"]).ok();
    set_up.tmux_conf("set -g destroy-unattached on\nset -s exit-empty off\n");
    set_up.save();
    set_up.crash();
    set_up.restore();
    assert_eq!(set_up.panes("#{session_name}.#{pane_index}"), ["a.0", "a.1"]);
}

#[test]
fn sessions_that_end_without_clients_are_kept_while_clients_of_others_come_and_go() {
    let set_up = SetUp::new();
    for session in ["a", "b", "c"] {
        set_up.sandbox.tmux(["new-session", "-d", "-s", session]).ok();
        set_up.sandbox.tmux(["split-window", "-t", session]).ok();
    }
    set_up.sandbox.tmux(["new-session", "-d", "-s", "d", "-t", "a"]).ok();
    set_up.tmux_conf("set -g destroy-unattached on\nset -s exit-empty off\n");
    set_up.save();
    let stop = std::sync::atomic::AtomicBool::new(false);
    for _ in 0..3 {
        set_up.crash();
        stop.store(false, std::sync::atomic::Ordering::Relaxed);
        let restored = std::thread::scope(|scope| {
            // Each client that goes makes tmux end the sessions that no client shows.
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let _ = run(set_up.command("tmux").args(["-N", "list-sessions"]));
                }
            });
            let restored = set_up.persist("restore");
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            restored
        });
        assert_eq!(restored.code, 0, "{}{}", restored.out(), restored.err());
        let shown = set_up.panes("#{session_name}.#{pane_index}");
        assert_eq!(shown, ["a.0", "a.1", "b.0", "b.1", "c.0", "c.1", "d.0", "d.1"]);
    }
}

/// What the configuration of these tests sets.
const SETTINGS: &str = "display-message -p #{prefix},#{history-limit},#{base-index}";

fn write_conf(set_up: &SetUp, name: &str) -> String {
    let file = set_up.sandbox.work().join(name);
    let conf = "set -g base-index 1\nset -g prefix C-a\nset -g history-limit 50000\n";
    std::fs::write(&file, conf).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_server_with_its_own_configuration_file_starts_with_it_again() {
    let set_up = SetUp::new();
    let file = write_conf(&set_up, "work.conf");
    set_up.tmux_conf("set -g prefix C-x\n");
    set_up.tmux(["-f", &file, "new-session", "-d", "-s", "a"]);
    for _ in 0..2 {
        assert_eq!(set_up.save().config_files, [file.as_bytes()]);
        set_up.crash();
        set_up.restore();
        assert_eq!(set_up.t(SETTINGS).out().trim(), "C-a,50000,1");
    }
}

#[test]
fn a_configuration_file_is_found_again_by_its_relative_name() {
    let set_up = SetUp::new();
    let file = write_conf(&set_up, "rel.conf");
    set_up.tmux(["-frel.conf", "new-session", "-d", "-s", "a"]);
    assert_eq!(set_up.save().config_files, [file.as_bytes()]);
    set_up.crash();
    set_up.restore();
    assert_eq!(set_up.t(SETTINGS).out().trim(), "C-a,50000,1");
}

#[test]
fn a_configuration_file_that_is_gone_is_named_and_the_rest_is_restored() {
    let set_up = SetUp::new();
    let file = write_conf(&set_up, "work.conf");
    set_up.tmux_conf("set -g prefix C-x\n");
    set_up.tmux(["-f", &file, "new-session", "-d", "-s", "a"]);
    set_up.save();
    set_up.crash();
    std::fs::remove_file(&file).unwrap();
    let restored = set_up.restore();
    assert!(restored.err().contains("work.conf cannot be read"), "{}", restored.err());
    assert_eq!(set_up.t(SETTINGS).out().trim(), "C-x,2000,0");
}

#[test]
fn the_usual_configuration_is_read_as_it_is_by_then() {
    let set_up = SetUp::new();
    set_up.tmux_conf("set -g prefix C-x\n");
    set_up.t("new-session -d -s a");
    assert!(set_up.save().config_files.is_empty());
    set_up.crash();
    std::fs::remove_file(set_up.sandbox.home().join(".tmux.conf")).unwrap();
    let xdg = set_up.sandbox.home().join(".config/tmux");
    std::fs::create_dir_all(&xdg).unwrap();
    std::fs::write(xdg.join("tmux.conf"), "set -g prefix C-y\n").unwrap();
    set_up.restore();
    assert_eq!(set_up.t("display-message -p #{prefix}").out().trim(), "C-y");
}

/// The server's pid, and the path of its socket.
fn socket_of(set_up: &SetUp) -> (i32, std::path::PathBuf) {
    let path = set_up.t("display-message -p #{socket_path}").out();
    (set_up.sandbox.server_pid().unwrap(), path.trim().into())
}

#[test]
fn a_server_whose_socket_was_cleaned_away_is_named_and_no_second_one_started() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    set_up.save();
    let (server, socket) = socket_of(&set_up);
    std::fs::remove_file(&socket).unwrap();
    for command in ["save", "status", "restore", "restore a"] {
        let run = set_up.persist(command).code(1);
        let why = format!("the tmux server (process {server}) still runs, but its socket");
        assert!(run.err().contains(&why), "{command}: {}", run.err());
        assert!(run.err().contains(&format!("hint: kill -USR1 {server}")), "{}", run.err());
    }
    assert!(!socket.exists(), "no other server was started");
    let pid = nix::unistd::Pid::from_raw(server);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGUSR1).unwrap();
    wait_until("the socket is there again", || socket.exists());
    set_up.save();
    set_up.persist("status").ok();
    assert_eq!(set_up.sandbox.server_pid(), Some(server));
}

#[test]
fn a_server_in_a_directory_that_is_no_longer_named_is_found() {
    let mut set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    set_up.save();
    let (server, socket) = socket_of(&set_up);
    let tmpdir = socket.ancestors().nth(2).unwrap().to_str().unwrap().to_owned();
    let other = set_up.directory("other");
    set_up.set("TMUX_TMPDIR", &other);
    for command in ["save", "restore"] {
        let run = set_up.persist(command).code(1);
        assert!(run.err().contains(&format!("(process {server}) listens at {}", socket.display())));
        assert!(run.err().contains(&format!("hint: export TMUX_TMPDIR={tmpdir}")), "{}", run.err());
    }
    set_up.set("TMUX_TMPDIR", &tmpdir);
    set_up.save();
}

#[test]
fn a_process_that_has_the_number_of_the_ended_server_is_not_taken_for_it() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    set_up.save();
    set_up.crash();
    let file = std::fs::read_link(set_up.sandbox.user_state().join("latest")).unwrap();
    let file = set_up.sandbox.user_state().join(file);
    let text = String::from_utf8(std::fs::read(&file).unwrap()).unwrap();
    let server = text.lines().find(|line| line.starts_with("# server ")).unwrap();
    let started = server.rsplit_once('-').unwrap().1;
    let own = format!("# server {}-{started}", std::process::id());
    std::fs::write(&file, text.replace(server, &own)).unwrap();
    set_up.persist("save").ok();
    set_up.restore();
    assert_eq!(set_up.panes("#{session_name}"), ["a"]);
}

/// Where each pane is.
const PLACES: &str = "#{window_index}.#{pane_index} #{window_width}x#{window_height} \
    #{pane_width}x#{pane_height} #{pane_left},#{pane_top}";

#[test]
fn eight_panes_that_were_last_shown_on_a_small_screen_are_one_window_again() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a -x 200 -y 60");
    for n in 1..8 {
        set_up.t(&format!("split-window {} -t a:", if n % 2 == 0 { "-v" } else { "-h" }));
    }
    set_up.t("resize-window -t a -x 40 -y 10");
    let before = set_up.panes(PLACES);
    assert_eq!(before.len(), 8);
    set_up.save();
    set_up.crash();
    set_up.restore();
    assert_eq!(set_up.panes(PLACES), before);
}

#[test]
fn commands_that_the_configuration_has_redefined_are_not_ours() {
    let set_up = SetUp::new();
    set_up.sandbox.tmux(["new-session", "-d", "-s", "a"]).ok();
    set_up.sandbox.tmux(["split-window", "-t", "a"]).ok();
    set_up.sandbox.tmux(["new-window", "-t", "a"]).ok();
    let mut conf = String::new();
    let names = [
        "new-session",
        "new-window",
        "split-window",
        "list-panes",
        "set-option",
        "set-hook",
        "select-layout",
        "select-pane",
        "display-message",
        "show-options",
        "rename-session",
        "attach-session",
        "start-server",
        "kill-session",
        "rename-window",
        "select-window",
    ];
    for (at, name) in names.iter().enumerate() {
        let at = (100 + at).to_string();
        conf.extend(["set -s command-alias[", &at, "] '", name, "=kill-server'\n"]);
    }
    set_up.tmux_conf(&conf);
    set_up.save();
    set_up.crash();
    set_up.restore();
    set_up.save();
    let panes = |rows: Vec<terminal_lobby::snapshot::Row>| {
        rows.iter().map(|row| (row.window, row.pane)).collect::<Vec<_>>()
    };
    assert_eq!(panes(set_up.snapshot().rows), [(0, 0), (0, 1), (1, 0)]);
    assert_eq!(set_up.sandbox.snapshots().len(), 2);
}
