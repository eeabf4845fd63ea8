//! Being interrupted, and running out of time.

use crate::support::world::lines;
use crate::support::{Bytes, Kind, Server, World, locks, wait_until};
use freshen::{Branch, FetchFailure, Options, Outcome};
use std::io::Write;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Freshens, and goes on as soon as `moment` has come; the outcomes, and how long that took.
fn interrupt(world: &World, moment: impl FnMut() -> bool) -> (Vec<Outcome>, Duration) {
    let (cancel, mut keyboard) = std::io::pipe().unwrap();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            let options = Options { cancel: Some(cancel.as_fd()), ..world.options() };
            world.outcomes(&options)
        });
        wait_until("the moment to interrupt", moment);
        let begin = Instant::now();
        keyboard.write_all(b"!").unwrap();
        (running.join().unwrap(), begin.elapsed())
    })
}

/// The signals that a process has blocked.
fn blocked_signals(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:\t")).unwrap();
    u64::from_str_radix(mask, 16).unwrap()
}

#[test]
fn interrupted_goes_on_at_once() {
    // As in a launcher that takes its signals from a descriptor; git must get its own.
    nix::sys::signal::SigSet::all().thread_block().unwrap();
    let world = World::new();
    let server = Server::start(Kind::Silent, world.root());
    for number in 0..12 {
        let clone = world.clone_as(&format!("c{number}"));
        world.git(&clone, &["remote", "set-url", "origin", &server.url("origin.git")]);
    }
    let clone = world.code().join("c0");
    let before = Bytes::of(&clone);
    let mut blocked = Vec::new();
    let (outcomes, took) = interrupt(&world, || {
        let all_wait = server.accepted() >= 8;
        if all_wait {
            blocked = world.running().into_iter().map(blocked_signals).collect();
        }
        all_wait
    });
    assert!(blocked.len() >= 8 && blocked.iter().all(|mask| *mask == 0), "{blocked:x?}");
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert!(outcomes.iter().all(|outcome| outcome.failure == Some(FetchFailure::Interrupted)));
    assert_eq!(lines(&outcomes), [""; 0]);
    world.assert_nothing_runs();
    before.assert_same(&Bytes::of(&clone));
}

#[test]
fn interrupted_before_it_begins_starts_nothing() {
    let mut world = World::new();
    world.clone_as("tripit");
    let calls = world.count_git();
    let (cancel, mut keyboard) = std::io::pipe().unwrap();
    keyboard.write_all(b"!").unwrap();
    let outcomes = world.outcomes(&Options { cancel: Some(cancel.as_fd()), ..world.options() });
    assert_eq!(outcomes[0].failure, Some(FetchFailure::Interrupted));
    assert!(!calls.exists());
}

#[test]
fn remote_that_stalls_half_way_leaves_no_lock() {
    let world = World::new();
    let mut noise = 1_u32;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        for (left, by) in [(true, 13), (false, 17), (true, 5)] {
            noise ^= if left { noise << by } else { noise >> by };
        }
        noise.to_le_bytes()[1]
    })
    .take(2_000_000)
    .collect();
    for (stop, bytes) in [2_000, 300_000].into_iter().zip(bytes.chunks(1_000_000)) {
        let server = Server::start(Kind::Stalling(stop), world.root());
        let clone = world.clone_as(&format!("infra{stop}"));
        std::fs::write(world.author().join("big"), bytes).unwrap();
        world.git(&world.author(), &["add", "big"]);
        world.publish("file", &stop.to_string());
        world.git(&clone, &["remote", "set-url", "origin", &server.url("origin.git")]);
        let before = Bytes::of(&clone);
        let deadline = Duration::from_secs(1);
        let outcomes = freshen::freshen(
            std::slice::from_ref(&clone),
            &Options { deadline, ..world.options() },
        );
        let said = outcomes.unwrap()[0].line().unwrap();
        assert!(said.ends_with("remote did not answer in 1 s"), "{said}");
        before.assert_same(&Bytes::of(&clone));
        assert_eq!(locks(&clone), [""; 0].map(std::path::PathBuf::from));
        world.assert_nothing_runs();
        world.git(&clone, &["remote", "set-url", "origin", &world.url()]);
        world.git(&clone, &["pull", "-q", "--ff-only"]);
        world.assert_current(&clone);
    }
}

