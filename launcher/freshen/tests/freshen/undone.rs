//! Updates that git cannot finish: every byte stays, or comes back.

use crate::support::{Bytes, World, locks, wait_until};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A clone, and an update of each kind of change that waits for it.
fn with_update(world: &World) -> PathBuf {
    for file in ["a.txt", "b.txt", "dir/gone", "m.bin", "z.txt"] {
        world.commit(&world.author(), file, "old");
    }
    world.git(&world.author(), &["push", "-q", "origin", "HEAD"]);
    let clone = world.clone_as("infra");
    for file in ["a.txt", "b.txt", "m.bin", "z.txt", "new/deep/c.txt"] {
        world.commit(&world.author(), file, "new");
    }
    world.git(&world.author(), &["rm", "-q", "dir/gone"]);
    std::os::unix::fs::symlink("a.txt", world.author().join("link")).unwrap();
    world.git(&world.author(), &["add", "link"]);
    world.publish("d.txt", "new");
    clone
}

/// Has a required filter for `*.bin` in a clone.
fn filter(world: &World, clone: &Path, smudge: &str) {
    let program = world.script("smudger", smudge);
    world.git(clone, &["config", "filter.s.smudge", program.to_str().unwrap()]);
    world.git(clone, &["config", "filter.s.clean", "cat"]);
    world.git(clone, &["config", "filter.s.required", "true"]);
    std::fs::create_dir_all(clone.join(".git/info")).unwrap();
    std::fs::write(clone.join(".git/info/attributes"), "*.bin filter=s\n").unwrap();
}

/// Nothing of an update is left, and once its cause is gone it is done.
#[track_caller]
fn comes_through(world: &World, clone: &Path) {
    assert_eq!(locks(clone), Vec::<PathBuf>::new());
    assert!(!clone.join(".git/freshen-undo").exists());
    let said = world.freshen();
    assert!(said.len() == 1 && said[0].ends_with("commits"), "{said:?}");
    world.assert_current(clone);
    assert!(!clone.join(".git/freshen-undo").exists());
}

#[test]
fn filter_that_fails_is_left_alone() {
    let world = World::new();
    let clone = with_update(&world);
    filter(&world, &clone, "exit 1");
    let before = Bytes::of(&clone);
    let said = world.freshen();
    before.assert_same(&Bytes::of(&clone));
    assert!(said[0].contains("smudger") && said[0].ends_with("left alone"), "{said:?}");
    filter(&world, &clone, "exec cat");
    comes_through(&world, &clone);
}

#[test]
fn filter_that_fails_after_the_deadline_is_undone() {
    let world = World::new();
    let clone = with_update(&world);
    let go = world.root().join("go");
    filter(
        &world,
        &clone,
        &format!("while ! test -e {}; do sleep 0.02; done; exit 1", go.display()),
    );
    let before = Bytes::of(&clone);
    let options = freshen::Options { deadline: Duration::from_secs(2), ..world.options() };
    assert_eq!(world.outcomes(&options)[0].line().unwrap(), "infra: still being updated");
    std::fs::write(&go, "").unwrap();
    freshen::wait_for_updates();
    wait_until("it is undone", || !clone.join(".git/freshen-undo").exists());
    before.assert_same(&Bytes::of(&clone));
    filter(&world, &clone, "exec cat");
    comes_through(&world, &clone);
}

#[test]
fn log_that_cannot_be_written_is_left_alone() {
    for log in ["logs/HEAD", "logs/refs/heads/main"] {
        let world = World::new();
        let clone = with_update(&world);
        let log = clone.join(".git").join(log);
        let text = std::fs::read(&log).unwrap();
        std::fs::remove_file(&log).unwrap();
        std::fs::create_dir(&log).unwrap();
        std::fs::write(log.join("x"), "").unwrap();
        let says = format!("infra: git cannot write {}, left alone", log.display());
        world.leaves_alone(&clone, &[&says]);
        std::fs::remove_dir_all(&log).unwrap();
        std::fs::write(&log, text).unwrap();
        comes_through(&world, &clone);
    }
}

