//! Views that outlive their agent, however it ends: each key is typed once and in order, and the page's screen is
//! right again.

use super::client::{Client, Event};
use super::managed::Managed;
use crate::support::Sandbox;
use crate::support::random::Random;
use crate::support::wait::wait_until;
use std::time::{Duration, Instant};

const VIEW: &str = "00112233445566778899aabbccddeeff";
/// How often the agent is killed; `make soak` says it another time.
const KILLS: usize = 40;
/// A view is back within this time.
const BACK: Duration = Duration::from_secs(2);

fn with_session(program: &str) -> (Managed, String) {
    let sandbox = Sandbox::new();
    let home = sandbox.home();
    let words = ["new-session", "-d", "-s", "a", "-x", "100", "-y", "30", "-c"];
    sandbox.tmux(words.into_iter().chain([home.to_str().unwrap(), program])).ok();
    let managed = Managed::start(sandbox, &[]);
    let id = managed.birth_id("a");
    (managed, id)
}

/// A session whose program writes what is typed to a file, as it is.
fn with_recorder() -> (Managed, String) {
    let (managed, id) = with_session("stty raw -echo; echo ready; exec cat >typed");
    wait_until("the program runs", || managed.sandbox.home().join("typed").exists());
    (managed, id)
}

fn typed(managed: &Managed) -> String {
    std::fs::read_to_string(managed.sandbox.home().join("typed")).unwrap()
}

/// A page whose view it is, as soon as it has it: with how much of its input was taken, and whether it goes on.
fn come_back(managed: &Managed, id: &str, received: u64) -> (Client, u64, bool) {
    let begin = Instant::now();
    loop {
        let mut client = managed.page("/api/terminal");
        if let Some((taken, resumed)) = client.hello(VIEW, id, received, false) {
            return (client, taken, resumed);
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "the view is not back");
    }
}

