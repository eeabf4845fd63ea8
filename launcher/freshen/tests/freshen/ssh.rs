//! Remotes by ssh, with a stand-in for `ssh` that notes its arguments and runs the command.

use crate::support::World;
use std::path::PathBuf;

/// A clone of an ssh remote, and where the stand-in named `program` notes its arguments.
fn world_with(program: &str, text: &str) -> (World, PathBuf, PathBuf) {
    let mut world = World::new();
    let notes = world.root().join("notes");
    let all = format!("echo \"$0 $*\" >>{}\n{text}", notes.display());
    let ssh = world.script(&format!("bin/{program}"), &all);
    let path = format!("{}:{}", ssh.parent().unwrap().display(), crate::support::world::path());
    world.environment.push(("PATH".into(), path.into()));
    let clone = world.clone_as("infra");
    let url = format!("ssh://host.invalid{}", world.origin().display());
    world.git(&clone, &["remote", "set-url", "origin", &url]);
    world.publish("file", "2");
    (world, clone, notes)
}

/// Runs what it was told to run there: the last argument.
const RUN: &str = "for last; do :; done; case \"$*\" in -G*) exit 0;; esac; exec sh -c \"$last\"";

#[test]
fn ssh_cannot_ask() {
    let (world, clone, notes) = world_with("ssh", RUN);
    assert_eq!(world.freshen(), ["infra: 1 commit"]);
    world.assert_current(&clone);
    let called = std::fs::read_to_string(notes).unwrap();
    assert!(called.contains("-oBatchMode=yes -oConnectTimeout=30"), "{called}");
}

#[test]
fn configured_ssh_command_is_kept() {
    let (world, clone, notes) = world_with("ssh", RUN);
    world.git(&clone, &["config", "core.sshCommand", "ssh -i my.key"]);
    assert_eq!(world.freshen(), ["infra: 1 commit"]);
    let called = std::fs::read_to_string(notes).unwrap();
    assert!(called.contains("ssh -i my.key -oBatchMode=yes"), "{called}");
}

#[test]
fn other_ssh_program_is_kept_as_it_is() {
    let (world, clone, notes) = world_with("tunnel", RUN);
    world.git(&clone, &["config", "--global", "core.sshCommand", "tunnel --fast"]);
    assert_eq!(world.freshen(), ["infra: 1 commit"]);
    let called = std::fs::read_to_string(notes).unwrap();
    assert!(called.contains("tunnel --fast") && !called.contains("BatchMode"), "{called}");
}

/// One that the distribution did not build has its system file in another place.
#[test]
fn the_system_file_of_another_git_counts() {
    let (mut world, _, notes) = world_with("tunnel", RUN);
    let system = world.root().join("system-config");
    std::fs::write(&system, "[core]\n\tsshCommand = tunnel --fast\n").unwrap();
    let git = format!(
        "git=$(PATH='{}' command -v git)\nGIT_CONFIG_SYSTEM='{}' exec \"$git\" \"$@\"",
        crate::support::world::path(),
        system.display()
    );
    world.script("bin/git", &git);
    world.environment.push(("GIT_CONFIG_NOSYSTEM".into(), "0".into()));
    assert_eq!(world.freshen(), ["infra: 1 commit"]);
    let called = std::fs::read_to_string(notes).unwrap();
    assert!(called.contains("tunnel --fast") && !called.contains("BatchMode"), "{called}");
}

#[test]
fn there_is_no_terminal_to_ask_on() {
    let text = "if (: </dev/tty) 2>/dev/null; then sleep 60; fi\n\
                echo 'git@host: Permission denied (publickey).' >&2; exit 255";
    let (world, clone, _) = world_with("ssh", text);
    world.leaves_alone(&clone, &["infra: remote takes none of the ssh keys"]);
}

#[test]
fn unknown_host_key_is_reported() {
    let (world, clone, _) = world_with("ssh", "echo 'Host key verification failed.' >&2; exit 255");
    world.leaves_alone(&clone, &["infra: ssh does not trust the remote's host key"]);
}

#[test]
fn shared_connection_that_stays_does_not_hold_us_up() {
    // As ssh with ControlPersist: a process in a session of its own keeps the pipes open.
    let stays = format!("setsid sleep 20 </dev/null &\n{RUN}");
    let (world, clone, _) = world_with("ssh", &stays);
    let begin = std::time::Instant::now();
    assert_eq!(world.freshen(), ["infra: 1 commit"]);
    assert!(begin.elapsed() < std::time::Duration::from_secs(10));
    world.assert_current(&clone);
}