#[test]
fn ref_that_cannot_be_written_is_undone() {
    let world = World::new();
    let clone = with_update(&world);
    // What shows only when git writes the ref: its file is a directory that is not empty.
    let stopper =
        "#!/bin/sh\ncase \"$*\" in *merge*) mkdir -p .git/refs/heads/main.lock/x;; esac\n";
    let real = std::process::Command::new("sh").args(["-c", "command -v git"]).output().unwrap();
    let real = String::from_utf8(real.stdout).unwrap();
    let bin = world.root().join("home/stopper");
    std::fs::create_dir(&bin).unwrap();
    std::fs::write(bin.join("git"), format!("{stopper}exec {} \"$@\"\n", real.trim())).unwrap();
    std::fs::set_permissions(bin.join("git"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let before = Bytes::of(&clone);
    let mut options = world.options();
    let path = format!("{}:{}", bin.display(), crate::support::world::path());
    options.environment.push(("PATH".into(), path.into()));
    let said = world.outcomes(&options)[0].line().unwrap();
    assert!(said.ends_with("left alone"), "{said}");
    std::fs::remove_dir_all(clone.join(".git/refs/heads/main.lock")).unwrap();
    before.assert_same(&Bytes::of(&clone));
    comes_through(&world, &clone);
}

#[test]
fn name_that_the_file_system_refuses_is_left_alone() {
    let world = World::new();
    let clone = with_update(&world);
    // Too long for a file, but not for git.
    let id = world.git(&world.author(), &["rev-parse", "HEAD:a.txt"]);
    let name = format!("x/{}", "n".repeat(300));
    let info = format!("100644,{id},{name}");
    world.git(&world.author(), &["update-index", "--add", "--cacheinfo", &info]);
    world.git(&world.author(), &["commit", "-q", "-m", "long"]);
    world.git(&world.author(), &["push", "-q", "origin", "HEAD"]);
    let before = Bytes::of(&clone);
    let said = world.freshen();
    before.assert_same(&Bytes::of(&clone));
    assert!(said[0].ends_with("left alone"), "{said:?}");
    assert!(!clone.join(".git/freshen-undo").exists());
    assert_eq!(locks(&clone), Vec::<PathBuf>::new());
}

#[test]
fn update_whose_git_is_killed_is_undone() {
    let world = World::new();
    let clone = with_update(&world);
    // The filter's parent is git, or a shell below it.
    filter(
        &world,
        &clone,
        "p=$PPID; while [ \"$(cat /proc/$p/comm)\" != git ]; do p=$(cut -d' ' -f4 /proc/$p/stat); done; kill -9 $p",
    );
    let before = Bytes::of(&clone);
    let said = world.freshen();
    before.assert_same(&Bytes::of(&clone));
    assert_eq!(said, ["infra: git: was killed, left alone"]);
    filter(&world, &clone, "exec cat");
    comes_through(&world, &clone);
}

/// Leaves a clone as a host that died in the middle of an update does.
fn die_half_way(world: &World, clone: &Path) {
    const CLONE: &str = "TL_FRESHEN_DIES";
    if let Some(clone) = std::env::var_os(CLONE) {
        let options = freshen::Options { even_as_root: true, ..freshen::Options::default() };
        let _ = freshen::freshen(&[clone.into()], &options);
        return;
    }
    let begun = world.root().join("begun");
    filter(world, clone, &format!("touch {}; sleep 1000", begun.display()));
    let mut launcher = std::process::Command::new(std::env::current_exe().unwrap());
    launcher
        .args(["--exact", "undone::update_that_died_with_the_host_is_undone_at_the_next_start"]);
    launcher.env(CLONE, clone).envs(world.environment.iter().map(|(name, value)| (name, value)));
    let mut launcher = launcher.stdout(std::process::Stdio::null()).spawn().unwrap();
    wait_until("it is half-way", || begun.exists());
    launcher.kill().unwrap();
    launcher.wait().unwrap();
    for pid in world.running() {
        let pid = nix::unistd::Pid::from_raw(pid);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
    }
    wait_until("all is dead", || world.running().is_empty());
    assert!(clone.join(".git/index.lock").exists());
    assert_eq!(std::fs::read_to_string(clone.join("a.txt")).unwrap(), "new");
    filter(world, clone, "exec cat");
}

#[test]
fn update_that_died_with_the_host_is_undone_at_the_next_start() {
    let world = World::new();
    if std::env::var_os("TL_FRESHEN_DIES").is_some() {
        return die_half_way(&world, Path::new(""));
    }
    let clone = with_update(&world);
    die_half_way(&world, &clone);
    let said = world.freshen();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].ends_with("commits"), "{said:?}");
    world.assert_current(&clone);
    assert_eq!(locks(&clone), Vec::<PathBuf>::new());
}

