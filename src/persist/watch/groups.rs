//! The control groups of the agents and of the user: what the kernel's out-of-memory killer did there.

use super::memory_state::MemoryEvents;
use crate::persist::deaths::OutOfMemory;
use crate::sys::file_changes::FileChanges;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a kill counts as the cause of a death: the kernel ends the process at once, but giving its memory back
/// takes time.
const RECENT: Duration = Duration::from_secs(15);

/// The groups that are watched.
#[derive(Debug, Default)]
pub struct Groups {
    known: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    /// From the root of the hierarchy.
    name: String,
    /// The number of its watched file; `None` if it has none.
    number: Option<i32>,
    events: MemoryEvents,
    /// When something in it was killed last, and when its own limit could not be kept, since boot.
    killed: Option<Duration>,
    limited: Option<Duration>,
}

impl Groups {
    /// Watches just these groups, in the hierarchy mounted at `root`.
    pub fn follow<'a>(
        &mut self,
        names: impl IntoIterator<Item = &'a str>,
        root: &Path,
        changes: &FileChanges,
    ) {
        let names: BTreeSet<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
        for gone in self.known.extract_if(.., |group| !names.contains(group.name.as_str())) {
            gone.number.iter().for_each(|number| changes.remove(*number));
        }
        for name in names {
            if self.known.iter().any(|group| group.name == name) {
                continue;
            }
            let file = file_of(root, name);
            let events = read(&file).unwrap_or_default();
            let number = changes.add_file(&file).ok();
            let name = name.to_owned();
            self.known.push(Group { name, number, events, killed: None, limited: None });
        }
    }

    /// Whether a number is that of a watched file.
    pub fn has(&self, number: i32) -> bool {
        self.known.iter().any(|group| group.number == Some(number))
    }

    /// Whether the counters of a group are known.
    pub fn knows(&self, name: &str) -> bool {
        self.known.iter().any(|group| group.name == name && group.number.is_some())
    }

    /// Reads the counters again; whether some group came near its limit since.
    pub fn update(&mut self, root: &Path, now: Duration) -> bool {
        let mut is_near = false;
        for group in &mut self.known {
            let Some(events) = read(&file_of(root, &group.name)) else { continue };
            if events.has_killed_since(group.events) {
                group.killed = Some(now);
            }
            if events.was_limited_since(group.events) {
                group.limited = Some(now);
            }
            is_near |= events.near > group.events.near;
            group.events = events;
        }
        is_near
    }

    /// What the out-of-memory killer was short of, if it killed something in a group just now. `shared` is the group
    /// of the tmux server, whose limit is no pane's, and `slice` the user's.
    pub fn reason(&self, group: &str, shared: &str, slice: &str, now: Duration) -> OutOfMemory {
        let is_recent =
            |time: Option<Duration>| time.is_some_and(|time| now.saturating_sub(time) <= RECENT);
        let find = |name: &str| self.known.iter().find(|group| group.name == name);
        let (own, user) = (find(group), find(slice));
        if !own.is_some_and(|own| is_recent(own.killed)) {
            return OutOfMemory::None;
        }
        if own.is_some_and(|own| is_recent(own.limited)) {
            return if group == shared { OutOfMemory::Slice } else { OutOfMemory::Pane };
        }
        if user.is_some_and(|user| is_recent(user.limited)) {
            return OutOfMemory::Slice;
        }
        OutOfMemory::Host
    }
}

fn file_of(root: &Path, name: &str) -> PathBuf {
    root.join(name).join("memory.events")
}

fn read(file: &Path) -> Option<MemoryEvents> {
    MemoryEvents::parse(&std::fs::read_to_string(file).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        root: tempfile::TempDir,
        changes: FileChanges,
        groups: Groups,
    }

    const NOW: Duration = Duration::from_secs(100);

    impl World {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let (changes, groups) = (FileChanges::new().unwrap(), Groups::default());
            let mut world = Self { root, changes, groups };
            for name in ["u", "u/pane", "u/server"] {
                std::fs::create_dir_all(world.root.path().join(name)).unwrap();
                world.write(name, 0, 0);
            }
            let root = world.root.path().to_owned();
            world.groups.follow(["u", "u/pane", "u/server", ""], &root, &world.changes);
            world
        }

        fn write(&self, name: &str, limited: u64, killed: u64) {
            let text = format!("low 0\nhigh 0\nmax 0\noom {limited}\noom_kill {killed}\n");
            std::fs::write(self.root.path().join(name).join("memory.events"), text).unwrap();
        }

        fn reason(&mut self, group: &str) -> OutOfMemory {
            let root = self.root.path().to_owned();
            assert!(!self.groups.update(&root, NOW));
            self.groups.reason(group, "u/server", "u", NOW)
        }
    }

    #[test]
    fn the_group_whose_limit_could_not_be_kept_is_the_reason() {
        let mut world = World::new();
        assert_eq!(world.reason("u/pane"), OutOfMemory::None);
        world.write("u", 0, 1);
        assert_eq!(world.reason("u/pane"), OutOfMemory::None, "killed in another group");
        world.write("u/pane", 0, 1);
        assert_eq!(world.reason("u/pane"), OutOfMemory::Host);
        world.write("u", 1, 2);
        assert_eq!(world.reason("u/pane"), OutOfMemory::Slice);
        world.write("u/pane", 1, 2);
        assert_eq!(world.reason("u/pane"), OutOfMemory::Pane);
        world.write("u/server", 1, 1);
        assert_eq!(world.reason("u/server"), OutOfMemory::Slice, "the limit of all panes");
        let later = NOW + RECENT + Duration::from_secs(1);
        assert_eq!(world.groups.reason("u/pane", "u/server", "u", later), OutOfMemory::None);
    }

    #[test]
    fn a_change_is_noticed_and_a_group_that_is_gone_is_not() {
        let mut world = World::new();
        world.write("u/pane", 0, 1);
        let changed = world.changes.read();
        assert!(!changed.is_empty() && changed.iter().all(|change| world.groups.has(change.of)));
        let root = world.root.path().to_owned();
        world.groups.follow(["u"], &root, &world.changes);
        world.changes.read();
        world.write("u/pane", 0, 2);
        assert_eq!(world.changes.read(), []);
    }
}
