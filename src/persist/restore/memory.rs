//! Measures the memory for the agents of a plan and decides which of them start by themselves. Leaves
//! for their panes what they print while they wait.

use super::budget::{self, Budget};
use super::facts::{DEFAULT_AGENT, Facts};
use super::step::{Start, Step};
use crate::agent::{self, ConversationId, Description, Home};
use crate::persist::capture::agents::environment_of;
use crate::persist::context::Context;
use crate::persist::report::BudgetResult;
use crate::persist::restore_mode::Mode;
use crate::process::Proc;
use crate::snapshot::Store;
use crate::sys::locks::Lock;
use crate::text::tsv::Writer;
use std::collections::BTreeMap;
use std::path::Path;

/// Maximum number of live agents that are measured: each costs the kernel a walk through a process's
/// memory.
const MAX_MEASURED: usize = 8;
/// Maximum length of a title in a pane, in characters.
const MAX_TITLE: usize = 100;

/// When the agents of a plan start.
#[derive(Debug, Default)]
pub(crate) struct AgentStarts {
    /// How many start and how many wait; `None` without agents.
    pub(crate) result: Option<BudgetResult>,
    /// For each conversation that is resumed, what is on disk of it.
    known: BTreeMap<ConversationId, Option<Description>>,
}

/// Decides when each agent of a plan starts.
pub(crate) fn decide(
    context: &Context,
    facts: &Facts,
    mode: Mode,
    steps: &mut [Step],
) -> AgentStarts {
    let home = Home::new(&context.account.home);
    let candidates = steps.iter().filter(|step| budget::is_candidate(step));
    let known: BTreeMap<_, _> = candidates.filter_map(|step| describe(step, &home)).collect();
    if known.is_empty() {
        return AgentStarts::default();
    }
    let used = |step: &Step| match &step.start {
        Start::Agent { id, .. } => Some(known.get(id)?.as_ref()?.last_activity),
        Start::Shell | Start::Program(_) | Start::ShellBecause(_) => None,
    };
    let budget = measure(context, facts, mode);
    tracing::debug!(?mode, ?budget, "memory for agents");
    let result = budget::decide(steps, mode, &budget, used);
    AgentStarts { result, known }
}

fn describe(step: &Step, home: &Home) -> Option<(ConversationId, Option<Description>)> {
    let Start::Agent { id, .. } = &step.start else { return None };
    let agent = agent::by_name(step.row.agent.as_deref().unwrap_or(DEFAULT_AGENT))?;
    let (environment, cwd) = environment_of(&step.row);
    Some((id.clone(), agent.describe_from(id, &cwd, &home.of(&environment, &cwd))))
}

/// The budget, by the memory that is available now and that live agents use.
fn measure(context: &Context, facts: &Facts, mode: Mode) -> Budget {
    let proc = Proc::default();
    let measured = facts.running.iter().take(MAX_MEASURED);
    let live = if mode == Mode::Lazy {
        Vec::new()
    } else {
        measured.filter_map(|pid| proc.memory_of_tree(*pid)).collect()
    };
    budget::of_user(&context.restore, mode, read(context), live)
}

fn read(context: &Context) -> shared::memory::Memory {
    // Agents start below the server, if one runs.
    let (uid, server) = (context.account.uid.as_raw(), context.server.socket.server_pid());
    shared::memory::Memory::read_for(Path::new("/"), uid, server)
}

/// Memory that new agents of the user could take now, in bytes; `None` if unknown.
pub fn available(context: &Context) -> Option<u64> {
    read(context).available()
}

impl AgentStarts {
    /// Writes what the panes print while they wait: to a file of the user's own, since every user of
    /// the host can read arguments. If that fails, the panes determine it themselves. Returns a note
    /// then.
    pub(crate) fn leave_for_panes(&self, store: &Store, lock: &Lock) -> Option<String> {
        if self.known.is_empty() {
            return None;
        }
        let mut file = Writer::default();
        for (id, known) in &self.known {
            let time = known.as_ref().map(|known| known.last_activity.to_string());
            let title = known.as_ref().and_then(|known| known.title.as_deref()).map(one_line);
            let title = title.filter(|title| !title.is_empty());
            let title =
                title.as_deref().unwrap_or(if known.is_some() { "-" } else { "never prompted" });
            let time = time.as_deref().unwrap_or("-");
            file.plain(id).plain(time).plain(title).end();
        }
        let written = store.leave_for_panes(&file.into_bytes(), lock);
        written.err().map(|error| format!("titles for waiting panes: {error}"))
    }
}

/// A title without line breaks and control characters, not too long.
fn one_line(title: &str) -> String {
    let words = title.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(MAX_TITLE).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
