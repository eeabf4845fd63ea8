//! What an agent in a pane uses and runs.

use super::known::Known;
use crate::agent::{self, Home, Sighting};
use crate::persist::capture::agents::environment_of;
use crate::process::Proc;
use crate::snapshot::Row;
use crate::sys::clock::Epoch;

/// What is shown of an agent besides what it does.
#[derive(Debug, Default)]
pub(super) struct AgentFacts {
    pub(super) model: Option<String>,
    pub(super) commands: usize,
}

impl AgentFacts {
    pub(super) fn of(
        seen: &Sighting,
        row: &Row,
        now: Epoch,
        home: &Home,
        proc: &Proc,
        known: &mut Known,
    ) -> Self {
        let used = seen.conversation.as_ref().and_then(|(id, _)| {
            known.model(id.key().as_bytes(), now, || {
                let (environment, cwd) = environment_of(row);
                let home = home.of(&environment, &cwd);
                agent::by_name(seen.agent.as_bytes())?.model(id, &cwd, &home)
            })
        });
        let commands = if seen.waits { 0 } else { commands(seen.pid, proc) };
        Self { model: used.or_else(|| started_with(&seen.argv)), commands }
    }
}

/// How many commands an agent has running: the shells that it started, which talk to no one by pipes, as the
/// servers of its tools do.
fn commands(pid: i32, proc: &Proc) -> usize {
    let Some(process) = proc.process(pid, 0) else { return 0 };
    let children = process.running_children();
    children.iter().filter(|child| child.is_shell() && !child.is_piped()).count()
}

/// The model that an agent was started with, by its arguments.
fn started_with(argv: &[Vec<u8>]) -> Option<String> {
    let words = || argv.iter().map(|word| String::from_utf8_lossy(word));
    let after = words().zip(words().skip(1)).find(|(word, _)| matches!(&**word, "--model" | "-m"));
    let joined = || words().find_map(|word| word.strip_prefix("--model=").map(str::to_owned));
    after.map(|(_, model)| model.into_owned()).or_else(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_of_a_command_line_is_found_in_either_form() {
        let of =
            |line: &str| started_with(&line.split(' ').map(Into::into).collect::<Vec<Vec<u8>>>());
        assert_eq!(of("claude --model opus").as_deref(), Some("opus"));
        assert_eq!(of("claude --model=opus -c").as_deref(), Some("opus"));
        assert_eq!(of("codex -m gpt").as_deref(), Some("gpt"));
        assert_eq!(of("claude --model"), None);
    }
}
