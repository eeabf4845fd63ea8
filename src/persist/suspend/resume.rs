//! `resume`: starts suspended agents in their panes.

use super::observe::Way;
use super::replace::{self, Locked};
use super::{Held, agent_of, captured, finish, is_running, wanted};
use crate::agent::{ConversationId, Home, Resumption};
use crate::persist::context::Context;
use crate::persist::error::Error;
use crate::persist::report::{Report, SuspendReport, SuspendResult, SuspendedAgent};
use crate::persist::restore::facts::{DEFAULT_AGENT, Facts};
use crate::persist::restore::gather;
use crate::persist::restore_mode::Mode;
use crate::snapshot::{Row, State};
use crate::text::{escape, printable};

/// Starts the suspended agents that are named.
pub fn resume(context: &Context, words: &[String]) -> Report {
    let mut report = SuspendReport::default();
    let done = try_resume(context, words, &mut report);
    report.error = done.err().map(Into::into);
    finish(context, &mut report);
    Report::Suspend(report)
}

fn try_resume(
    context: &Context,
    words: &[String],
    report: &mut SuspendReport,
) -> Result<(), Error> {
    if !is_running(context, report)? {
        return Ok(());
    }
    if context.launcher.is_none() {
        return Err(Error::NoLauncher);
    }
    let held = Held::take(context)?;
    let captured = captured(context, Some(&held))?;
    let home = Home::new(&context.account.home);
    let (mut steps, mut starting) = (Vec::new(), Vec::new());
    for at in wanted(words, &captured)?.unwrap_or_default() {
        let row = &captured.snapshot.rows[at];
        match row.state {
            State::Suspended => {}
            State::Live => {
                report.notes.push(format!("{} is live already", row.label()));
                continue;
            }
            State::Shell | State::Lost => continue,
        }
        let agent = agent_of(row);
        let pane = row.pane_id.ok_or(NotResumed::NoPane);
        match pane.and_then(|pane| Ok((pane, way_back(row, &home)?))) {
            Ok((pane, way)) => {
                let first = captured.pids.get(&pane).copied();
                steps.push(replace::step(row, (pane, first), way));
                starting.push(agent);
            }
            Err(why) => {
                let (result, reason) = (SuspendResult::Refused, why.to_string());
                report.agents.push(SuspendedAgent { result, reason, ..agent });
            }
        }
    }
    if steps.is_empty() {
        if report.agents.is_empty() && report.notes.is_empty() {
            report.notes.push("no suspended agent waits there".to_owned());
        }
        return Ok(());
    }
    let facts = Facts { running: captured.running.clone(), ..Facts::default() };
    let locked = Locked { store: &held.store, lock: &held.lock };
    let results =
        replace::execute(context, &locked, steps, &facts, Mode::Eager, &mut report.notes)?;
    for (agent, result) in starting.into_iter().zip(results) {
        let (result, reason) = match result {
            Ok(()) => (SuspendResult::Resumed, String::new()),
            Err(why) => (SuspendResult::Failed, printable(&why.to_string()).into_owned()),
        };
        report.resumed += u64::from(result == SuspendResult::Resumed);
        report.agents.push(SuspendedAgent { result, reason, ..agent });
    }
    Ok(())
}

/// Why a suspended agent is not started.
#[derive(Debug, thiserror::Error)]
enum NotResumed {
    #[error("its conversation is unknown")]
    UnknownConversation,
    #[error("unknown agent '{0}'")]
    UnknownAgent(String),
    #[error("{0}")]
    Impossible(String),
    #[error("its pane is gone")]
    NoPane,
}

/// How the conversation of a pane that waits comes back.
fn way_back(row: &Row, home: &Home) -> Result<Way, NotResumed> {
    let id = row.conversation.as_deref().and_then(ConversationId::parse);
    let id = id.ok_or(NotResumed::UnknownConversation)?;
    let agent = escape(row.agent.as_deref().unwrap_or(DEFAULT_AGENT));
    match gather::resumption(row, home) {
        Some((_, Resumption::Impossible(why))) => Err(NotResumed::Impossible(why)),
        Some((_, how)) => Ok((agent, id, how)),
        None => Err(NotResumed::UnknownAgent(agent)),
    }
}
