//! What the agents of a plan were about, how much memory there is for them, and so which of them
//! start by themselves; and what the panes need to know to wait for each other, or for Enter.

use super::budget::{self, Budget};
use super::facts::{DEFAULT_AGENT, Facts};
use super::mode::Mode;
use super::step::{Start, Step};
use crate::agent::{self, ConversationId, Description, Home};
use crate::persist::context::Context;
use crate::persist::report::BudgetResult;
use crate::process::Proc;
use crate::snapshot::Store;
use crate::sys::locks::Lock;
use crate::text::tsv::Writer;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// More live agents than this are not asked what they take: each answer costs the kernel a walk
/// through a process's memory.
const MEASURED: usize = 8;
/// As much of a title as a pane shows.
const MAX_TITLE: usize = 100;

/// What was settled.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// How many start and how many wait; none without agents.
    pub(crate) allotment: Option<BudgetResult>,
    /// For each conversation that comes back, what is on disk of it.
    known: BTreeMap<ConversationId, Option<Description>>,
}

/// Settles when each agent of a plan starts.
pub(crate) fn settle(context: &Context, facts: &Facts, mode: Mode, steps: &mut [Step]) -> Settled {
    let home = Home::new(&context.account.home);
    let candidates = steps.iter().filter(|step| budget::is_candidate(step));
    let known: BTreeMap<_, _> = candidates.filter_map(|step| describe(step, &home)).collect();
    if known.is_empty() {
        return Settled::default();
    }
    let used = |step: &Step| match &step.start {
        Start::Agent { id, .. } => Some(known.get(id)?.as_ref()?.last_activity),
        Start::Shell | Start::Program(_) | Start::ShellBecause(_) => None,
    };
    let allotment = budget::settle(steps, mode, &means(context, facts, mode), used);
    Settled { allotment, known }
}

fn describe(step: &Step, home: &Home) -> Option<(ConversationId, Option<Description>)> {
    let Start::Agent { id, .. } = &step.start else { return None };
    let agent = agent::by_name(step.row.agent.as_deref().unwrap_or(DEFAULT_AGENT))?;
    let cwd = Path::new(OsStr::from_bytes(&step.row.cwd));
    Some((id.clone(), agent.describe_from(id, cwd, home)))
}

fn means(context: &Context, facts: &Facts, mode: Mode) -> Budget {
    let proc = Proc::default();
    let measured = facts.running.iter().take(MEASURED);
    let live = if mode == Mode::Lazy {
        Vec::new()
    } else {
        measured.filter_map(|pid| proc.memory_of_tree(*pid)).collect()
    };
    let available = shared::memory::Memory::look(Path::new("/"), context.account.uid.as_raw());
    budget::means(&context.restore, mode, available, live)
}

impl Settled {
    /// Leaves for the panes what they show while they wait: in a file of the user's own, since
    /// everybody on the host can read arguments. Without it they ask for themselves.
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
        store.leave_for_panes(&file.into_bytes(), lock).err().map(|error| error.to_string())
    }
}

/// A title without line breaks and control characters, not too long.
fn one_line(title: &str) -> String {
    let words = title.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(MAX_TITLE).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
