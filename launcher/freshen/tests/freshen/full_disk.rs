//! Clones on a disk without space: a small file system in a mount namespace of this thread's.

use crate::support::{World, lacks};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::path::{Path, PathBuf};

/// Runs `test` with a directory on a full-sized, small file system; in a thread, since the
/// namespace is the thread's.
fn on_small_disk(name: &str, megabytes: u32, test: impl FnOnce(&Path) + Send) {
    let place = tempfile::Builder::new().prefix("tl-d-").tempdir_in("/tmp").unwrap();
    let place = place.path();
    let size = format!("size={megabytes}m");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let none: Option<&str> = None;
            let mounted = unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_FS)
                .and_then(|()| mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none))
                .and_then(|()| {
                    mount(Some("tmpfs"), place, Some("tmpfs"), MsFlags::empty(), Some(&*size))
                });
            match mounted {
                Ok(()) => test(place),
                Err(error) => lacks(name, &format!("a mount namespace: {error}")),
            }
        });
    });
}

/// Fills the disk but for so many bytes.
fn fill(place: &Path, left: u64) -> PathBuf {
    let free = nix::sys::statvfs::statvfs(place).unwrap();
    let free = free.blocks_available() * free.fragment_size();
    let file = place.join("fill");
    std::fs::write(&file, vec![1; usize::try_from(free - left).unwrap()]).unwrap();
    file
}

#[test]
fn full_disk_is_reported() {
    on_small_disk("full_disk_is_reported", 16, |place| {
        let world = World::new();
        let clone = place.join("infra");
        world.git(place, &["clone", "-q", &world.url(), "infra"]);
        let noise: String =
            (0..60_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_string()).collect();
        world.publish("big", &noise);
        let fill = fill(place, 0);
        let before = crate::support::Bytes::of(&clone);
        let outcomes = freshen::freshen(std::slice::from_ref(&clone), &world.options()).unwrap();
        before.assert_same(&crate::support::Bytes::of(&clone));
        assert_eq!(outcomes[0].line().unwrap(), "infra: disk is full");
        assert_eq!(crate::support::locks(&clone), Vec::<PathBuf>::new());
        std::fs::remove_file(fill).unwrap();
        world.git(&clone, &["pull", "-q", "--ff-only"]);
        world.assert_current(&clone);
    });
}

#[test]
fn nearly_full_disk_is_left_alone() {
    on_small_disk("nearly_full_disk_is_left_alone", 64, |place| {
        let world = World::new();
        let clone = place.join("infra");
        world.git(place, &["clone", "-q", &world.url(), "infra"]);
        world.publish("file", "2");
        let fill = fill(place, 8 << 20);
        let before = crate::support::Bytes::of(&clone);
        let freshen = || {
            let clones = std::slice::from_ref(&clone);
            freshen::freshen(clones, &world.options()).unwrap()[0].line().unwrap()
        };
        assert_eq!(freshen(), "infra: disk is nearly full, left alone");
        before.assert_same(&crate::support::Bytes::of(&clone));
        std::fs::remove_file(fill).unwrap();
        assert_eq!(freshen(), "infra: 1 commit");
    });
}