#[test]
fn helper_that_ignores_requests_to_end_is_killed() {
    let world = World::new();
    let clone = world.clone_as("infra");
    let started = world.root().join("started");
    let helper = world.script(
        "stubborn",
        &format!("trap '' TERM INT HUP\ntouch {}\nwhile :; do sleep 1; done", started.display()),
    );
    world.git(&clone, &["config", "remote.origin.uploadpack", helper.to_str().unwrap()]);
    let (outcomes, took) = interrupt(&world, || started.exists());
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(outcomes[0].failure, Some(FetchFailure::Interrupted));
    world.assert_nothing_runs();
}

#[test]
fn helper_that_tidies_up_is_given_time() {
    let world = World::new();
    let clone = world.clone_as("infra");
    let lock = world.root().join("lock");
    let helper = world.script(
        "tidy",
        &format!(
            "trap 'sleep 0.05; rm {0}; exit' TERM\ntouch {0}\nwhile :; do sleep 0.01; done",
            lock.display()
        ),
    );
    world.git(&clone, &["config", "remote.origin.uploadpack", helper.to_str().unwrap()]);
    let (outcomes, _) = interrupt(&world, || lock.exists());
    assert_eq!(outcomes[0].failure, Some(FetchFailure::Interrupted));
    world.assert_nothing_runs();
    assert!(!lock.exists());
}

#[test]
fn update_that_has_begun_is_finished() {
    let world = World::new();
    let clone = world.clone_as("slow");
    let (begun, go) = (world.root().join("begun"), world.root().join("go"));
    let filter = format!(
        "touch {}; while ! test -e {}; do sleep 0.01; done; echo said >&2; cat",
        begun.display(),
        go.display()
    );
    let filter = world.script("filter", &filter);
    world.git(&clone, &["config", "filter.slow.smudge", filter.to_str().unwrap()]);
    world.commit(&world.author(), ".gitattributes", "*.slow filter=slow");
    world.commit(&world.author(), "a.slow", "1");
    world.publish("b.slow", "2");
    let (outcomes, took) = interrupt(&world, || begun.exists());
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert_eq!(outcomes[0].branch, Branch::Unfinished);
    assert_eq!(lines(&outcomes), ["slow: still being updated"]);
    std::fs::write(&go, "").unwrap();
    wait_until("the update ends by itself", || world.running().is_empty());
    world.assert_current(&clone);
    assert_eq!(locks(&clone), [""; 0].map(std::path::PathBuf::from));
}

#[test]
fn flood_of_words_is_bounded_by_the_deadline() {
    let world = World::new();
    let clone = world.clone_as("infra");
    let helper = world.script("flood", "yes 'remote: more and more' >&2");
    world.git(&clone, &["config", "remote.origin.uploadpack", helper.to_str().unwrap()]);
    let begin = Instant::now();
    let deadline = Duration::from_secs(1);
    let outcomes = world.outcomes(&Options { deadline, ..world.options() });
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    assert_eq!(lines(&outcomes), ["infra: remote did not answer in 1 s"]);
    world.assert_nothing_runs();
}

#[test]
fn launcher_that_is_killed_takes_git_along() {
    const CLONE: &str = "TL_FRESHEN_CLONE";
    if let Some(clone) = std::env::var_os(CLONE) {
        // This is the launcher.
        let options = Options { even_as_root: true, ..Options::default() };
        let _ = freshen::freshen(&[clone.into()], &options);
        return;
    }
    let world = World::new();
    let server = Server::start(Kind::Silent, world.root());
    let clone = world.clone_as("infra");
    world.git(&clone, &["remote", "set-url", "origin", &server.url("origin.git")]);
    let mut launcher = std::process::Command::new(std::env::current_exe().unwrap());
    launcher.args(["--exact", "stopping::launcher_that_is_killed_takes_git_along"]);
    launcher.env(CLONE, &clone).envs(world.environment.iter().map(|(name, value)| (name, value)));
    let mut launcher = launcher.stdout(std::process::Stdio::null()).spawn().unwrap();
    wait_until("it fetches", || server.accepted() == 1);
    launcher.kill().unwrap();
    launcher.wait().unwrap();
    wait_until("git is gone too", || world.running().is_empty());
    assert_eq!(locks(&clone), [""; 0].map(std::path::PathBuf::from));
}
