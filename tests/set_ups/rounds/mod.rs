//! Random rounds: set-ups drawn at random, saved, crashed and restored. No conversation comes back
//! wrong, twice or not at all, and each with its directory, its flags and its account.
//!
//! `TL_ROUNDS=FROM-TO` runs those rounds instead of the first forty; each is drawn from its number.

mod agents;
mod draw;
mod further;
mod later;
mod observe;
mod shape;

use crate::support::random::Random;
use crate::support::sandbox::{ended, kill, tree};
use crate::support::set_up::SetUp;
use crate::support::{run, wait_until};
use agents::SECRET;
use draw::{Crash, Drawn, Leaves, Story, often};
use observe::{Running, as_before, panes, running};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use terminal_lobby::snapshot::{Row, State};

fn crash(set_up: &SetUp, how: Crash) {
    let agents: Vec<i32> = set_up.started().iter().map(|started| started.pid).collect();
    match how {
        Crash::Everything => set_up.crash(),
        Crash::Server => {
            let server = set_up.sandbox.server_pid().unwrap();
            kill(server);
            wait_until("all is gone", || ended(server) && agents.iter().all(|pid| ended(*pid)));
        }
        Crash::Agents => {
            agents.iter().filter(|pid| !ended(**pid)).for_each(|pid| kill(*pid));
            wait_until("they are gone", || agents.iter().all(|pid| ended(*pid)));
            // What started them becomes a shell again.
            let is_launcher = |pid: i32| {
                let called = std::fs::read_to_string(format!("/proc/{pid}/comm"));
                called.is_ok_and(|name| name.trim() == "start-claude")
            };
            wait_until("their launchers are gone", || {
                let panes = first_processes(set_up);
                !panes.iter().flat_map(|pid| tree(*pid)).any(is_launcher)
            });
        }
    }
}

/// The first processes of all panes; there may be none any more, and no server.
fn first_processes(set_up: &SetUp) -> Vec<i32> {
    let panes = run(set_up.command("tmux").args(["list-panes", "-a", "-F", "#{pane_pid}"]));
    panes.out().lines().map(|pid| pid.parse().unwrap()).collect()
}

/// Starts a restore and kills it after some time.
fn kill_a_restore(set_up: &SetUp, after: u64) {
    let mut command = set_up.persist_command("restore");
    let mut restore = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(after));
    let _ = restore.kill();
    restore.wait().unwrap();
}

/// What all panes show.
fn shown(set_up: &SetUp) -> String {
    let show = |pane: &String| {
        let shown = set_up.t(&format!("capture-pane -p -t {pane}")).out();
        format!("{pane}: {}", shown.trim_end())
    };
    set_up.panes("#{pane_id}").iter().map(show).collect::<Vec<String>>().join("\n")
}

/// What must run after the restore, and be there.
fn expected(set_up: &SetUp, story: &Story, excluded: &[String]) -> (Vec<Running>, Vec<String>) {
    let in_place = story.crash != Some(Crash::Agents);
    let knows_places = in_place && story.leaves != Some(Leaves::AfterSave);
    let mut agents = running(set_up, knows_places, excluded);
    // A view is no conversation: it comes back with its session only, which may be there still.
    agents.retain(|agent| in_place || agent.conversation != "none");
    let is_gone = |agent: &Running| story.gone.as_ref() == Some(&agent.cwd);
    // Those resume a conversation in its directory only, which the restore reports.
    let by_directory = ["gemini", "pi", "qwen"];
    agents.retain(|agent| !(is_gone(agent) && by_directory.contains(&agent.agent)));
    for agent in &mut agents {
        if is_gone(agent) {
            set_up.sandbox.home().to_str().unwrap().clone_into(&mut agent.cwd);
        }
        agent.forget_process();
    }
    agents.sort();
    (agents, panes(set_up, excluded))
}