#[test]
fn each_key_arrives_once_and_in_order_though_the_agent_is_killed_all_the_time() {
    let kills = std::env::var("TL_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let (managed, id) = with_recorder();
    let mut random = Random(20_261_130);
    let all = (0..kills * 60).fold(String::new(), |all, number| all + &format!("{number:05};"));
    let bytes = all.as_bytes();
    let (mut taken, mut received, mut slowest) = (0, 0, Duration::ZERO);
    for round in 0..=kills {
        let begin = Instant::now();
        let (mut client, now_taken, resumed) = come_back(&managed, &id, received);
        if round > 0 {
            slowest = slowest.max(begin.elapsed());
            assert!(resumed, "round {round}: the view is gone");
        }
        assert!(now_taken >= taken, "round {round}: what was taken stays taken");
        taken = now_taken;
        let mut at = usize::try_from(taken).unwrap();
        for _ in 0..random.below(30) {
            let end = (at + 1 + random.below(40)).min(bytes.len());
            if !client.type_in(&bytes[at..end]) {
                break;
            }
            at = end;
            if random.below(3) == 0 {
                match client.next(Duration::from_micros(200)) {
                    Event::Output(bytes) => received += bytes.len() as u64,
                    Event::Taken(bytes) => taken = bytes,
                    _ => {}
                }
            }
        }
        if round < kills {
            managed.kill();
        }
        let now = typed(&managed);
        assert!(
            all.starts_with(&now),
            "round {round}: {:?}",
            &now[now.len().saturating_sub(100)..]
        );
    }
    let (mut client, taken, _) = come_back(&managed, &id, received);
    for part in bytes[usize::try_from(taken).unwrap()..].chunks(8 << 10) {
        assert!(client.type_in(part));
    }
    wait_until("all was typed", || {
        client.next(Duration::from_millis(10));
        typed(&managed).len() >= all.len()
    });
    assert!(typed(&managed) == all, "each key once and in order");
    assert!(slowest <= BACK, "a view was back after {slowest:?}");
    assert_eq!(managed.events("started").len(), kills + 1);
    assert_eq!((managed.clients(), managed.stored()), (vec!["a".to_owned()], 2));
}

/// Reads until the page has a text, and gives all that it got.
fn until(client: &mut Client, text: &str) -> Vec<u8> {
    client.read_until(|seen| String::from_utf8_lossy(seen).contains(text))
}

#[test]
fn after_an_upgrade_the_page_has_the_whole_screen_again_with_the_modes_of_its_terminal() {
    let (managed, id) = with_session("sh");
    managed.sandbox.tmux(["set-option", "-g", "mouse", "on"]).ok();
    let (mut client, ..) = come_back(&managed, &id, 0);
    client.type_in(b"printf '\\033[?2004h'; echo first-$((1+1))\r");
    let received = until(&mut client, "first-2").len() as u64;
    let before = managed.pid();
    managed.restart();
    managed.wait_for_starts(2);
    assert_ne!(managed.pid(), before);
    let begin = Instant::now();
    let (mut client, _, resumed) = come_back(&managed, &id, received);
    assert!(resumed);
    let screen = String::from_utf8_lossy(&until(&mut client, "[a]")).into_owned();
    assert!(begin.elapsed() < BACK, "{:?}", begin.elapsed());
    for part in ["\x1b[?1049h", "\x1b[?1h\x1b=", "\x1b[?2004h", "\x1b[?1006h", "first-2"] {
        assert!(screen.contains(part), "{part:?} in {screen:?}");
    }
    // It goes on as if nothing had been: what it prints counts from where the page was.
    client.shown(received + screen.len() as u64);
    client.type_in(b"echo second-$((2+2))\r");
    let more = until(&mut client, "second-4").len() as u64;
    drop(client);
    let all = received + screen.len() as u64 + more;
    let (.., resumed) = come_back(&managed, &id, all);
    assert!(resumed, "the counts agree");
    assert_eq!((managed.clients(), managed.stored()), (vec!["a".to_owned()], 2));
}

#[test]
fn a_view_that_no_page_comes_back_to_ends_though_its_agent_was_killed_and_nothing_is_left_of_it() {
    let (managed, id) = with_session("sh");
    let (client, ..) = come_back(&managed, &id, 0);
    wait_until("its client is there", || managed.clients() == ["a"]);
    assert_eq!(managed.stored(), 2);
    managed.kill();
    drop(client);
    managed.wait_for_starts(2);
    assert_eq!(managed.clients(), ["a"], "it goes on");
    let begin = Instant::now();
    while managed.stored() > 0 || !managed.clients().is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(75), "it is still there");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(begin.elapsed() > Duration::from_secs(50), "it is kept for its minute");
}

#[test]
fn a_view_that_ends_while_no_agent_runs_is_not_kept_and_a_page_that_leaves_leaves_nothing() {
    let (managed, id) = with_session("sh");
    let (client, ..) = come_back(&managed, &id, 0);
    wait_until("its client is there", || managed.clients() == ["a"]);
    managed.kill();
    managed.sandbox.tmux(["detach-client", "-s", "a"]).ok();
    drop(client);
    managed.wait_for_starts(2);
    wait_until("what was kept is removed", || managed.stored() == 0);
    let (mut client, taken, resumed) = come_back(&managed, &id, 0);
    assert_eq!((taken, resumed), (0, false));
    client.close();
    wait_until("nothing is left", || managed.stored() == 0 && managed.clients().is_empty());
}

#[test]
fn which_page_drives_a_session_is_known_after_a_kill() {
    let (managed, id) = with_recorder();
    let other = "ffeeddccbbaa99887766554433221100";
    let mut first = managed.page("/api/terminal");
    first.hello(VIEW, &id, 0, false).unwrap();
    let mut second = managed.page("/api/terminal");
    second.hello(other, &id, 0, false).unwrap();
    wait_until(
        "the second drives",
        || matches!(first.next(Duration::from_secs(1)), Event::Json(said) if said["drives"] == false),
    );
    managed.kill();
    managed.wait_for_starts(2);
    // The one that followed comes back first, and still follows.
    let mut first = managed.page("/api/terminal");
    assert!(first.hello(VIEW, &id, 0, false).unwrap().1);
    first.type_in(b"no");
    let mut second = managed.page("/api/terminal");
    assert!(second.hello(other, &id, 0, false).unwrap().1);
    second.type_in(b"yes");
    wait_until("it is typed", || !typed(&managed).is_empty());
    assert_eq!(typed(&managed), "yes");
}
