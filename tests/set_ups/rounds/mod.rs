//! Random rounds: set-ups drawn at random, saved, crashed and restored. No conversation comes back
//! wrong, twice or not at all, and each with its directory, its flags and its account.
//!
//! `TL_ROUNDS=FROM-TO` runs those rounds instead of the first forty; each is drawn from its number.

mod draw;

use crate::support::random::Random;
use crate::support::sandbox::{ended, kill};
use crate::support::set_up::SetUp;
use crate::support::wait_until;
use draw::Crash;
use std::collections::BTreeMap;

/// What must be the same afterwards of one agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Running {
    agent: &'static str,
    /// `new` of one that cannot be started under an id and was never prompted.
    conversation: String,
    cwd: String,
    account: Option<String>,
    flags: Vec<String>,
    /// `session:window.pane`; not looked at where agents may come back beside their pane.
    place: Option<String>,
}

/// What runs now.
fn running(set_up: &SetUp, with_place: bool) -> Vec<Running> {
    let places: BTreeMap<String, String> = set_up
        .panes("#{pane_id} #{session_name}:#{window_index}.#{pane_index}")
        .iter()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(id, place)| (id.to_owned(), place.to_owned()))
        .collect();
    let conversations = set_up.conversations();
    let mut running = Vec::new();
    for started in set_up.started().iter().filter(|started| !ended(started.pid)) {
        let of_it = conversations.iter().rfind(|conversation| conversation.pid == started.pid);
        let Some(on) = of_it else { continue };
        let is_codex = started.argv[0].rsplit('/').next().unwrap().starts_with("codex");
        let (agent, variable) =
            if is_codex { ("codex", "CODEX_HOME") } else { ("claude", "CLAUDE_CONFIG_DIR") };
        let is_new = is_codex && !on.prompted;
        let place = started.env.get("TMUX_PANE").and_then(|id| places.get(id)).cloned();
        running.push(Running {
            agent,
            conversation: if is_new { "new".into() } else { on.conversation.clone() },
            cwd: started.cwd.clone(),
            account: started.env.get(variable).cloned(),
            flags: flags(&started.argv),
            place: place.filter(|_| with_place),
        });
    }
    running.sort();
    running
}

/// The arguments but for those that name a conversation, and what our launcher adds.
fn flags(argv: &[String]) -> Vec<String> {
    let mut words = argv[1..].iter();
    let mut flags = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--session-id" | "--resume" | "resume" | "--name" | "-C" => drop(words.next()),
            "--fork-session" | "--no-daemon" => {}
            word if word.starts_with("--session-id=") => {}
            _ => flags.push(word.clone()),
        }
    }
    flags.sort();
    flags
}

fn crash(set_up: &SetUp, how: Crash) {
    match how {
        Crash::Everything => set_up.crash(),
        Crash::Server => {
            let server = set_up.sandbox.server_pid().unwrap();
            let agents: Vec<i32> = set_up.started().iter().map(|started| started.pid).collect();
            kill(server);
            wait_until("all is gone", || ended(server) && agents.iter().all(|pid| ended(*pid)));
        }
        Crash::Agents => {
            let agents: Vec<i32> = set_up.started().iter().map(|started| started.pid).collect();
            agents.iter().filter(|pid| !ended(**pid)).for_each(|pid| kill(*pid));
            wait_until("they are gone", || agents.iter().all(|pid| ended(*pid)));
        }
    }
}

/// One round; what was wrong with it.
fn round(number: u64) -> Result<usize, String> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (number << 17 | number));
    for _ in 0..8 {
        random.next();
    }
    let (set_up, how) = draw::set_up(&mut random);
    let in_place = how != Crash::Agents;
    let panes = "#{session_name}:#{window_index}.#{pane_index} #{window_layout}";
    let before = (running(&set_up, in_place), without_ids(&set_up.panes(panes)));
    set_up.save();
    crash(&set_up, how);
    let restored = set_up.persist("restore");
    let report = format!("{how:?}\n{}{}", restored.out(), restored.err());
    let problem = |what: &str, after: &[Running]| {
        Err(format!("{what}\nbefore: {:#?}\nafter: {after:#?}\n{report}", before.0))
    };
    if restored.code != 0 {
        return problem("the restore failed", &[]);
    }
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let now = || as_before(running(&set_up, in_place), &before.0);
    while now() != before.0 && std::time::Instant::now() < end {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let again = set_up.persist("restore");
    let after = now();
    if after != before.0 {
        return problem("other agents than before", &after);
    }
    if again.code != 0 {
        return problem("the second restore failed", &after);
    }
    let panes = without_ids(&set_up.panes(panes));
    if in_place && panes != before.1 {
        return problem(&format!("other panes: {panes:#?} instead of {:#?}", before.1), &after);
    }
    Ok(after.len())
}

/// A conversation that stands for one that was never prompted, and took a prompt as it started, is new.
fn as_before(mut after: Vec<Running>, before: &[Running]) -> Vec<Running> {
    for agent in after.iter_mut().filter(|agent| agent.agent == "codex") {
        if !before.iter().any(|known| known.conversation == agent.conversation) {
            agent.conversation = "new".into();
        }
    }
    after.sort();
    after
}

/// Layouts without their checksum and the ids of panes.
fn without_ids(lines: &[String]) -> Vec<String> {
    let strip = |line: &String| {
        let (place, layout) = line.split_once(' ').unwrap();
        let layout = terminal_lobby::tmux::layout::Layout::parse(layout).unwrap();
        format!("{place} {}", layout.renumbered(&|_| Some(0)))
    };
    lines.iter().map(strip).collect()
}

/// Runs a fourth of the rounds.
fn rounds(quarter: u64) {
    let range = std::env::var("TL_ROUNDS").unwrap_or_else(|_| "1-40".into());
    let (from, to) = range.split_once('-').unwrap_or((&range, &range));
    let (from, to): (u64, u64) = (from.parse().unwrap(), to.parse().unwrap());
    let (mut agents, mut problems) = (0, Vec::new());
    for number in (from..=to).filter(|number| number % 4 == quarter) {
        match round(number) {
            Ok(count) => agents += count,
            Err(problem) => problems.push(format!("round {number}: {problem}")),
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