/// Saves, crashes and restores; what was wrong with it.
fn survive(drawn: &Drawn, random: &mut Random) -> Result<usize, String> {
    let Drawn { set_up, excluded, configuration, .. } = drawn;
    let story = draw::story(random, drawn);
    let how = story.crash.unwrap();
    let in_place = how != Crash::Agents;
    // What closed since the save changed places that no save knows.
    let knows_places = in_place && story.leaves != Some(Leaves::AfterSave);
    let now = || running(set_up, knows_places, excluded);
    if !excluded.is_empty() {
        // What starts after a save, and so in its second, is known by the record that it leaves.
        later::wait_for_next_second();
    }
    if story.leaves == Some(Leaves::BeforeSave) {
        later::leave_one(set_up, random, &now());
    }
    set_up.save();
    let saved = set_up.sandbox.latest();
    if saved.windows(SECRET.len()).any(|bytes| bytes == SECRET.as_bytes()) {
        return Err("a key is in the snapshot".into());
    }
    if story.leaves == Some(Leaves::AfterSave) {
        later::leave_one(set_up, random, &now());
    }
    later::prompt(set_up, random, &now(), &story);
    let sessions = set_up.panes("#{session_name}");
    let unsaved = excluded.first().filter(|session| sessions.contains(session));
    if let Some(session) = unsaved.filter(|_| often(random, 50)) {
        later::start_unsaved(set_up, session);
    }
    let (agents, shape) = expected(set_up, &story, excluded);
    if let Some(name) = &story.renamed {
        set_up.t(&format!("rename-session -t ={name} renamed"));
    }
    crash(set_up, how);
    if let Some(gone) = &story.gone {
        let _ = std::fs::remove_dir_all(gone);
    }
    if let Some(after) = story.killed_after {
        kill_a_restore(set_up, after);
    }
    let restored = set_up.persist("restore");
    let report = format!("{story:?} {configuration:?}\n{}{}", restored.out(), restored.err());
    let problem = |what: &str, after: &[Running], more: &str| {
        let saved = String::from_utf8_lossy(&saved);
        Err(format!(
            "{what}\nbefore: {agents:#?}\nafter: {after:#?}\n{report}\n{more}\nsaved: {saved}"
        ))
    };
    if restored.code != 0 {
        return problem("the restore failed", &[], "");
    }
    let end = Instant::now() + Duration::from_secs(10);
    let now = || {
        let mut after = running(set_up, knows_places, excluded);
        after.retain(|agent| in_place || agent.conversation != "none");
        as_before(after, &agents)
    };
    while now() != agents && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
    }
    let shown = shown(set_up);
    let again = set_up.persist("restore");
    let after = now();
    let more = format!("{shown}\nagain: {}{}", again.out(), again.err());
    if after != agents {
        return problem("other agents than before", &after, &more);
    }
    if again.code != 0 {
        return problem("the second restore failed", &after, &more);
    }
    let sessions = set_up.panes("#{session_name}");
    if in_place && sessions.iter().any(|name| excluded.contains(name)) {
        return problem("a session that is not saved came back", &after, &more);
    }
    let panes = panes(set_up, excluded);
    if knows_places && panes != shape {
        return problem(&format!("other panes: {panes:#?} instead of {shape:#?}"), &after, &more);
    }
    Ok(after.len())
}

/// One round; what was wrong with it.
fn round(number: u64) -> Result<usize, String> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (number << 17 | number));
    for _ in 0..8 {
        random.next();
    }
    let drawn = draw::set_up(&mut random);
    let mut count = 0;
    for crash in 1.. {
        count = survive(&drawn, &mut random).map_err(|why| format!("crash {crash}: {why}"))?;
        // What is lost otherwise may come back beside its pane, and what took its place, too.
        if !often(&mut random, 20) || has_lost(&drawn) {
            break;
        }
    }
    Ok(count)
}

/// Whether a save finds something lost, other than what waits in its pane for its directory.
fn has_lost(drawn: &Drawn) -> bool {
    let rows = drawn.set_up.save().rows;
    let is_there = |row: &Row| Path::new(OsStr::from_bytes(&row.cwd)).exists();
    rows.iter().any(|row| row.state == State::Lost && is_there(row))
}

/// Runs a fourth of the rounds.
fn rounds(quarter: u64) {
    let range = std::env::var("TL_ROUNDS").unwrap_or_else(|_| "1-40".into());
    let (from, to) = range.split_once('-').unwrap_or((&range, &range));
    let (from, to): (u64, u64) = (from.parse().unwrap(), to.parse().unwrap());
    let (mut agents, mut problems) = (0, Vec::new());
    for number in (from..=to).filter(|number| number % 4 == quarter) {
        match catch_unwind(AssertUnwindSafe(|| round(number))) {
            Ok(Ok(count)) => agents += count,
            Ok(Err(problem)) => problems.push(format!("round {number}: {problem}")),
            // What it was is printed already.
            Err(_) => problems.push(format!("round {number} panicked")),
        }
    }
    println!("{agents} agents came back in rounds {range}, quarter {quarter}");
    assert!(problems.is_empty(), "{} rounds:\n{}", problems.len(), problems.join("\n"));
    let asked = (from..=to).any(|number| number % 4 == quarter);
    assert!(agents > 0 || !asked || to - from < 8, "no agent ran at all");
}

#[test]
fn random_set_ups_come_back_first_quarter() {
    rounds(0);
}

#[test]
fn random_set_ups_come_back_second_quarter() {
    rounds(1);
}

#[test]
fn random_set_ups_come_back_third_quarter() {
    rounds(2);
}

#[test]
fn random_set_ups_come_back_fourth_quarter() {
    rounds(3);
}
