//! Agents that end at once or cannot be run, and shells that start the launcher again.

use super::{command, configure, endings, in_pane, install_agent, screen, start_claude, waits_for};
use crate::support::stub_agent::id;
use crate::support::{Sandbox, run, wait_until};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Writes an executable file below the home; its path.
fn program(sandbox: &Sandbox, path: &str, text: &[u8]) -> PathBuf {
    let file = sandbox.home().join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    mode(&file, 0o755);
    file
}

fn mode(file: &Path, mode: u32) {
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn is_a_shell(sandbox: &Sandbox) {
    wait_until("a login shell runs", || sandbox.panes("#{pane_current_command}") == ["sh"]);
}

#[track_caller]
fn nothing_is_closed(sandbox: &Sandbox) {
    let ended = endings(sandbox);
    assert!(ended.iter().all(|line| line.contains("\tlost\t")), "{ended:?}");
}

#[test]
fn an_agent_that_ends_at_once_leaves_a_shell_and_is_not_closed_whatever_its_code() {
    for code in [0, 1, 2, 3, 64, 127, 255] {
        let sandbox = Sandbox::new();
        install_agent(&sandbox, &format!("exit {code}"));
        in_pane(&sandbox, &["--session", &id(1)]);
        waits_for(&sandbox, &format!("claude exited with {code} within a second of its start"));
        waits_for(&sandbox, &format!("resume it with: start-claude --resume {}", id(1)));
        is_a_shell(&sandbox);
        assert_eq!(endings(&sandbox).len(), 1);
        nothing_is_closed(&sandbox);
    }
}

#[test]
fn a_restored_agent_that_ends_at_once_is_not_closed_either() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exit 0");
    in_pane(&sandbox, &["--session", &id(1), "--as-started", "--then-shell"]);
    waits_for(&sandbox, "claude exited with 0 within a second of its start");
    is_a_shell(&sandbox);
    nothing_is_closed(&sandbox);
}

#[test]
fn a_conversation_from_the_background_that_cannot_be_resumed_is_tried_once_more_and_no_other() {
    for (job, starts) in [(true, 2), (false, 1)] {
        let sandbox = Sandbox::new();
        install_agent(&sandbox, "echo >>~/starts; exit 3");
        if job {
            let name = format!(".claude/jobs/{}", &id(1)[..8]);
            std::fs::create_dir_all(sandbox.home().join(name)).unwrap();
        }
        in_pane(&sandbox, &["--resume", &id(1)]);
        waits_for(&sandbox, &format!("resume it with: start-claude --resume {}", id(1)));
        is_a_shell(&sandbox);
        let started = std::fs::read_to_string(sandbox.home().join("starts")).unwrap();
        assert_eq!(started.lines().count(), starts);
        nothing_is_closed(&sandbox);
    }
}

#[test]
fn an_agent_that_worked_and_then_ends_is_closed_even_if_it_did_little() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "sleep 1.2; exit 0");
    sandbox.tmux(["new-session", "-d", "-s", "keep"]).ok();
    in_pane(&sandbox, &["--session", &id(1)]);
    wait_until("the pane is closed", || sandbox.panes("#{session_name}") == ["keep"]);
    assert!(endings(&sandbox)[0].contains("\tclosed\t"), "{:?}", endings(&sandbox));
}

/// What a file that is no program says, and what is shown.
fn unusable(text: &[u8], mode_of_it: u32, says: &str) {
    let sandbox = Sandbox::new();
    let file = program(&sandbox, ".local/bin/claude", text);
    mode(&file, mode_of_it);
    in_pane(&sandbox, &["--session", &id(1)]);
    waits_for(&sandbox, says);
    is_a_shell(&sandbox);
    nothing_is_closed(&sandbox);
}

#[test]
fn an_empty_file_in_place_of_the_agent_gets_a_message_and_a_shell() {
    unusable(b"", 0o755, "claude could not be run: its file is empty");
}

