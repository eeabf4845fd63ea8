//! A mount that hangs costs its own panes their directories, and others nothing.

use crate::support::lacks::lacks;
use crate::support::run;
use crate::support::sandbox::{ended, kill};
use crate::support::set_up::SetUp;
use crate::support::wait_until;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How long a save or a restore beside a mount that hangs may take.
const SOON: Duration = Duration::from_secs(8);

/// A FUSE mount whose server can be stopped.
struct Mount {
    point: PathBuf,
    server: Child,
}

impl Mount {
    /// Mounts a directory of the set-up at `name` below its working directory. `None`, said loudly,
    /// where that is impossible.
    fn new(set_up: &SetUp, name: &str, test: &str) -> Option<Self> {
        Self::at(PathBuf::from(set_up.directory(name)), set_up, test)
    }

    fn at(point: PathBuf, set_up: &SetUp, test: &str) -> Option<Self> {
        let name = point.file_name().unwrap().to_str().unwrap();
        let real = set_up.directory(&format!("real-{name}"));
        std::fs::create_dir_all(&point).unwrap();
        std::fs::create_dir(Path::new(&real).join("proj")).unwrap();
        let mut bindfs = Command::new("bindfs");
        let Ok(server) = bindfs.args(["-f", &real]).arg(&point).spawn() else {
            lacks(test, "bindfs");
            return None;
        };
        let mut mount = Self { point, server };
        let is_there = || mount.point.join("proj").is_dir();
        wait_until("the mount is there or its server has ended", || {
            is_there() || mount.server.try_wait().unwrap().is_some()
        });
        if !mount.point.join("proj").is_dir() {
            lacks(test, "/dev/fuse, or the right to mount");
            return None;
        }
        Some(mount)
    }

    fn proj(&self) -> String {
        self.point.join("proj").to_str().unwrap().to_owned()
    }

    fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.server.id()).unwrap());
        nix::sys::signal::kill(pid, signal).unwrap();
    }

    fn hang(&self) {
        self.signal(nix::sys::signal::Signal::SIGSTOP);
    }

    fn answer(&self) {
        self.signal(nix::sys::signal::Signal::SIGCONT);
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // What waits in the mount gets an error then.
        kill(i32::try_from(self.server.id()).unwrap());
        let _ = self.server.wait();
        let _ = Command::new("umount").arg("-l").arg(&self.point).status();
    }
}

/// An automount whose server never answers, over a directory that exists.
struct DeadAutomount {
    point: PathBuf,
    daemon: Child,
}

impl DeadAutomount {
    /// In a process group of its own: the kernel lets the daemon's own group pass.
    const DAEMON: &'static str = "
import ctypes, os, sys, time
os.setpgid(0, 0)
read, write = os.pipe()
options = 'fd=%d,pgrp=%d,minproto=5,maxproto=5,direct' % (write, os.getpgrp())
mounted = ctypes.CDLL(None).mount(b'dead', os.fsencode(sys.argv[1]), b'autofs', 0, options.encode())
time.sleep(10000 if mounted == 0 else 0)
";

    fn over(point: &Path, test: &str) -> Option<Self> {
        let mut python = Command::new("python3");
        let daemon = python.args(["-c", Self::DAEMON]).arg(point).spawn().unwrap();
        let mut automount = Self { point: point.to_owned(), daemon };
        let is_there = || {
            let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
            mounts.contains(&format!(" {} ", point.display()))
        };
        wait_until("the automount is there or its daemon has ended", || {
            is_there() || automount.daemon.try_wait().unwrap().is_some()
        });
        if !is_there() {
            lacks(test, "autofs, or the right to mount");
            return None;
        }
        Some(automount)
    }
}

impl Drop for DeadAutomount {
    fn drop(&mut self) {
        kill(i32::try_from(self.daemon.id()).unwrap());
        let _ = self.daemon.wait();
        let _ = Command::new("umount").arg("-l").arg(&self.point).status();
    }
}

#[track_caller]
fn soon<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let done = act();
    assert!(begin.elapsed() < SOON, "{what} took {:?}", begin.elapsed());
    done
}

/// Ends the server and all in its panes without waiting for those that hang in the kernel.
fn crash(set_up: &SetUp) {
    let server = set_up.sandbox.server_pid().unwrap();
    kill(server);
    wait_until("the server is gone", || ended(server));
}

fn names(set_up: &SetUp) -> Vec<String> {
    set_up.panes("#{session_name}")
}

