//! What runs in a pane that is restored, and why (pure).

use super::facts::{DEFAULT_AGENT, Facts};
use super::never_prompted;
use super::step::{Start, Step};
use crate::agent::{self, ConversationId, Resumption};
use crate::persist::capture::foreground_program;
use crate::snapshot::Row;
use crate::text::{escape, shown};
use std::collections::BTreeSet;

/// Decides what runs in a pane that is restored. `taken` are the conversations that other panes of the
/// plan resume: each is resumed once.
pub(crate) fn decide(
    step: &mut Step,
    closed: Option<String>,
    facts: &Facts,
    taken: &mut BTreeSet<Vec<u8>>,
) {
    step.is_impossible = closed.is_none() && is_impossible(&step.row, facts);
    step.start = match closed {
        Some(why) if step.selected => Start::ShellBecause(why),
        _ => choose(&step.row, facts, taken),
    };
    step.deferred = deferred(&step.row, &step.start, facts);
    if step.selected
        && let Start::Agent { id, .. } = &step.start
    {
        taken.insert(id.key().into());
    }
    let mut reasons: Vec<String> =
        Some(std::mem::take(&mut step.reason)).filter(|r| !r.is_empty()).into_iter().collect();
    match &step.start {
        Start::ShellBecause(why) => reasons.push(why.clone()),
        Start::Agent { resumption: Resumption::Fork { parent }, .. } => {
            reasons.push(format!("a fork that was not prompted yet: forks {parent} again"));
        }
        Start::Agent { resumption: Resumption::StartUnderId, .. }
            if !never_prompted::is_named(&step.row) =>
        {
            reasons.push("never prompted: starts with the same id".to_owned());
        }
        Start::Agent { resumption: Resumption::StartUnderId | Resumption::StartAnew, .. } => {
            reasons.push("never prompted: starts a new conversation".to_owned());
        }
        Start::Agent { resumption: Resumption::ResumeTranscript(path), .. } => {
            reasons.push(format!("resumed from {}", escape(path.as_os_str().as_encoded_bytes())));
        }
        Start::Program(argv) => {
            let words: Vec<String> = argv.iter().map(|word| escape(word)).collect();
            reasons.push(format!("starts {}", words.join(" ")));
        }
        Start::Shell | Start::Agent { .. } => {}
    }
    if step.row.pane_flags.dead {
        reasons.push("its program had exited".to_owned());
    }
    let unanswered = facts.unanswered.get(&step.row.cwd);
    if let Some(mount) = unanswered.filter(|_| !step.deferred) {
        let (mount, cwd) = (shown(mount), escape(&step.row.cwd));
        reasons.push(format!("{mount} does not answer: starts in the home instead of {cwd}"));
    } else if !step.has_directory && unanswered.is_none() {
        reasons.push(format!("{} cannot be entered: starts in the home", escape(&step.row.cwd)));
    }
    step.reason = reasons.join("; ");
}

/// Whether a pane comes back without its agent only because a mount does not answer now.
pub(crate) fn deferred(row: &Row, start: &Start, facts: &Facts) -> bool {
    let id = row.conversation.as_deref().and_then(ConversationId::parse);
    matches!(start, Start::ShellBecause(_))
        && id.is_some_and(|id| facts.unreachable.contains_key(id.key().as_bytes()))
}

/// Whether a conversation runs nowhere and nothing resumes it.
fn is_impossible(row: &Row, facts: &Facts) -> bool {
    let id = row.conversation.as_deref().and_then(ConversationId::parse);
    let Some((id, agent)) = id.zip(row.agent.as_deref()) else { return false };
    let key = id.key().as_bytes().to_vec();
    let how = || facts.resumptions.get(&(agent.to_vec(), key.clone()));
    !facts.conversations.contains_key(&key) && matches!(how(), Some(Resumption::Impossible(_)))
}

/// What would run in a pane, unless its agent was closed on purpose.
pub(crate) fn choose(row: &Row, facts: &Facts, taken: &BTreeSet<Vec<u8>>) -> Start {
    let because = |why: String| Start::ShellBecause(why);
    let agent = row.agent.as_deref().map(escape);
    let Some(conversation) = &row.conversation else {
        let Some(agent) = agent else { return program_or_shell(row, facts) };
        return because(format!("{agent} ran here; its conversation is unknown"));
    };
    let agent = agent.unwrap_or_else(|| escape(DEFAULT_AGENT));
    let Some(id) = ConversationId::parse(conversation) else {
        return because(format!("'{}' is not a conversation id", escape(conversation)));
    };
    let key = id.key().as_bytes();
    if let Some(place) = facts.conversations.get(key) {
        return because(format!("conversation {id} {}", facts.is_in(place)));
    }
    if taken.contains(key) {
        return because(format!("conversation {id} is resumed in another pane"));
    }
    if let Some(mount) = facts.unreachable.get(key) {
        return because(format!(
            "{} does not answer: {agent} is resumed here by 'persist restore' once it does",
            shown(mount)
        ));
    }
    match facts.resumptions.get(&(agent.clone().into_bytes(), key.to_vec())) {
        Some(Resumption::Impossible(why)) => because(why.clone()),
        Some(how) => Start::Agent { agent, id, resumption: how.clone() },
        None => because(format!("unknown agent '{agent}'")),
    }
}

/// A program is started only if this site's configuration lists it, or if it is an agent's view of other
/// conversations; the snapshot alone does not count.
fn program_or_shell(row: &Row, facts: &Facts) -> Start {
    let argv = row.program.as_deref().and_then(foreground_program::split);
    argv.filter(|argv| foreground_program::is_kept(argv, &facts.keep))
        .map_or(Start::Shell, |argv| Start::Program(agent::again(argv)))
}
