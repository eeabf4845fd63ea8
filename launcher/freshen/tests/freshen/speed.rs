//! What freshening costs when there is nothing to do.

use crate::support::{Kind, Server, World};
use freshen::Options;
use std::time::{Duration, Instant};

const CLONES: usize = 8;

/// The best of some tries: the cost itself, without what else the machine was at.
fn best(mut work: impl FnMut()) -> Duration {
    let tries = (0..5).map(|_| {
        let begin = Instant::now();
        work();
        begin.elapsed()
    });
    tries.min().unwrap()
}

fn world_with_clones(server: impl FnOnce(&World) -> String) -> World {
    let world = World::new();
    let url = server(&world);
    for number in 0..CLONES {
        let clone = world.clone_as(&format!("c{number}"));
        world.git(&clone, &["remote", "set-url", "origin", &url]);
    }
    world
}

/// The network's share is 300 ms, as with a remote that has to let one in; the fetches' own work
/// (8 times some 15 ms) shares the processors.
#[test]
fn eight_clones_cost_little_more_than_the_slowest_fetch() {
    let mut servers = Vec::new();
    let world = world_with_clones(|world| {
        let server = Server::start(Kind::Daemon(Duration::from_millis(300)), world.root());
        let url = server.url("origin.git");
        servers.push(server);
        url
    });
    let single = best(|| {
        world.git(&world.code().join("c0"), &["fetch", "-q"]);
    });
    let all = best(|| assert_eq!(world.freshen(), [""; 0]));
    println!("one git fetch {single:?}, {CLONES} clones freshened {all:?}");
    assert!(all < single.mul_f64(1.3) + Duration::from_millis(5), "{all:?} against {single:?}");
}

#[test]
fn clones_fetched_a_moment_ago_cost_no_process() {
    let mut world = world_with_clones(World::url);
    assert_eq!(world.freshen(), [""; 0]);
    let calls = world.count_git();
    let options = Options { fresh_for: Duration::from_mins(1), ..world.options() };
    let took = best(|| assert!(world.outcomes(&options).iter().all(|o| o.line().is_none())));
    println!("{CLONES} clones fetched a moment ago: {took:?}");
    assert!(!calls.exists());
    assert!(took < Duration::from_millis(50), "{took:?}");
}
