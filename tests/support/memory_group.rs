//! A control group with a limit of memory: what runs in it has a small host, as far as memory goes, and waits for
//! memory while this machine has enough.

use super::wait_until;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What a machine needs for it.
pub(crate) const NEEDS: &str = "root and a hierarchy of control groups that limits memory";

/// The group. Dropping it waits until it is empty.
pub(crate) struct MemoryGroup {
    dir: PathBuf,
    /// Version 1, where files have other names.
    is_old: bool,
}

impl MemoryGroup {
    /// `None` where the machine lacks what it needs.
    pub(crate) fn new() -> Option<Self> {
        let name = format!("tl-memory-{}", std::process::id());
        let old = Path::new("/sys/fs/cgroup/memory");
        let is_old = old.is_dir();
        let base = if is_old { old } else { Path::new("/sys/fs/cgroup") };
        let handed_down = std::fs::read_to_string(base.join("cgroup.subtree_control"));
        if !is_old && !handed_down.is_ok_and(|all| all.split_whitespace().any(|c| c == "memory")) {
            return None;
        }
        let dir = base.join(name);
        std::fs::create_dir(&dir).ok()?;
        Some(Self { dir, is_old })
    }

    fn file(&self, old: &str, new: &str) -> PathBuf {
        self.dir.join(if self.is_old { old } else { new })
    }

    pub(crate) fn limit(&self, bytes: u64) {
        let file = self.file("memory.limit_in_bytes", "memory.max");
        std::fs::write(file, bytes.to_string()).unwrap();
    }

    /// Puts a process into it; those that it starts from now on are there, too.
    pub(crate) fn add(&self, pid: i32) {
        std::fs::write(self.dir.join("cgroup.procs"), pid.to_string()).unwrap();
    }

    /// What is taken in it and cannot be given back, in bytes.
    pub(crate) fn taken(&self) -> u64 {
        let text = std::fs::read_to_string(self.dir.join("memory.stat")).unwrap();
        let name = if self.is_old { "total_rss " } else { "anon " };
        text.lines().find_map(|line| line.strip_prefix(name)?.parse().ok()).unwrap()
    }

    /// How many processes the kernel killed because of the limit.
    pub(crate) fn kills(&self) -> u64 {
        let file = self.file("memory.oom_control", "memory.events");
        let text = std::fs::read_to_string(file).unwrap();
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok()).unwrap()
    }

    /// A shell that runs a script in it, with `$1` its directory.
    fn shell(&self, script: &str, dir: &Path) -> Command {
        let mut command = Command::new("sh");
        let script = format!("echo $$ >\"$1/cgroup.procs\" && {script}");
        command.args(["-c", &script, "sh"]).arg(&self.dir).current_dir(dir).stdin(Stdio::null());
        command
    }

    /// Makes a file in `dir` whose pages are the group's, for [`MemoryGroup::read`].
    pub(crate) fn make_file(&self, dir: &Path, bytes: u64) {
        let script = format!("head -c {bytes} /dev/zero >pages && sync pages");
        assert!(self.shell(&script, dir).status().unwrap().success(), "{script}");
    }

    /// Processes in the group that read that file again and again. They wait for memory for as long as the file and
    /// what else is taken exceed the limit.
    pub(crate) fn read(&self, dir: &Path) -> Readers {
        const READERS: usize = 6;
        let start = |_| {
            let mut reader = self.shell("while :; do cat pages; done >/dev/null", dir);
            std::os::unix::process::CommandExt::process_group(&mut reader, 0);
            reader.spawn().unwrap()
        };
        Readers((0..READERS).map(start).collect())
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            wait_until("the control group is empty", || std::fs::remove_dir(&self.dir).is_ok());
        }
    }
}

/// Readers of a file, until they are dropped.
pub(crate) struct Readers(Vec<Child>);

impl Drop for Readers {
    fn drop(&mut self) {
        for mut reader in self.0.drain(..) {
            // The shell and its `cat`.
            let group = nix::unistd::Pid::from_raw(i32::try_from(reader.id()).unwrap());
            let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
            let _ = reader.wait();
        }
    }
}

/// For how long some task of this machine has waited for memory since it came up, in microseconds.
pub(crate) fn waited() -> u64 {
    let text = std::fs::read_to_string("/proc/pressure/memory").unwrap_or_default();
    let some = text.lines().find(|line| line.starts_with("some "));
    some.and_then(|line| line.split_once("total=")?.1.parse().ok()).unwrap_or(0)
}
