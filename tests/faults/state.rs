//! State directories: prepared, copied, and looked at after a fault.

use super::points::persist;
use crate::support::sandbox::user;
use crate::support::{Sandbox, wait_until};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Names that only an unfinished write has.
const TEMPORARY: &str = ".new-";

/// A state directory.
#[derive(Debug, Clone)]
pub(crate) struct State(pub(crate) PathBuf);

impl State {
    /// A copy of this one, under `name` beside the sandbox's own, in place of an older copy.
    pub(crate) fn copy(&self, sandbox: &Sandbox, name: &str) -> Self {
        let copy = sandbox.root().join(name);
        let _ = std::fs::remove_dir_all(&copy);
        if self.0.exists() {
            copy_tree(&self.0, &copy);
        }
        Self(copy)
    }

    /// The user's own directory in it.
    pub(crate) fn own(&self) -> PathBuf {
        self.0.join(user())
    }

    pub(crate) fn snapshots(&self) -> PathBuf {
        self.own().join("snapshots")
    }

    /// The complete files of the series by name, oldest first. Panics on anything in the whole
    /// state directory that is neither ours nor a temporary.
    #[track_caller]
    pub(crate) fn series(&self) -> BTreeMap<String, Vec<u8>> {
        for name in names(&self.0) {
            assert!(name == user() || name == format!("{}.tsv", user()) || is_new(&name), "{name}");
        }
        for name in names(&self.own()) {
            let own = [
                "activity.tsv",
                "conversations.tsv",
                "forgotten.tsv",
                "latest",
                "lock",
                "endings.lock",
                "snapshots",
            ];
            let own = own.contains(&name.as_str());
            assert!(own || is_new(&name), "{name}");
        }
        let other = |name: &String| is_new(name) || name.ends_with(".scrollback");
        let names = names(&self.snapshots()).into_iter().filter(|name| !other(name));
        names
            .map(|name| {
                assert!(name.ends_with("Z.tsv") || name.contains("Z-"), "{name}");
                let bytes = std::fs::read(self.snapshots().join(&name)).unwrap();
                (name, bytes)
            })
            .collect()
    }

    /// Left-overs of unfinished writes.
    pub(crate) fn temporaries(&self) -> Vec<String> {
        let all = [self.0.clone(), self.own(), self.snapshots()];
        all.iter().flat_map(|dir| names(dir)).filter(|name| is_new(name)).collect()
    }

    /// What the documented link leads to, if it leads anywhere.
    pub(crate) fn linked(&self) -> Option<Vec<u8>> {
        std::fs::read(self.0.join(format!("{}.tsv", user()))).ok()
    }

    /// The id that `show` and `list` agree to be the newest sound snapshot; both succeed and call
    /// no file damaged.
    #[track_caller]
    pub(crate) fn newest(&self, sandbox: &Sandbox) -> Option<String> {
        let shown = persist(sandbox, &["show", "--json"], &self.0).ok().json();
        let list = persist(sandbox, &["list", "--json"], &self.0).ok().json();
        let listed = list["snapshots"].as_array().unwrap();
        assert!(listed.iter().all(|snapshot| snapshot["sound"] == true), "{list}");
        let newest: Vec<_> = listed.iter().filter(|s| s["newest"] == true).collect();
        assert_eq!(newest.len(), usize::from(!listed.is_empty()), "{list}");
        let newest = newest.first().map_or(Value::Null, |snapshot| snapshot["id"].clone());
        assert_eq!(newest, listed.first().map_or(Value::Null, |first| first["id"].clone()));
        assert_eq!(shown["snapshot"], newest, "{shown}");
        newest.as_str().map(str::to_owned)
    }
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for name in names(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        let kind = from.symlink_metadata().unwrap().file_type();
        if kind.is_dir() {
            copy_tree(&from, &to);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(from.read_link().unwrap(), to).unwrap();
        } else {
            std::fs::copy(from, to).unwrap();
        }
    }
}

fn is_new(name: &str) -> bool {
    name.starts_with(TEMPORARY)
}

fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A world with a live server of two sessions: a state directory that knows the first of them,
/// and the snapshot of both.
pub(crate) struct Prepared {
    pub(crate) sandbox: Sandbox,
    pub(crate) old: State,
    pub(crate) new_bytes: Vec<u8>,
}

pub(crate) fn prepared() -> Prepared {
    let sandbox = Sandbox::new();
    let session = |name: &str| {
        sandbox.tmux(["new-session", "-d", "-s", name, "--", "sleep", "100000"]).ok();
        // Until it is executed its arguments are tmux's own.
        let runs = || sandbox.panes("#{pane_current_command}").iter().all(|name| name == "sleep");
        wait_until("the program runs", runs);
    };
    session("one");
    let old = State(sandbox.state());
    persist(&sandbox, &["save"], &old.0).ok();
    session("two");
    let new = old.copy(&sandbox, "new");
    persist(&sandbox, &["save"], &new.0).ok();
    let new_bytes = new.linked().unwrap();
    assert_ne!(old.linked().as_ref(), Some(&new_bytes));
    Prepared { sandbox, old, new_bytes }
}
