//! What views and lists cost.

use crate::client::Browser;
use crate::table::Table;
use crate::world::World;
use std::time::Instant;

const VIEWS: usize = 150;
const RENAMES: usize = 21;

/// Goals: KiB for each view, ms until a change is on the page.
const KIB: f64 = 15.0;
const LAG: f64 = 200.0;

/// The gateway's load: all people have one account here, so one agent answers them.
const PEOPLE: usize = 50;
const SESSIONS: usize = 20;
const ALL_VIEWS: usize = 200;
/// Goals: MiB of the gateway, ms at 99 of 100.
const PSS: f64 = 30.0;
const LAG_OF_ALL: f64 = 300.0;

pub(crate) fn measure(world: &World) -> Table {
    let mut table = Table::new(format!("{VIEWS} views, and a change of the list"));
    let browser = Browser::log_in(world);
    let session = browser.session("a");
    let one = browser.view(&session, 1);
    let (before, at_first) = (own_memory(world), threads(world));
    let views: Vec<_> = (2..2 + VIEWS).map(|number| browser.view(&session, number)).collect();
    #[allow(clippy::cast_precision_loss, reason = "a few megabytes")]
    let each = (own_memory(world) - before) as f64 / VIEWS as f64;
    table.judge(
        each <= KIB,
        &format!("memory of the lobby for each view: {each:.1} KiB, goal {KIB:.0}"),
    );
    let now = threads(world);
    table.judge(now <= at_first + 4, &format!("threads: {at_first} with one view, {now} with all"));
    drop((one, views));
    let mut list = browser.page("/api/events");
    list.json();
    for number in 0..RENAMES {
        let name = format!("renamed-{number}");
        let begin = Instant::now();
        world.tmux(&["rename-session", "-t", "a", &name]);
        loop {
            let said = list.json();
            let changed = said["changed"].as_array().cloned().unwrap_or_default();
            if changed.iter().any(|session| session["name"] == *name) {
                break;
            }
        }
        table.add("a renamed session, until the page has it", begin.elapsed());
        world.tmux(&["rename-session", "-t", &name, "a"]);
        while !list.json()["changed"]
            .as_array()
            .is_some_and(|all| all.iter().any(|session| session["name"] == "a"))
        {}
    }
    let lag = table.median("a renamed session, until the page has it");
    table.goal("that at the median", lag, LAG);
    table
}

/// The gateway with the pages and views of many people.
pub(crate) fn gateway(world: &World) -> Table {
    let mut table = Table::new(format!(
        "the gateway: {PEOPLE} people's lists of {SESSIONS} sessions, {ALL_VIEWS} views"
    ));
    for number in 1..SESSIONS {
        world.tmux(&[
            "new-session",
            "-d",
            "-s",
            &format!("s{number}"),
            "-x",
            "80",
            "-y",
            "24",
            "exec cat",
        ]);
    }
    let browser = Browser::through(world, 0);
    let session = browser.session("a");
    let mut lists: Vec<_> =
        (0..PEOPLE).map(|person| Browser::through(world, person).page("/api/events")).collect();
    for list in &mut lists {
        list.json();
    }
    let before = memory(world.gateway(), &["Private_Clean:", "Private_Dirty:"]);
    let views: Vec<_> = (0..ALL_VIEWS)
        .map(|number| Browser::through(world, number % PEOPLE).view(&session, number))
        .collect();
    #[allow(clippy::cast_precision_loss, reason = "a few megabytes")]
    let each = (memory(world.gateway(), &["Private_Clean:", "Private_Dirty:"]) - before) as f64
        / ALL_VIEWS as f64;
    table.judge(
        each <= KIB,
        &format!("memory of the gateway for each view: {each:.1} KiB, goal {KIB:.0}"),
    );
    #[allow(clippy::cast_precision_loss, reason = "a few megabytes")]
    let pss = memory(world.gateway(), &["Pss:"]) as f64 / 1024.0;
    table.judge(pss <= PSS, &format!("Pss of the gateway: {pss:.1} MiB, goal {PSS:.0}"));
    let mut lags = Vec::new();
    for number in 0..RENAMES {
        let name = format!("renamed-{number}");
        for (from, to) in [("a", name.as_str()), (name.as_str(), "a")] {
            let begin = Instant::now();
            world.tmux(&["rename-session", "-t", from, to]);
            for list in &mut lists {
                let has = |said: &serde_json::Value| {
                    said["changed"]
                        .as_array()
                        .is_some_and(|all| all.iter().any(|session| session["name"] == *to))
                };
                while !has(&list.json()) {}
                lags.push(begin.elapsed().as_secs_f64() * 1000.0);
            }
        }
    }
    lags.sort_by(f64::total_cmp);
    let lag = lags[lags.len() * 99 / 100];
    table.judge(lag <= LAG_OF_ALL, &format!("a renamed session, until all lists have it, 99 of 100: {lag:.0} ms, goal {LAG_OF_ALL:.0}"));
    drop(views);
    table
}

/// Some lines of a process's memory, in KiB.
fn memory(pid: u32, names: &[&str]) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let of = |name: &&str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    names.iter().map(of).sum()
}

/// Memory of the lobby alone, in KiB.
fn own_memory(world: &World) -> u64 {
    memory(world.pid(), &["Private_Clean:", "Private_Dirty:"])
}

fn threads(world: &World) -> usize {
    std::fs::read_dir(format!("/proc/{}/task", world.pid())).unwrap().count()
}
