//! What a plan has to know of the present: which sessions and conversations are live, what each
//! conversation would take to come back, which directories are still there.

use super::capture::capture;
use super::job::World;
use crate::agent::{self, AGENTS, ConversationId, Home, Resumption};
use crate::process::Proc;
use crate::snapshot::{Row, Snapshot, escape};
use crate::tmux::{Pane, TmuxError};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The agent of a row that names none: the older manifests knew one agent only.
pub const DEFAULT_AGENT: &[u8] = b"claude";

/// An agent's name and a conversation's id.
pub type ResumptionKey = (Vec<u8>, Vec<u8>);

/// The present, as far as a plan needs it.
#[derive(Debug, Default)]
pub struct Facts {
    /// Names of live sessions.
    pub sessions: BTreeSet<Vec<u8>>,
    /// Live conversations, each with where it runs (printable).
    pub conversations: BTreeMap<Vec<u8>, String>,
    /// For each agent and conversation of the snapshot: how it can come back.
    pub resumptions: BTreeMap<ResumptionKey, Resumption>,
    /// Directories of the snapshot that can be entered.
    pub directories: BTreeSet<Vec<u8>>,
    /// Panes of a restore that is not, or was never, finished.
    pub unfinished: Vec<Pane>,
}

/// Gathers the facts for planning from `snapshot`.
pub fn gather(
    world: &World,
    snapshot: &Snapshot,
    notes: &mut Vec<String>,
) -> Result<Facts, TmuxError> {
    let mut facts = Facts::default();
    let (home, proc) = (Home::new(&world.account.home), Proc::default());
    let captured = capture(world, Some(snapshot), &home, &proc)?.unwrap_or_default();
    notes.extend(captured.notes);
    for agent in AGENTS {
        for (id, pid) in agent.live(&home, &proc, &captured.agents) {
            facts.conversations.insert(id.as_str().into(), format!("process {pid}"));
        }
    }
    facts.unfinished = captured.unfinished;
    for row in captured.snapshot.rows {
        if let Some(id) = row.conversation {
            let place = format!("{}:{}.{}", escape(&row.session), row.window, row.pane);
            facts.conversations.insert(id, place);
        }
        facts.sessions.insert(row.session);
    }
    for row in &snapshot.rows {
        if !facts.directories.contains(&row.cwd) && can_enter(&row.cwd) {
            facts.directories.insert(row.cwd.clone());
        }
        // What is live is not resumed: its transcript need not be read.
        if row.conversation.as_ref().is_none_or(|id| facts.conversations.contains_key(id)) {
            continue;
        }
        if let Some((key, resumption)) = resumption(row, &home) {
            facts.resumptions.insert(key, resumption);
        }
    }
    notes.extend(home.take_notes());
    Ok(facts)
}

fn resumption(row: &Row, home: &Home) -> Option<(ResumptionKey, Resumption)> {
    let id = ConversationId::parse(row.conversation.as_ref()?)?;
    let name = row.agent.as_deref().unwrap_or(DEFAULT_AGENT);
    let agent = agent::by_name(name)?;
    let cwd = Path::new(OsStr::from_bytes(&row.cwd));
    let resumption = agent.resumption(&id, cwd, row.prompted, home);
    Some(((name.to_vec(), id.as_str().into()), resumption))
}

fn can_enter(cwd: &[u8]) -> bool {
    let path = Path::new(OsStr::from_bytes(cwd));
    path.is_absolute() && path.is_dir() && crate::sys::files::may_enter(path)
}
