//! Which agent a process works for, found among its parents.

use super::interface::Use;
use super::program;
use crate::process::{Proc, Process};

/// Maximum number of parents that are inspected: an agent, its tools and shells between.
const MAX_ANCESTORS: usize = 64;

/// A process that runs an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The agent's name.
    pub agent: &'static str,
    /// Its process.
    pub pid: i32,
    /// When that started, in clock ticks since boot.
    pub start: u64,
}

/// The agent that called the process `pid`: its nearest parent that is one. `None` when it asks
/// once only, or works for another agent itself: then it speaks for no pane.
pub fn caller(pid: i32, proc: &Proc) -> Option<Caller> {
    let mut found: Option<(Caller, bool)> = None;
    let mut next = proc.stat(pid)?.parent;
    for _ in 0..MAX_ANCESTORS {
        let Some(process) = Some(next).filter(|pid| *pid > 1).and_then(|pid| proc.process(pid, 0))
        else {
            break;
        };
        next = process.stat.parent;
        let run = program::agent_of(&process);
        // Its parents are of the pane that happened to start the service.
        if run.is_some_and(|agent| agent.is_service(&process)) {
            return None;
        }
        let agent = run.and_then(|agent| Some((agent.name(), agent.runs(&process)?)));
        found = match (agent, found) {
            (Some((agent, Use::Conversation)), None) => {
                Some((Caller { agent, pid: process.pid, start: process.stat.start }, true))
            }
            // A program that is started by a script of its own is one agent.
            (Some((agent, _)), Some((caller, true)))
                if agent == caller.agent && is_script(&process) =>
            {
                Some((caller, false))
            }
            (Some(_), _) => return None,
            (None, found) => found.map(|(caller, _)| (caller, false)),
        };
    }
    found.map(|(caller, _)| caller)
}

fn is_script(process: &Process) -> bool {
    super::program::is_interpreter(process.called())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `/proc` with one line of descent, the first below process 1; gives the last one's caller.
    fn caller_of(line: &[&str]) -> Option<(&'static str, i32)> {
        let root = tempfile::tempdir().unwrap();
        for (at, words) in line.iter().enumerate() {
            let pid = at + 10;
            let parent = if at == 0 { 1 } else { pid - 1 };
            let dir = root.path().join(pid.to_string());
            std::fs::create_dir(&dir).unwrap();
            std::fs::write(dir.join("cmdline"), words.replace(' ', "\0") + "\0").unwrap();
            let stat =
                format!("{pid} (a) b) S {parent} 9 9 0 9 0 0 0 0 0 0 0 0 0 20 0 1 0 555 0 0");
            std::fs::write(dir.join("stat"), stat).unwrap();
        }
        let last = i32::try_from(line.len() + 9).unwrap();
        let caller = caller(last, &Proc::new(root.path()))?;
        assert_eq!(caller.start, 555);
        Some((caller.agent, caller.pid))
    }

    #[test]
    fn the_agent_is_found_among_the_parents() {
        let hook = "persist hook";
        for (line, expected) in [
            (&["bash", "claude --resume x", "sh -c y", hook][..], Some(("claude", 11))),
            (&["node /b/codex", "/v/codex --no-daemon", "sh -c y", hook], Some(("codex", 11))),
            (&["claude", hook], Some(("claude", 10))),
            (&["bash", "vim", hook], None),
            // One that an agent runs, and one that only asks.
            (&["claude", "bash -c z", "claude", "sh -c y", hook], None),
            (&["claude", "bash -c z", "claude -p words", "sh -c y", hook], None),
            (&["codex", "bash -c z", "node /b/codex", "codex", hook], None),
            (&["bash", "claude -p words", "sh -c y", hook], None),
            (&["bash", "codex exec words", "sh -c y", hook], None),
            // A service that all panes share.
            (&["codex", "codex app-server --listen unix://", "sh -c y", hook], None),
            (&["claude", "claude daemon run", "claude --session-id x", "sh -c y", hook], None),
            (&["start-claude --resume x", "claude", hook], Some(("claude", 11))),
        ] {
            assert_eq!(caller_of(line), expected, "{line:?}");
        }
    }
}
