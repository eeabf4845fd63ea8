//! A campaign: 50 views of which some are slow, sessions that come and go, lines that break, gateways that are killed.
//! No key is lost, and no memory either. `TL_SOAK` says for how many seconds.

use super::lab::{Lab, memory};
use crate::lobby::client::{Client, Event};
use crate::support::random::Random;
use crate::support::wait::{wait_for, wait_until};
use std::time::{Duration, Instant};

const ANN: &str = "ann@example.org";
const SECONDS: u64 = 20;
const VIEWS: usize = 50;
/// Sessions that are typed to; each has one view that types, and others.
const TYPED: usize = 5;
/// A view of this many reads little.
const SLOW: usize = 5;
/// A gateway lives for so long at most, in the first half.
const LIFE: Duration = Duration::from_secs(20);
/// The number of bytes that a view acknowledges at once: the agent keeps as much for each.
const WINDOW: u64 = 4 << 10;

/// One page with a terminal.
struct Page {
    view: String,
    session: String,
    /// The number of the session that it types to.
    types: Option<usize>,
    is_slow: bool,
    line: Option<Client>,
    received: u64,
    acknowledged: u64,
    /// How much was sent of what it types.
    sent: u64,
}

impl Page {
    /// Connects it if it is not connected.
    fn connect(&mut self, lab: &Lab) {
        if self.line.is_some() {
            return;
        }
        let Ok(mut line) = lab.socket("/api/terminal", &Lab::as_user(ANN)) else { return };
        let watch = self.types.is_none();
        let (view, session, received) = (&self.view, &self.session, self.received);
        line.send_text(&format!(
            r#"{{"type":"hello","view":"{view}","session":"{session}","columns":100,"rows":30,"watch":{watch},"received":{received}}}"#
        ));
        if let Event::Json(welcome) = line.next(Duration::from_secs(10))
            && welcome["type"] == "welcome"
        {
            assert!(
                self.types.is_none() || received == 0 || welcome["resumed"] == true,
                "{welcome}"
            );
            if welcome["resumed"] != true {
                (self.received, self.acknowledged) = (0, 0);
            }
            self.sent = welcome["taken"].as_u64().unwrap();
            self.line = Some(line);
        }
    }

    /// Reads what is there, as far as it reads.
    fn read(&mut self) {
        let Some(line) = &mut self.line else { return };
        for _ in 0..if self.is_slow { 1 } else { 20 } {
            match line.next(Duration::from_micros(100)) {
                Event::Output(bytes) => self.received += bytes.len() as u64,
                Event::Closed(_) => {
                    self.line = None;
                    return;
                }
                Event::Nothing => break,
                Event::Taken(_) | Event::Json(_) => {}
            }
        }
        if self.received - self.acknowledged >= WINDOW {
            self.acknowledged = self.received;
            line.shown(self.received);
        }
    }

    fn type_on(&mut self, random: &mut Random) {
        let Some(line) = &mut self.line else { return };
        let end = self.sent + 1 + random.below(80) as u64;
        if line.type_in(&text(self.sent, end)) {
            self.sent = end;
        } else {
            self.line = None;
        }
    }
}

/// What is typed, from one place to another.
fn text(begin: u64, end: u64) -> Vec<u8> {
    (begin..end)
        .map(|at| {
            let number = format!("{:07};", at / 8);
            number.as_bytes()[usize::try_from(at % 8).unwrap()]
        })
        .collect()
}

fn new_session(lab: &Lab, name: &str, script: &str) {
    let words =
        ["new-session", "-d", "-x", "100", "-y", "30", "-s", name, "--", "sh", "-c", script];
    lab.host.tmux("ann", words).ok();
}

fn pages(lab: &Lab) -> Vec<Page> {
    for number in 0..TYPED {
        let script = format!("stty raw -echo; echo ready; exec cat >/home/ann/typed-{number}");
        new_session(lab, &format!("typed-{number}"), &script);
        wait_until("the program runs", || {
            lab.host.root(["test", "-e", &format!("/home/ann/typed-{number}")]).code == 0
        });
    }
    new_session(lab, "flood", "while :; do seq 2000; sleep 0.1; done");
    let id = |name: String| lab.birth_id(ANN, &name);
    let typed: Vec<String> = (0..TYPED).map(|number| id(format!("typed-{number}"))).collect();
    let flood = id("flood".to_owned());
    let page = |number: usize| Page {
        view: format!("{number:032x}"),
        session: typed.get(number % (TYPED + 1)).unwrap_or(&flood).clone(),
        types: (number < TYPED).then_some(number),
        is_slow: number >= TYPED && number.is_multiple_of(SLOW),
        line: None,
        received: 0,
        acknowledged: 0,
        sent: 0,
    };
    (0..VIEWS).map(page).collect()
}