#[test]
fn a_save_beside_a_mount_that_hangs_keeps_all_sessions_and_says_so() {
    let set_up = SetUp::new();
    let Some(mount) = Mount::new(&set_up, "net", "a_save_beside_a_mount_that_hangs") else {
        return;
    };
    let good = set_up.agent_in("new-session -d -s good", "claude");
    let net = set_up.agent_in(&format!("new-session -d -s net -c {}", mount.proj()), "claude");
    set_up.t(&format!("new-session -d -s shell -c {}", mount.proj()));
    mount.hang();
    let run = soon("the save", || set_up.persist("save")).ok();
    assert!(run.err().contains("does not answer"), "{}", run.err());
    assert_eq!(set_up.conversation("good:0.0").unwrap(), good);
    assert_eq!(set_up.conversation("net:0.0").unwrap(), net);
    assert_eq!(set_up.row("net:0.0").cwd, mount.proj().into_bytes());
    assert_eq!(set_up.row("shell:0.0").cwd, mount.proj().into_bytes());
}

#[test]
fn a_restore_beside_a_mount_that_hangs_restores_the_rest_and_the_next_one_completes_it() {
    let test = "a_restore_beside_a_mount_that_hangs";
    let set_up = SetUp::new();
    let Some(mount) = Mount::new(&set_up, "net", test) else { return };
    let good = set_up.agent_in("new-session -d -s good", "claude");
    let net = set_up.agent_in(&format!("new-session -d -s net -c {}", mount.proj()), "claude");
    set_up.t(&format!("new-session -d -s shell -c {}", mount.proj()));
    set_up.save();
    mount.hang();
    crash(&set_up);
    let run = soon("the restore", || set_up.persist("restore")).ok();
    assert!(run.out().contains("does not answer"), "{}", run.out());
    assert_eq!(names(&set_up), ["good", "net", "shell"]);
    set_up.wait_for_starts(3);
    assert_eq!(set_up.conversation_shown("=good:"), good);
    let home = set_up.sandbox.home();
    let in_home = vec![home.to_str().unwrap().to_owned(); 2];
    wait_until("the others are in the home", || {
        set_up.panes("#{pane_current_path}")[1..] == in_home
    });
    // A save meanwhile forgets neither the conversation nor the directories.
    soon("the save", || set_up.save());
    assert_eq!(set_up.conversation("net:0.0").unwrap(), net);
    assert_eq!(set_up.row("net:0.0").cwd, mount.proj().into_bytes());
    assert_eq!(set_up.row("shell:0.0").cwd, mount.proj().into_bytes());
    mount.answer();
    set_up.restore();
    set_up.wait_for_starts(4);
    assert_eq!(set_up.conversation_shown("=net:"), net);
    wait_until("both are where they were", || {
        set_up.panes("#{pane_current_path}")[1..] == vec![mount.proj(); 2]
    });
    assert_eq!(names(&set_up), ["good", "net", "shell"]);
    let again = set_up.persist("restore --json").ok().json();
    let actions: Vec<_> =
        again["rows"].as_array().unwrap().iter().map(|row| &row["action"]).collect();
    assert_eq!(actions, ["skip", "skip", "skip"]);
}

#[test]
fn an_automount_whose_server_is_dead_costs_its_panes_their_directory_until_it_is_gone() {
    let set_up = SetUp::new();
    let net = set_up.directory("net");
    let proj = set_up.directory("net/proj");
    set_up.t("new-session -d -s good");
    set_up.t(&format!("new-session -d -s net -c {proj}"));
    set_up.save();
    set_up.crash();
    let test = "an_automount_whose_server_is_dead";
    let Some(automount) = DeadAutomount::over(Path::new(&net), test) else { return };
    let run = soon("the restore", || set_up.persist("restore")).ok();
    assert!(run.out().contains("does not answer"), "{}", run.out());
    let home = set_up.sandbox.home().to_str().unwrap().to_owned();
    let path = || set_up.panes("#{pane_current_path}")[1].clone();
    wait_until("it waits in the home", || path() == home);
    soon("the save", || set_up.save());
    assert_eq!(set_up.row("net:0.0").cwd, proj.as_bytes());
    drop(automount);
    set_up.restore();
    wait_until("it is where it was", || path() == proj);
}

#[test]
fn what_waits_for_a_mount_is_not_forgotten_when_the_loss_window_is_over() {
    let test = "what_waits_for_a_mount_is_not_forgotten";
    let set_up = SetUp::new();
    let Some(mount) = Mount::new(&set_up, "net", test) else { return };
    let net = set_up.agent_in(&format!("new-session -d -s net -c {}", mount.proj()), "claude");
    set_up.save();
    mount.hang();
    crash(&set_up);
    set_up.persist("restore").ok();
    set_up.sandbox.configure("lost_window_hours = 1\n");
    set_up.save();
    let mut snapshot = set_up.snapshot();
    snapshot.rows[0].lost_since = Some(1000);
    let latest = set_up.sandbox.user_state().join("latest").canonicalize().unwrap();
    std::fs::write(&latest, terminal_lobby::snapshot::encode(&snapshot)).unwrap();
    set_up.t("rename-window -t net: other");
    set_up.save();
    assert_eq!(set_up.conversation("net:0.0").unwrap(), net);
}

