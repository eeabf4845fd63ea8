//! How much memory is available: what the kernel reports, and what the limits of the control groups
//! (cgroup v2) leave in which agents would run.

use std::io::Read;
use std::path::{Path, PathBuf};

/// Maximum size of a file that is read here, in bytes.
const MAX_FILE: u64 = 64 << 10;

/// Available memory, in bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// On the whole host; `None` if unknown.
    pub host: Option<u64>,
    /// Within the limits on this process and its user; `None` without limits.
    pub limit: Option<u64>,
}

impl Memory {
    /// Reads `/proc` and `/sys` below `root`; the slice of user `uid` counts, too.
    pub fn read(root: &Path, uid: u32) -> Self {
        Self::read_for(root, uid, None)
    }

    /// The same for what a process starts, such as a tmux server: within the limits on that process instead of
    /// those on this one.
    pub fn read_for(root: &Path, uid: u32, starter: Option<i32>) -> Self {
        let starter = starter.map_or_else(|| "self".to_owned(), |pid| pid.to_string());
        let own = group_of(root, &starter).map(PathBuf::from);
        // Where a login's processes live (systemd's user.slice), wherever this one does.
        let slice = PathBuf::from(format!("user.slice/user-{uid}.slice"));
        let groups = own.iter().chain([&slice]).flat_map(|group| group.ancestors());
        let hierarchy = root.join("sys/fs/cgroup");
        let limit = groups.filter_map(|group| left_in(&hierarchy.join(group))).min();
        Self { host: host(root), limit }
    }

    /// The smaller of both; `None` if unknown.
    pub fn available(self) -> Option<u64> {
        let host = self.host?;
        Some(self.limit.map_or(host, |limit| limit.min(host)))
    }
}

/// `MemAvailable` (proc(5)): what can be used without swapping.
fn host(root: &Path) -> Option<u64> {
    let text = read(&root.join("proc/meminfo"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kib.checked_mul(1024)
}

/// A process's group in the unified hierarchy (cgroups(7)), as seen from its root.
fn group_of(root: &Path, process: &str) -> Option<String> {
    let text = read(&root.join("proc").join(process).join("cgroup"))?;
    let group = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    // From inside a namespace, a group outside of it begins so: its files cannot be read.
    (!group.starts_with("..")).then(|| group.to_owned())
}

/// What the limits of one group leave. Cached files can be dropped, and so do not count as used.
fn left_in(group: &Path) -> Option<u64> {
    let number = |name: &str| read(&group.join(name))?.trim().parse::<u64>().ok();
    let limit = ["memory.max", "memory.high"].into_iter().filter_map(number).min()?;
    let used = number("memory.current")?;
    let stat = read(&group.join("memory.stat")).unwrap_or_default();
    let cache = stat.lines().find_map(|line| line.strip_prefix("inactive_file ")?.parse().ok());
    Some(limit.saturating_sub(used.saturating_sub(cache.unwrap_or(0))))
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    std::fs::File::open(path).ok()?.take(MAX_FILE).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    const MEMINFO: (&str, &str) =
        ("proc/meminfo", "MemTotal:  100 kB\nMemAvailable:      50 kB\nBuffers: 1 kB\n");

    #[test]
    fn without_limits_it_is_what_the_kernel_reports() {
        let free = root(&[MEMINFO, ("proc/self/cgroup", "4:memory:/x\n0::/\n")]);
        let memory = Memory::read(free.path(), 7);
        assert_eq!(memory, Memory { host: Some(51_200), limit: None });
        assert_eq!(memory.available(), Some(51_200));
        for text in ["", "MemAvailable: many kB\n", "MemAvailable: 99999999999999999999 kB\n"] {
            let root = root(&[("proc/meminfo", text)]);
            assert_eq!(Memory::read(root.path(), 7).available(), None, "{text}");
        }
        assert_eq!(Memory::read(Path::new("/nonexistent"), 7), Memory::default());
    }

    #[test]
    fn the_tightest_limit_above_the_process_or_on_the_users_slice_counts() {
        let own = "sys/fs/cgroup/a/b";
        let files = |max: &'static str, slice: &'static str| {
            root(&[
                MEMINFO,
                ("proc/self/cgroup", "0::/a/b\n"),
                (&format!("{own}/memory.max"), "max\n"),
                (&format!("{own}/memory.current"), "1\n"),
                ("sys/fs/cgroup/a/memory.max", max),
                ("sys/fs/cgroup/a/memory.high", "max\n"),
                ("sys/fs/cgroup/a/memory.current", "1000\n"),
                ("sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file 400\n"),
                ("sys/fs/cgroup/user.slice/user-7.slice/memory.high", slice),
                ("sys/fs/cgroup/user.slice/user-7.slice/memory.current", "0\n"),
            ])
        };
        for (max, slice, left) in [
            ("1700\n", "max\n", 1100),
            ("1700\n", "9\n", 9),
            ("1\n", "9\n", 0),
            ("99999999\n", "max\n", 51_200),
        ] {
            let root = files(max, slice);
            assert_eq!(Memory::read(root.path(), 7).available(), Some(left), "{max} {slice}");
        }
    }

    #[test]
    fn what_a_server_starts_is_within_the_servers_limits_and_not_in_ours() {
        let root = root(&[
            MEMINFO,
            ("proc/self/cgroup", "0::/tight\n"),
            ("proc/7/cgroup", "0::/wide\n"),
            ("sys/fs/cgroup/tight/memory.max", "9\n"),
            ("sys/fs/cgroup/tight/memory.current", "0\n"),
            ("sys/fs/cgroup/wide/memory.max", "700\n"),
            ("sys/fs/cgroup/wide/memory.current", "0\n"),
        ]);
        assert_eq!(Memory::read(root.path(), 7).limit, Some(9));
        assert_eq!(Memory::read_for(root.path(), 7, Some(7)).limit, Some(700));
    }

    #[test]
    fn a_group_outside_the_namespace_is_not_read() {
        let root =
            root(&[MEMINFO, ("proc/self/cgroup", "0::/../x\n"), ("sys/fs/x/memory.max", "1\n")]);
        assert_eq!(Memory::read(root.path(), 7).limit, None);
    }
}
