//! Mounts whose server is gone hold nothing up before the agent starts, and Ctrl-C goes on.

use crate::support::host::{BIN, Host};
use crate::support::lacks::lacks;
use crate::support::stub_agent::id;
use crate::support::wait_for;
use std::time::{Duration, Instant};

/// How long an agent or a shell may take to come, with a deadline of two seconds for the clones.
const SOON: Duration = Duration::from_secs(9);

/// A host with a user, ann, whose agent leaves a note, and a clone whose remote has a commit more.
struct World(Host);

impl World {
    fn new(test: &str) -> Option<Self> {
        let host = Host::new(test)?;
        let uid = host.user("ann");
        host.sh_as("ann", &format!("mkdir -p ~/.local/bin ~/.config/terminal-lobby ~/code ~/real/sub
            printf 'freshen_deadline_seconds = 2\n' >~/.config/terminal-lobby/launcher.toml
            cat >~/.local/bin/claude <<'EOF'\n#!/bin/sh\n{{ pwd; printf '%s ' \"$@\"; }} >/tmp/agent.new; mv /tmp/agent.new /tmp/agent; exec sleep 1000\nEOF
            chmod 755 ~/.local/bin/claude
            git config --global user.name a; git config --global user.email a@b; git config --global init.defaultBranch main
            git init -q --bare ~/remote.git; git clone -q ~/remote.git ~/code/alive 2>/dev/null; cd ~/code/alive
            git commit -q --allow-empty -m 1; git push -q -u origin HEAD
            git clone -q ~/remote.git ~/author; cd ~/author; echo 2 >file; git add file; git commit -q -m 2; git push -q
            : {uid}"));
        Some(Self(host))
    }

    /// A mount at `point`, below ann's home, whose server is stopped; `None` where none can be made.
    fn dead_mount(&self, point: &str, test: &str) -> Option<()> {
        let script = format!(
            "mkdir -p /home/ann/{point}; cd /
             bindfs -o allow_other -f /home/ann/real /home/ann/{point} >/dev/null 2>&1 </dev/null & echo $! >/tmp/server
             for i in $(seq 100); do test -d /home/ann/{point}/sub && break; sleep 0.05; done
             test -d /home/ann/{point}/sub && kill -STOP $!"
        );
        let made = self.0.root(["sh", "-euc", &script]);
        if made.code != 0 {
            lacks(test, &format!("a mount that hangs: {}", made.err()));
            return None;
        }
        Some(())
    }

    /// Starts the launcher in a pane; what its agent was given, and what the pane shows.
    fn starts(&self, words: &str, variables: &str) -> (Vec<String>, String) {
        let begin = Instant::now();
        self.start(words, variables);
        let note = wait_for("the agent was started", || {
            Some(self.0.sh("cat /tmp/agent 2>/dev/null || :")).filter(|note| !note.is_empty())
        });
        assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
        (note.lines().map(str::to_owned).collect(), self.screen())
    }

    fn start(&self, words: &str, variables: &str) {
        let command = format!("{variables} exec {BIN}/start-claude {words}");
        let words = ["new-session", "-d", "-s", "pane", "-c", "/", "-x", "120", "-y", "30", "--"];
        self.0.tmux("ann", [&words[..], &["sh", "-c", &command]].concat()).ok();
    }

    fn screen(&self) -> String {
        self.0.tmux("ann", ["capture-pane", "-p", "-J", "-t", "pane"]).out()
    }

    fn shows(&self, text: &str) {
        wait_for(text, || self.screen().contains(text).then_some(()));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // What waits in the mount gets an error then.
        self.0.root(["sh", "-c", "kill -KILL $(cat /tmp/server)"]);
    }
}

macro_rules! world {
    ($test:literal, $point:literal) => {{
        let Some(world) = World::new($test) else { return };
        let Some(()) = world.dead_mount($point, $test) else { return };
        world
    }};
}

#[test]
fn one_dead_mount_in_the_code_directory_leaves_the_other_clones_and_the_agent() {
    let world = world!("one_dead_mount_in_the_code_directory", "code/net");
    world.0.sh_as("ann", "ln -s net/sub ~/code/away");
    let (agent, screen) = world.starts("", "");
    assert_eq!(agent[0], "/home/ann/code");
    for line in ["alive: 1 commit", "net: its directory does not answer"] {
        assert!(screen.contains(line), "{screen}");
    }
    assert!(screen.contains("away: its directory does not answer"), "{screen}");
}

#[test]
fn a_dead_code_directory_leaves_the_home() {
    let world = world!("a_dead_code_directory", "net");
    let (agent, screen) = world.starts("--code-dir /home/ann/net/sub", "");
    assert_eq!(agent[0], "/home/ann");
    let says = "--code-dir /home/ann/net/sub: its mount does not answer";
    assert!(screen.contains(says), "{screen}");
}

#[test]
fn a_code_directory_that_is_a_link_to_a_dead_mount_leaves_the_home() {
    let world = world!("a_code_directory_that_is_a_link", "net");
    world.0.sh_as("ann", "mv ~/code ~/elsewhere; ln -s net/sub ~/code");
    let (agent, screen) = world.starts("", "");
    assert_eq!(agent[0], "/home/ann");
    assert!(screen.contains("/home/ann/code: its mount does not answer"), "{screen}");
}

#[test]
fn a_worktree_that_leads_to_a_dead_mount_is_reported_and_the_agent_starts() {
    let world = world!("a_worktree_that_leads_to_a_dead_mount", "net");
    world.0.sh_as(
        "ann",
        "mkdir ~/code/tree; echo 'gitdir: /home/ann/net/sub/.git/worktrees/tree' >~/code/tree/.git",
    );
    let (agent, screen) = world.starts("", "");
    assert_eq!(agent[0], "/home/ann/code");
    assert!(screen.contains("alive: 1 commit"), "{screen}");
    assert!(screen.contains("tree: "), "{screen}");
}

#[test]
fn a_conversation_of_a_dead_directory_is_resumed_elsewhere() {
    let world = world!("a_conversation_of_a_dead_directory", "net");
    let id = id(1);
    world.0.sh_as(
        "ann",
        &format!(
            "mkdir -p ~/.claude/projects/-home-ann-net-sub
             echo '{{\"type\":\"user\",\"cwd\":\"/home/ann/net/sub\",\"sessionId\":\"{id}\",\"message\":{{\"content\":\"hello\"}}}}' \
             >~/.claude/projects/-home-ann-net-sub/{id}.jsonl"
        ),
    );
    let (agent, screen) = world.starts(&format!("--no-freshen --resume {id}"), "");
    assert_eq!(agent[0], "/");
    assert!(agent[1].starts_with("--resume ") && agent[1].contains(&id), "{agent:?}");
    assert!(screen.contains("does not answer: resuming"), "{screen}");
}

#[test]
fn a_dead_directory_on_path_does_not_hide_the_agent() {
    let world = world!("a_dead_directory_on_path", "net");
    let path = "PATH=/home/ann/net/sub:/usr/bin:/bin";
    let (agent, screen) = world.starts("", path);
    assert_eq!(agent[0], "/home/ann/code");
    // The session's name was asked for, and git was run.
    assert!(agent[1].contains("--name pane"), "{agent:?}");
    assert!(screen.contains("alive: 1 commit"), "{screen}");
    assert!(screen.contains("/home/ann/net/sub does not answer: left out of PATH"), "{screen}");
}

#[test]
fn dead_files_of_configuration_are_reported_and_not_read() {
    let world = world!("dead_files_of_configuration", "net");
    world.0.sh_as(
        "ann",
        "cd ~/.config/terminal-lobby; printf 'agent_env = \"~/net/agent.env\"\n' >>launcher.toml
         ln -s net/sub/.claude.json ~/.claude.json",
    );
    let (agent, screen) = world.starts("", "");
    assert_eq!(agent[0], "/home/ann/code");
    let says = "/home/ann/net/agent.env: its mount does not answer; the file is not used";
    assert!(screen.contains(says), "{screen}");
}

#[test]
fn a_dead_directory_of_the_agents_settings_does_not_hold_the_agent_up() {
    let world = world!("a_dead_directory_of_the_agents_settings", "net");
    let (agent, _) = world.starts("", "CLAUDE_CONFIG_DIR=/home/ann/net/sub");
    assert_eq!(agent[0], "/home/ann/code");
}

#[test]
fn a_shell_on_a_dead_mount_gives_way_to_another() {
    let world = world!("a_shell_on_a_dead_mount", "net");
    let begin = Instant::now();
    world.start("--shell", "SHELL=/home/ann/net/sub/zsh");
    wait_for("a shell", || {
        world.0.tmux("ann", ["send-keys", "-t", "pane", "echo shell-$((40 + 2))", "Enter"]).ok();
        world.screen().contains("shell-42").then_some(())
    });
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}

#[test]
fn ctrl_c_ends_the_wait_for_a_dead_code_directory() {
    let world = world!("ctrl_c_ends_the_wait_for_a_dead_code_directory", "code/net");
    world.0.sh_as(
        "ann",
        "echo 'freshen_deadline_seconds = 600' >~/.config/terminal-lobby/launcher.toml
         printf '#!/bin/sh\ntouch /tmp/asked; exec sleep 1000\n' >~/slow; chmod 755 ~/slow; cd ~/code/alive
         git config remote.origin.url ext::/home/ann/slow; git config protocol.ext.allow always",
    );
    world.start("", "");
    wait_for("the remote is asked", || {
        world.0.root(["test", "-e", "/tmp/asked"]).code.eq(&0).then_some(())
    });
    let begin = Instant::now();
    world.0.tmux("ann", ["send-keys", "-t", "pane", "C-c"]).ok();
    wait_for("the agent was started", || {
        world.0.root(["test", "-e", "/tmp/agent"]).code.eq(&0).then_some(())
    });
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
}

#[test]
fn an_update_goes_on_after_the_agent_has_ended_and_its_end_is_not_missed() {
    let Some(world) = World::new("an_update_goes_on_after_the_agent_has_ended") else { return };
    world.0.sh_as(
        "ann",
        "cd ~/code/alive; echo 'freshen_deadline_seconds = 1' >~/.config/terminal-lobby/launcher.toml
         printf '#!/bin/sh\nwhile ! test -e /tmp/go; do sleep 0.05; done; exec cat\n' >~/smudge; chmod 755 ~/smudge
         git config filter.s.smudge ~/smudge; echo 'file filter=s' >.git/info/attributes
         printf '#!/bin/sh\nexit 3\n' >~/.local/bin/claude",
    );
    world.start("", "");
    world.shows("alive: still being updated");
    world.shows("claude exited with 3 within a second of its start");
    world.0.tmux("ann", ["send-keys", "-t", "pane", "echo shell-$((40 + 2))", "Enter"]).ok();
    world.shows("shell-42");
    world.0.sh_as("ann", "touch /tmp/go");
    wait_for("the update is complete", || {
        let status = world.0.sh_as("ann", "cd ~/code/alive; git log -1 --format=%s; git status -s");
        (status == "2\n").then_some(())
    });
}