#[test]
fn a_home_with_its_agents_data_on_a_mount_that_hangs_is_saved_and_restored_without_them() {
    let test = "a_home_with_its_agents_data_on_a_mount_that_hangs";
    let set_up = SetUp::new();
    let point = set_up.sandbox.home().join(".data");
    let Some(mount) = Mount::at(point, &set_up, test) else { return };
    std::os::unix::fs::symlink(".data/proj", set_up.sandbox.home().join(".claude")).unwrap();
    set_up.t("new-session -d -s shell");
    let id = "11111111-0000-4000-8000-000000000001";
    set_up.agent_in("new-session -d -s web", &format!("claude --session-id {id}"));
    set_up.save();
    mount.hang();
    soon("the save", || set_up.save());
    assert_eq!(set_up.conversation("web:0.0").unwrap(), id, "its arguments say it");
    crash(&set_up);
    soon("the restore", || set_up.persist("restore")).ok();
    assert_eq!(names(&set_up), ["shell", "web"]);
    soon("the save", || set_up.save());
    assert_eq!(set_up.conversation("web:0.0").unwrap(), id);
    mount.answer();
    // The one that was killed could not end while it hung.
    wait_until("the agent is gone", || ended(set_up.started()[0].pid));
    set_up.restore();
    set_up.wait_for_starts(2);
    assert_eq!(set_up.conversation_shown("=web:"), id);
}

#[test]
fn several_mounts_that_hang_cost_a_few_seconds_together() {
    let test = "several_mounts_that_hang";
    let set_up = SetUp::new();
    let mut mounts = Vec::new();
    for n in 0..5 {
        let Some(mount) = Mount::new(&set_up, &format!("m{n}"), test) else { return };
        for _ in 0..3 {
            set_up.t(&format!("new-session -d -c {}", mount.proj()));
        }
        mounts.push(mount);
    }
    set_up.t("new-session -d -s good");
    set_up.save();
    mounts.iter().for_each(Mount::hang);
    soon("the save", || set_up.save());
    crash(&set_up);
    soon("the restore", || set_up.persist("restore")).ok();
    assert_eq!(names(&set_up).len(), 16);
}

#[test]
fn a_save_in_a_directory_that_hangs_ends() {
    let test = "a_save_in_a_directory_that_hangs";
    let set_up = SetUp::new();
    let Some(mount) = Mount::new(&set_up, "net", test) else { return };
    set_up.t("new-session -d -s good");
    let mut save = set_up.sandbox.persist_command(["save"]);
    save.current_dir(set_up.sandbox.work());
    let proj = mount.proj();
    let shell = format!("cd {proj} && echo in && read x && exec \"$@\"");
    let mut command = set_up.command("sh");
    command.args(["-c", &shell, "sh"]).arg(save.get_program()).args(save.get_args());
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = [0; 3];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut said).unwrap();
    mount.hang();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"go\n").unwrap();
    soon("the save", || assert!(child.wait().unwrap().success()));
}

#[test]
fn state_on_a_mount_that_hangs_is_an_error_and_not_a_wait() {
    let test = "state_on_a_mount_that_hangs";
    let set_up = SetUp::new();
    let Some(mount) = Mount::new(&set_up, "net", test) else { return };
    set_up.t("new-session -d -s good");
    mount.hang();
    let program = set_up.sandbox.persist_command(["save"]).get_program().to_owned();
    for command in ["save", "restore", "show", "list"] {
        let mut persist = set_up.command(&program);
        persist.args([command, "--state-dir", &mount.proj()]);
        let run = soon(command, || run(&mut persist));
        assert_ne!(run.code, 0, "{command}");
        assert!(run.err().contains("does not answer"), "{command}: {}", run.err());
    }
}

#[test]
fn a_home_that_hangs_does_not_stop_a_save() {
    let test = "a_home_that_hangs";
    let mut set_up = SetUp::new();
    let Some(mount) = Mount::new(&set_up, "homes", test) else { return };
    set_up.t("new-session -d -s one");
    set_up.t("new-session -d -s two");
    set_up.save();
    set_up.set("HOME", &mount.proj());
    mount.hang();
    soon("the save", || set_up.persist("save")).ok();
    assert_eq!(set_up.snapshot().rows.len(), 2);
    soon("show", || set_up.persist("show")).ok();
}