#[test]
fn half_an_update_with_changes_of_the_users_is_left_alone() {
    let world = World::new();
    let clone = with_update(&world);
    die_half_way(&world, &clone);
    std::fs::write(clone.join("b.txt"), "mine").unwrap();
    let later = SystemTime::now() + Duration::from_mins(5);
    std::fs::File::open(clone.join("b.txt")).unwrap().set_modified(later).unwrap();
    let says = "infra: an update was broken off half-way, and files were changed since, left alone";
    world.leaves_alone(&clone, &[says]);
    assert_eq!(std::fs::read_to_string(clone.join("b.txt")).unwrap(), "mine");
}

#[test]
fn orig_head_that_is_no_file_comes_back() {
    let world = World::new();
    world.publish("first", "2");
    let clone = world.code().join("infra");
    let made = world
        .git_command(
            &world.code(),
            &["clone", "-q", "--ref-format=reftable", &world.url(), "infra"],
        )
        .output()
        .unwrap();
    if !made.status.success() {
        return crate::support::lacks("orig_head_that_is_no_file_comes_back", "reftable");
    }
    world.git(&clone, &["update-ref", "ORIG_HEAD", "HEAD~1"]);
    let before = world.commit_of(&clone, "ORIG_HEAD");
    filter(&world, &clone, "exit 1");
    world.publish("m.bin", "new");
    let said = world.freshen();
    assert!(said[0].ends_with("left alone"), "{said:?}");
    assert_eq!(world.commit_of(&clone, "ORIG_HEAD"), before);
    assert_eq!(world.git(&clone, &["status", "--porcelain"]), "");
}

#[test]
fn untracked_file_outside_a_sparse_checkout_is_left_alone() {
    let world = World::new();
    world.publish("in/file", "1");
    world.publish("out3/other", "1");
    let clone = world.clone_as("infra");
    world.git(&clone, &["sparse-checkout", "set", "in"]);
    std::fs::create_dir_all(clone.join("out3")).unwrap();
    std::fs::write(clone.join("out3/q"), "mine").unwrap();
    world.publish("out3/q", "theirs");
    world.leaves_alone(&clone, &["infra: untracked files are in the way, left alone"]);
}

#[test]
fn old_lock_is_named() {
    let world = World::new();
    let clone = world.clone_as("infra");
    world.publish("file", "2");
    let lock = clone.join(".git/index.lock");
    std::fs::write(&lock, "").unwrap();
    let old = SystemTime::now() - Duration::from_hours(73);
    std::fs::File::open(&lock).unwrap().set_modified(old).unwrap();
    let hint = format!("hint: if no git runs there, rm -f {}", lock.display());
    world.leaves_alone(&clone, &[&format!("infra: index.lock is 3 days old, left alone; {hint}")]);
    std::fs::remove_file(&lock).unwrap();
    world.publish("file", "3");
    let lock = clone.join(".git/refs/remotes/origin/main.lock");
    std::fs::write(&lock, "").unwrap();
    std::fs::File::open(&lock).unwrap().set_modified(old).unwrap();
    // What was fetched before is taken.
    let said = world.freshen();
    let hint = format!("hint: if no git runs there, rm -f {}", lock.display());
    assert_eq!(said, [format!("infra: 1 commit; main.lock is 3 days old; {hint}")]);
}

#[test]
fn hooks_of_the_configuration_are_switched_off() {
    let mut world = World::new();
    let clone = world.clone_as("infra");
    world.git(&clone, &["config", "--global", "hook.deps=x.event", "post-merge"]);
    world.git(&clone, &["config", "--global", "hook.deps=x.command", "touch ran"]);
    world.publish("file", "2");
    let notes = world.root().join("home/variables");
    let path = crate::support::world::path();
    let text = format!(
        "echo \"$*: $GIT_CONFIG_KEY_0=$GIT_CONFIG_VALUE_0\" >>{}\nPATH={path} exec git \"$@\"",
        notes.display()
    );
    let bin = world.script("bin/git", &text).parent().unwrap().to_owned();
    world.environment.push(("PATH".into(), format!("{}:{path}", bin.display()).into()));
    assert_eq!(world.freshen(), ["infra: 1 commit"]);
    let notes = std::fs::read_to_string(notes).unwrap();
    for what in [" fetch ", " merge "] {
        let call = notes.lines().find(|line| line.contains(what)).unwrap();
        assert!(call.ends_with(": hook.deps=x.enabled=false"), "{call}");
    }
}

