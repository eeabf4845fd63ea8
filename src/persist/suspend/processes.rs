//! What runs in an agent's pane besides the agent at rest.

use super::choose::Obstacle;
use crate::agent::{self, Sighting, launcher};
use crate::process::shell::is_shell_name;
use crate::process::{Proc, Process, base_name};
use crate::text::escape;
use std::collections::BTreeSet;

/// What an agent starts within this time after its own start belongs to it: the servers of its tools
/// (MCP). In clock ticks: two minutes.
const AT_START: u64 = 120 * 100;

/// The processes of an agent in a pane.
#[derive(Debug, Default)]
pub(super) struct Inspected {
    pub(super) obstacles: Vec<Obstacle>,
    /// The first process of the agent's own: the script or launcher that started it, else itself.
    pub(super) root: i32,
}

/// Inspects the processes of a pane whose first one is `first`. `shell` is the name of the user's shell.
pub(super) fn inspect(sighting: &Sighting, first: i32, shell: &[u8], proc: &Proc) -> Inspected {
    let line = &sighting.line;
    let own: Vec<&Process> = line
        .iter()
        .enumerate()
        .take_while(|(at, one)| *at == 0 || is_agents(one, sighting))
        .map(|(_, one)| one)
        .collect();
    let mut inspected =
        Inspected { root: own.last().map_or(sighting.pid, |one| one.pid), ..Inspected::default() };
    // A shell that was given nothing but the agent ends with it.
    let above: Vec<&Process> = line[own.len()..]
        .iter()
        .filter(|one| !runs_only(&one.argv, sighting.agent.as_bytes()))
        .collect();
    // After the agent's end, only a shell that is the pane's first process waits there.
    let is_left_to_a_shell = match above[..] {
        [] => true,
        [only] => only.is_interactive_shell(shell),
        _ => false,
    };
    if !is_left_to_a_shell {
        let runs_it =
            above.iter().find(|one| !one.is_interactive_shell(shell)).unwrap_or(&above[0]);
        inspected.obstacles.push(Obstacle::RunBy(name(runs_it)));
    }
    let in_line: BTreeSet<i32> = line.iter().map(|one| one.pid).collect();
    let mut agents: BTreeSet<i32> = own.iter().map(|one| one.pid).collect();
    let (mut beside, mut works) = (None, None);
    proc.visit(first, |process| {
        if in_line.contains(&process.pid) {
            return true;
        }
        if agent::all().any(|agent| agent.is_service(process)) {
            return false; // it goes on by itself
        }
        let parent = process.stat.parent;
        if own.iter().any(|one| one.pid == parent && launcher::is_launcher(one)) {
            return false; // a save that our launcher started
        }
        if agents.contains(&parent) {
            agents.insert(process.pid);
            let is_direct = own.iter().any(|one| one.pid == parent);
            if !is_at_rest(process, is_direct, sighting) {
                works = works.take().or_else(|| Some(name(process)));
            }
            return true;
        }
        let is_helper = above.iter().any(|one| one.pid == parent && one.is_prompt_helper(process));
        if !is_helper {
            beside = beside.take().or_else(|| Some(name(process)));
        }
        false
    });
    inspected.obstacles.extend(beside.map(Obstacle::Beside));
    inspected.obstacles.extend(works.map(Obstacle::BackgroundWork));
    inspected
}

/// Whether a process above the agent belongs to it: our launcher, or the agent's own script.
fn is_agents(process: &Process, sighting: &Sighting) -> bool {
    launcher::is_launcher(process)
        || agent::all().any(|agent| {
            agent.name() == sighting.agent && !process.is_shell() && agent.runs(process).is_some()
        })
}

/// Whether a process below an agent runs even while the agent does nothing: the server of a tool, with
/// which the agent talks by pipes, and what that started at once. A shell that was given a command is
/// work of the agent's.
fn is_at_rest(process: &Process, is_direct: bool, sighting: &Sighting) -> bool {
    let is_early = process.stat.start.saturating_sub(sighting.start) <= AT_START;
    let is_command =
        process.is_shell() && process.argv.iter().skip(1).any(|word| is_given_a_command(word));
    is_early && (!is_direct || process.is_piped() && !is_command)
}

/// Whether an argument list is a shell's with a command line whose last command is the agent:
/// `sh -c 'cd x; claude'`.
fn runs_only(argv: &[Vec<u8>], agent: &[u8]) -> bool {
    let [shell, words @ ..] = argv else { return false };
    let shell = base_name(shell);
    let is_shell = is_shell_name(shell.strip_prefix(b"-").unwrap_or(shell));
    let text = words.iter().find(|word| !word.starts_with(b"-"));
    let is_given = words.iter().any(|word| is_given_a_command(word));
    is_shell
        && is_given
        && text.is_some_and(|text| {
            let last = text.rsplit(|byte| b";&|\n".contains(byte)).next().unwrap_or_default();
            memchr::memmem::find(last, agent).is_some()
        })
}

/// Whether a shell's argument is `-c`, perhaps among other letters.
fn is_given_a_command(word: &[u8]) -> bool {
    word.starts_with(b"-") && !word.starts_with(b"--") && word.contains(&b'c')
}

fn name(process: &Process) -> String {
    escape(process.called())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_that_was_given_nothing_after_the_agent_ends_with_it() {
        let only = |line: &[&str]| {
            let argv: Vec<Vec<u8>> = line.iter().map(|word| word.as_bytes().to_vec()).collect();
            runs_only(&argv, b"claude")
        };
        for line in [&["sh", "-c", "claude"][..], &["/bin/bash", "-lc", "cd x; A=b claude -r"]] {
            assert!(only(line), "{line:?}");
        }
        for line in [
            &["sh", "-c", "claude; make"][..],
            &["sh", "-c", "claude && make"],
            &["sh", "-c", "claude | tee log"],
            &["sh", "-c", "if x; then claude; fi"],
            &["sh", "deploy.sh", "claude"],
            &["bash"],
            &["python3", "-c", "claude"],
        ] {
            assert!(!only(line), "{line:?}");
        }
    }
}