#[test]
fn half_a_binary_in_place_of_the_agent_gets_a_message_and_a_shell() {
    unusable(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0", 0o755, "start-claude: claude ");
}

#[test]
fn zeros_in_place_of_the_agent_get_a_message_and_a_shell() {
    unusable(&[0; 4096], 0o755, "start-claude: claude ");
}

#[test]
fn an_empty_line_in_place_of_the_agent_gets_a_message_and_a_shell() {
    unusable(b"\n", 0o755, "claude exited with 0 within a second of its start");
}

#[test]
fn an_agent_that_may_not_be_executed_gets_a_message_and_a_shell() {
    unusable(b"#!/bin/sh\nexit 0\n", 0o644, "claude could not be run: Permission denied");
}

#[test]
fn an_agent_with_an_empty_interpreter_gets_a_message_and_a_shell() {
    let sandbox = Sandbox::new();
    let interpreter = program(&sandbox, "empty", b"");
    let text = format!("#!{}\n", interpreter.display());
    program(&sandbox, ".local/bin/claude", text.as_bytes());
    in_pane(&sandbox, &["--session", &id(1)]);
    waits_for(&sandbox, "start-claude: claude ");
    is_a_shell(&sandbox);
    nothing_is_closed(&sandbox);
}

#[test]
fn a_link_that_leads_nowhere_is_no_agent() {
    let sandbox = Sandbox::new();
    let bin = sandbox.home().join(".local/bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink("../share/claude/versions/9", bin.join("claude")).unwrap();
    in_pane(&sandbox, &["--session", &id(1)]);
    waits_for(&sandbox, "claude is not installed");
    is_a_shell(&sandbox);
}

#[test]
fn a_directory_in_place_of_the_agent_does_not_hide_the_next_one() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "sleep 1000");
    let bin = sandbox.home().join(".local/bin");
    let other = sandbox.home().join("bin");
    std::fs::rename(&bin, &other).unwrap();
    std::fs::create_dir_all(bin.join("claude")).unwrap();
    let path = format!("PATH={}:/usr/bin:/bin", other.display());
    let launcher = start_claude();
    let words = ["new-session", "-d", "-s", "pane", "--", "env", &path];
    sandbox.tmux([&words[..], &[launcher.to_str().unwrap(), "--session", &id(1)]].concat()).ok();
    assert_eq!(super::called(&sandbox)[1..3], ["--session-id", &id(1)]);
}

#[test]
fn an_agent_that_ends_before_it_is_waited_for_is_never_missed() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exit 3");
    for round in 0..100 {
        let started = run(&mut command(&sandbox, &["--session", &id(1), "--name", "x"]));
        assert!(started.err().contains("claude exited with 3"), "{round}: {}", started.err());
    }
}

#[test]
fn an_end_is_seen_even_if_its_signal_was_lost() {
    // A turn's watcher is a thread that lives while the agent ends.
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exit 3");
    let turns = sandbox.root().join("turns");
    std::fs::create_dir(&turns).unwrap();
    for round in 0..50 {
        let words = ["--session", &id(1), "--name", "x", "--at-once", "2", "--restored"];
        let mut started = command(&sandbox, &words);
        let started = run(started.arg(&turns).arg("--no-freshen"));
        assert!(started.err().contains("claude exited with 3"), "{round}: {}", started.err());
    }
}

/// How many agents were started when the launcher runs once, with this shell.
fn agents(sandbox: &Sandbox, shell: &Path) -> (usize, String) {
    let count = sandbox.root().join("count");
    let _ = std::fs::remove_file(&count);
    install_agent(sandbox, &format!("echo >>'{}'; exit 3", count.display()));
    let mut started = command(sandbox, &["--session", &id(1), "--no-freshen"]);
    let started = run(started.env("SHELL", shell));
    (std::fs::read_to_string(&count).unwrap().lines().count(), started.err())
}