#[test]
fn dead_mount_in_the_code_directory_holds_nothing_up() {
    use nix::mount::{MsFlags, mount};
    use nix::sched::{CloneFlags, unshare};
    use std::os::fd::AsRawFd;
    let world = World::new();
    let clone = world.clone_as("tripit");
    world.publish("file", "2");
    let dead = world.code().join("net");
    std::fs::create_dir(&dead).unwrap();
    std::os::unix::fs::symlink("net/x", world.code().join("away")).unwrap();
    let none: Option<&str> = None;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let server = std::fs::File::options().read(true).write(true).open("/dev/fuse");
            let mounted = unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_FS)
                .and_then(|()| mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none))
                .map_err(std::io::Error::from)
                .and_then(|()| {
                    let server = server?;
                    let data =
                        format!("fd={},rootmode=40000,user_id=0,group_id=0", server.as_raw_fd());
                    mount(Some("dead"), &dead, Some("fuse"), MsFlags::empty(), Some(&*data))?;
                    Ok(server)
                });
            let _server = match mounted {
                Ok(server) => server, // which never answers
                Err(error) => {
                    let test = "dead_mount_in_the_code_directory_holds_nothing_up";
                    return crate::support::lacks(test, &format!("a dead mount: {error}"));
                }
            };
            let begin = std::time::Instant::now();
            let outcomes = freshen::update(&world.code(), &world.options()).unwrap();
            assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
            let expected =
                ["away", "net"].map(|name| format!("{name}: its directory does not answer"));
            let lines = crate::support::world::lines(&outcomes);
            assert_eq!(lines, [&expected[..], &["tripit: 1 commit".to_owned()]].concat());
            world.assert_current(&clone);
            // The code directory itself, and a clone that is named.
            let outcomes = freshen::update(&dead, &world.options()).unwrap();
            assert_eq!(crate::support::world::lines(&outcomes), [expected[1].clone()]);
            let outcomes = freshen::freshen(std::slice::from_ref(&dead), &world.options()).unwrap();
            assert_eq!(crate::support::world::lines(&outcomes), [expected[1].clone()]);
        });
    });
}

#[test]
fn update_of_eight_clones_costs_little_more_than_gits_own() {
    let world = World::new();
    for file in 0..200 {
        std::fs::write(world.author().join(format!("f{file}")), "1\n".repeat(50)).unwrap();
    }
    world.git(&world.author(), &["add", "."]);
    world.publish("file", "1");
    let clones: Vec<PathBuf> = (0..8).map(|n| world.clone_as(&format!("c{n}"))).collect();
    let (mut own, mut ours) = (Duration::MAX, Duration::MAX);
    for round in 0..8 {
        for file in 0..200 {
            let text = format!("{round}\n").repeat(50);
            std::fs::write(world.author().join(format!("f{file}")), text).unwrap();
        }
        world.git(&world.author(), &["add", "."]);
        world.publish("file", &format!("again {round}"));
        let begin = std::time::Instant::now();
        if round % 2 == 0 {
            let pulls: Vec<_> = clones
                .iter()
                .map(|clone| {
                    world.git_command(clone, &["pull", "-q", "--ff-only"]).spawn().unwrap()
                })
                .collect();
            for mut pull in pulls {
                assert!(pull.wait().unwrap().success());
            }
            own = own.min(begin.elapsed());
        } else {
            assert_eq!(world.freshen().len(), 8);
            ours = ours.min(begin.elapsed());
        }
    }
    println!("8 times git pull {own:?}, 8 clones updated {ours:?}");
    assert!(ours < own.mul_f64(1.2) + Duration::from_millis(20), "{ours:?} against {own:?}");
}
