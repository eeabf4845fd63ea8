//! Many clones, and many launchers.

use crate::support::world::lines;
use crate::support::{Kind, Server, World};
use freshen::{Options, RefusedToRoot, freshen};
use std::time::{Duration, Instant};

#[test]
fn thirty_clones_are_freshened() {
    let world = World::new();
    for number in 0..30 {
        world.clone_as(&format!("c{number:02}"));
    }
    world.publish("file", "2");
    let expected: Vec<String> = (0..30).map(|number| format!("c{number:02}: 1 commit")).collect();
    assert_eq!(world.freshen(), expected);
    assert_eq!(world.freshen(), [""; 0]);
}

#[test]
fn eight_silent_remotes_cost_one_deadline() {
    let world = World::new();
    let server = Server::start(Kind::Silent, world.root());
    for number in 0..8 {
        let clone = world.clone_as(&format!("c{number}"));
        world.git(&clone, &["remote", "set-url", "origin", &server.url("origin.git")]);
    }
    let begin = Instant::now();
    let outcomes = world.outcomes(&Options { deadline: Duration::from_secs(1), ..world.options() });
    assert!((1.0..1.5).contains(&begin.elapsed().as_secs_f64()), "{:?}", begin.elapsed());
    let expected: Vec<String> =
        (0..8).map(|number| format!("c{number}: remote did not answer in 1 s")).collect();
    assert_eq!(lines(&outcomes), expected);
    world.assert_nothing_runs();
}

#[test]
fn silent_remotes_do_not_keep_the_others_waiting() {
    let world = World::new();
    let server = Server::start(Kind::Silent, world.root());
    for number in 0..6 {
        let clone = world.clone_as(&format!("a{number}"));
        world.git(&clone, &["remote", "set-url", "origin", &server.url("origin.git")]);
    }
    world.clone_as("last");
    world.publish("file", "2");
    let options = Options { deadline: Duration::from_secs(3), at_once: 2, ..world.options() };
    let said = lines(&world.outcomes(&options));
    assert_eq!(said[6], "last: 1 commit", "{said:?}");
}

#[test]
fn fetched_a_moment_ago_is_not_fetched_again() {
    let world = World::new();
    let server = Server::start(Kind::Daemon(Duration::ZERO), world.root());
    let clone = world.clone_as("tripit");
    world.git(&clone, &["remote", "set-url", "origin", &server.url("origin.git")]);
    let options = Options { fresh_for: Duration::from_mins(1), ..world.options() };
    world.publish("file", "2");
    assert_eq!(lines(&world.outcomes(&options)), ["tripit: 1 commit"]);
    world.publish("file", "3");
    assert_eq!(lines(&world.outcomes(&options)), [""; 0]);
    assert_eq!(server.accepted(), 1);
    // A minute later.
    let stamp = std::fs::File::open(clone.join(".git/FETCH_HEAD")).unwrap();
    stamp.set_modified(std::time::SystemTime::now() - Duration::from_secs(61)).unwrap();
    assert_eq!(lines(&world.outcomes(&options)), ["tripit: 1 commit"]);
    // A clock that was set back.
    world.publish("file", "4");
    stamp.set_modified(std::time::SystemTime::now() + Duration::from_secs(61)).unwrap();
    assert_eq!(lines(&world.outcomes(&options)), ["tripit: 1 commit"]);
}

#[test]
fn failed_fetch_does_not_count_as_one() {
    let world = World::new();
    let clone = world.clone_as("tripit");
    let options = Options { fresh_for: Duration::from_mins(1), ..world.options() };
    world.git(&clone, &["remote", "set-url", "origin", "http://127.0.0.1:1/x.git"]);
    assert_eq!(lines(&world.outcomes(&options)), ["tripit: remote cannot be reached"]);
    world.git(&clone, &["remote", "set-url", "origin", &world.url()]);
    world.publish("file", "2");
    assert_eq!(lines(&world.outcomes(&options)), ["tripit: 1 commit"]);
}

#[test]
fn ten_launchers_at_once_fetch_once() {
    let world = World::new();
    let server = Server::start(Kind::Daemon(Duration::from_millis(200)), world.root());
    let clone = world.clone_as("tripit");
    world.git(&clone, &["remote", "set-url", "origin", &server.url("origin.git")]);
    world.publish("file", "2");
    let options = Options { fresh_for: Duration::from_mins(1), ..world.options() };
    let said: Vec<String> = std::thread::scope(|scope| {
        let launchers: Vec<_> =
            (0..10).map(|_| scope.spawn(|| lines(&world.outcomes(&options)))).collect();
        launchers.into_iter().flat_map(|launcher| launcher.join().unwrap()).collect()
    });
    assert_eq!(said, ["tripit: 1 commit"]);
    assert_eq!(server.accepted(), 1);
    world.assert_current(&clone);
}

#[test]
fn launcher_waits_for_another_no_longer_than_its_deadline() {
    let world = World::new();
    let server = Server::start(Kind::Silent, world.root());
    let clone = world.clone_as("tripit");
    world.git(&clone, &["remote", "set-url", "origin", &server.url("origin.git")]);
    std::thread::scope(|scope| {
        let first = Options { deadline: Duration::from_secs(3), ..world.options() };
        let first = scope.spawn(move || lines(&world_outcomes(&clone, &first)));
        crate::support::wait_until("the first launcher fetches", || server.accepted() == 1);
        let begin = Instant::now();
        let options = Options { deadline: Duration::from_millis(500), ..world.options() };
        let said = lines(&world.outcomes(&options));
        assert_eq!(said, ["tripit: another fetch is under way"]);
        assert!(begin.elapsed() < Duration::from_secs(1));
        assert_eq!(first.join().unwrap(), ["tripit: remote did not answer in 3 s"]);
    });
}

fn world_outcomes(clone: &std::path::Path, options: &Options<'_>) -> Vec<freshen::Outcome> {
    freshen(&[clone.to_owned()], options).unwrap()
}

#[test]
fn root_is_refused() {
    if !nix::unistd::geteuid().is_root() {
        return crate::support::lacks("root_is_refused", "root, to be refused");
    }
    let world = World::new();
    let clone = world.clone_as("tripit");
    let options = Options { even_as_root: false, ..world.options() };
    assert_eq!(freshen(&[clone], &options), Err(RefusedToRoot));
}