#[test]
fn a_shell_that_is_the_launcher_is_not_started() {
    let sandbox = Sandbox::new();
    let linked = sandbox.home().join("my-shell");
    std::os::unix::fs::symlink(start_claude(), &linked).unwrap();
    for shell in [&start_claude(), &linked] {
        let (agents, said) = agents(&sandbox, shell);
        assert_eq!(agents, 1, "{}: {said}", shell.display());
    }
}

#[test]
fn a_shell_that_starts_the_launcher_does_so_once() {
    let sandbox = Sandbox::new();
    let launcher = start_claude();
    let launcher = launcher.display();
    for script in [
        format!("{launcher} \"$@\""),
        format!("exec {launcher} \"$@\""),
        format!("sh -c 'sh -c {launcher}; :'; :"),
    ] {
        let shell = program(&sandbox, "shell", format!("#!/bin/sh\n{script}\n").as_bytes());
        let (agents, said) = agents(&sandbox, &shell);
        assert_eq!(agents, 1, "{script}: {said}");
        assert!(said.contains("the login shell starts start-claude again"), "{said}");
    }
}

#[test]
fn a_profile_that_starts_the_launcher_does_so_once() {
    let sandbox = Sandbox::new();
    let text = format!("exec {}\n", start_claude().display());
    std::fs::write(sandbox.home().join(".profile"), text).unwrap();
    assert_eq!(agents(&sandbox, Path::new("/bin/sh")).0, 1);
}

#[test]
fn a_shell_that_starts_the_launcher_later_ends_it_after_a_few_times() {
    let sandbox = Sandbox::new();
    let text = format!("#!/bin/sh\nsleep 3.1\nexec {}\n", start_claude().display());
    let shell = program(&sandbox, "shell", text.as_bytes());
    let (agents, said) = agents(&sandbox, &shell);
    assert!((2..=7).contains(&agents), "{agents}: {said}");
}

#[test]
fn a_copy_of_the_launcher_as_the_shell_does_not_restart_for_ever() {
    let sandbox = Sandbox::new();
    let bytes = std::fs::read(start_claude()).unwrap();
    let copy = program(&sandbox, "copy", &bytes);
    assert_eq!(agents(&sandbox, &copy).0, 1);
}

#[test]
fn a_user_may_start_the_launcher_again_in_the_shell_that_it_left() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "sleep 0.1; exit 3");
    in_pane(&sandbox, &["--session", &id(1)]);
    is_a_shell(&sandbox);
    wait_until("the mark is old enough", || {
        let pid = sandbox.tmux(["display-message", "-p", "-t", "pane", "#{pane_pid}"]).out();
        let stat = std::fs::read_to_string(format!("/proc/{}/environ", pid.trim())).unwrap();
        let mark =
            stat.split('\0').find_map(|line| line.strip_prefix("START_CLAUDE_BECAME_SHELL="));
        let when: u64 = mark.unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() > when + 2
    });
    let again = format!("clear; {} --session {}", start_claude().display(), id(2));
    sandbox.tmux(["send-keys", "-t", "pane", &again, "Enter"]).ok();
    waits_for(&sandbox, &format!("resume it with: start-claude --resume {}", id(2)));
    assert!(!screen(&sandbox).contains("/bin/sh instead"), "{}", screen(&sandbox));
}

#[test]
fn an_install_command_below_the_home_is_run_and_one_that_installs_nothing_is_run_once() {
    let sandbox = Sandbox::new();
    let count = sandbox.root().join("count");
    let text = format!("#!/bin/sh\necho >>'{}'\n", count.display());
    program(&sandbox, "get", text.as_bytes());
    configure(&sandbox, "[agents.claude]\ninstall = ['~/get']\ninstall_missing = true\n");
    let started = run(&mut command(&sandbox, &["--session", &id(1)]));
    assert!(started.err().contains("claude is not installed"), "{}", started.err());
    assert_eq!(std::fs::read_to_string(&count).unwrap().lines().count(), 1);
}