/// Does one thing that happens on a host.
fn churn(lab: &Lab, pages: &mut [Page], random: &mut Random, round: usize) {
    match random.below(6) {
        0 => new_session(lab, &format!("churn-{round}"), "exec sleep 600"),
        1 => {
            let names = lab.host.tmux("ann", ["list-sessions", "-F", "#{session_name}"]).ok().out();
            let churned = names.lines().filter(|name| name.starts_with("churn-"));
            for name in churned.take(2) {
                lab.host.tmux("ann", ["kill-session", "-t", &format!("={name}")]);
            }
        }
        2 => {
            let name = format!("flood{}", "-again".repeat(round % 2));
            lab.host.tmux("ann", ["rename-session", "-t", "flood", &name]);
        }
        3 => {
            if let Ok(mut list) = lab.socket("/api/events", &Lab::as_user(ANN)) {
                list.next(Duration::from_secs(10));
                list.close();
            }
        }
        _ => {
            for _ in 0..3 {
                if let Some(line) = pages[random.below(VIEWS)].line.take() {
                    line.cut();
                }
            }
        }
    }
}

#[test]
fn fifty_views_through_churn_broken_lines_and_killed_gateways_lose_no_key_and_no_memory() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    let seconds = std::env::var("TL_SOAK").map_or(SECONDS, |text| text.parse().unwrap());
    let half = Duration::from_secs(seconds) / 2;
    let mut random = Random(20_261_130);
    let mut pages = pages(&lab);
    let (begin, mut gateways, mut measured) = (Instant::now(), 1, None);
    let mut started = begin;
    let held = |lab: &Lab| [memory(lab.pid()), memory(lab.agent_pid("ann"))];
    for round in 0.. {
        for page in &mut pages {
            page.connect(&lab);
        }
        for page in &mut pages {
            if page.types.is_some() {
                page.type_on(&mut random);
            }
            page.read();
        }
        if round % 10 == 0 {
            churn(&lab, &mut pages, &mut random, round);
        }
        let passed = begin.elapsed();
        // In the first half gateways end; in the second memory is measured, once all are warm.
        if passed < half && started.elapsed() > LIFE.min(half / 4) {
            if random.below(2) == 0 {
                lab.kill();
            } else {
                assert!(lab.terminate());
            }
            lab.start();
            (started, gateways) = (Instant::now(), gateways + 1);
        }
        if measured.is_none() && passed > half.mul_f64(1.3) {
            measured = Some(held(&lab));
        }
        if passed > 2 * half {
            break;
        }
    }
    let (warm, end) = (measured.expect("it was measured"), held(&lab));
    for page in pages.iter_mut().filter(|page| page.types.is_some()) {
        let file = format!("/home/ann/typed-{}", page.types.unwrap());
        page.line = None;
        wait_for("it is connected", || {
            page.connect(&lab);
            page.line.as_ref().map(|_| ())
        });
        let all = page.sent;
        wait_until("all was typed", || {
            lab.host.sh(&format!("wc -c <{file}")).trim() == all.to_string()
        });
        assert!(lab.host.read(&file).into_bytes() == text(0, all), "each key once and in order");
    }
    let typed: u64 = pages.iter().filter(|page| page.types.is_some()).map(|page| page.sent).sum();
    println!(
        "{seconds} s, {VIEWS} views, {gateways} gateways, {typed} keys; KiB of gateway and agent {warm:?}, at the end {end:?}"
    );
    for (warm, end) in warm.into_iter().zip(end) {
        assert!(end <= warm + warm / 20 + 256, "{warm} KiB became {end}");
    }
    assert!(gateways > 1 && typed > 1000, "{gateways} gateways, {typed} keys");
}
