//! `status`: when the user was last saved and what failed, from the files of the state directory and
//! whether a tmux server listens; and what the agents do, for which the server is asked, but not waited for for long.
//! Nothing is written.
//!
//! Sessions that the newest snapshot has and that cannot be there count as lost: after a restore at boot that
//! failed, and after a server that ended without their having been closed.

use super::events;
use crate::agent::Home;
use crate::persist::capture::{capture, doing};
use crate::persist::context::Context;
use crate::persist::report::{ByDoing, ByState, Report, ServerState, StatusReport};
use crate::persist::save::missing::{self, Missing};
use crate::persist::stranded_server;
use crate::process::Proc;
use crate::snapshot::{Snapshot, State};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the server may take to answer.
const ANSWER: Duration = Duration::from_secs(1);

/// Reports when the user was last saved and what failed.
pub fn status(context: &Context) -> Report {
    let mut report = StatusReport::default();
    let mut notes = Vec::new();
    match context.server.is_listening() {
        Ok(true) => {
            report.server = ServerState::Running;
            report.server_since = context.server.socket.made();
        }
        Ok(false) => {}
        Err(error) => {
            report.server = ServerState::Refused;
            notes.push(format!("the tmux server cannot be saved: {error}"));
        }
    }
    report.not_restored = missing::is_to_be_restored(context);
    let (mut stranded, mut newest) = (None, None);
    let read = context.store().and_then(|store| {
        let Some(store) = store else { return Ok(()) };
        report.enter(&store.activity(&mut notes));
        report.watched = store.is_watched();
        if let Some((_, stored)) = store.newest(&mut notes)? {
            report.snapshot = Some(stored.id.to_string());
            report.taken = Some(stored.id.seconds());
            if report.server == ServerState::None {
                stranded = stranded_server::find(context, &stored.snapshot);
            }
            let is_running = report.server != ServerState::None || stranded.is_some();
            let Missing { snapshot, not_restored, ended } =
                missing::find(context, &store, stored, is_running, &mut notes);
            (report.not_restored_sessions, report.ended_sessions) = (not_restored, ended);
            (report.sessions, report.panes) = count(&snapshot);
            newest = Some(snapshot);
        }
        Ok(())
    });
    report.error = read.err().map(Into::into);
    if let Some(error) = stranded {
        report.server = ServerState::Refused;
        report.error.get_or_insert(error.into());
    }
    if report.server == ServerState::Running {
        report.agents = agents(context, newest.as_ref(), &mut notes);
    }
    report.events = events::counts(context, &mut notes);
    report.notes = notes;
    Report::Status(Box::new(report))
}

/// The agents in panes by what they do. If the server does not answer, that is not known of those that the newest
/// snapshot has.
fn agents(context: &Context, newest: Option<&Snapshot>, notes: &mut Vec<String>) -> ByDoing {
    let mut context = context.clone();
    context.server.deadline = context.server.deadline.min(ANSWER);
    let (home, proc) = (Home::new(&context.account.home), Proc::default());
    let mut agents = ByDoing::default();
    match capture(&context, newest, &home, &proc) {
        Ok(captured) => {
            let mut captured = captured.unwrap_or_default();
            doing::complete(&mut captured, &home, &proc);
            for sighting in captured.sightings.values().filter(|sighting| !sighting.waits) {
                agents.count(sighting.status.as_ref().map(|status| status.doing));
            }
        }
        Err(error) => {
            notes.push(format!("what the agents do is not known: {error}"));
            let rows = newest.into_iter().flat_map(|snapshot| &snapshot.rows);
            rows.filter(|row| row.state == State::Live).for_each(|_| agents.count(None));
        }
    }
    agents
}

/// Sessions and panes by state.
fn count(snapshot: &Snapshot) -> (ByState, ByState) {
    let rank = |state: State| match state {
        State::Live => 0,
        State::Suspended => 1,
        State::Lost => 2,
        State::Shell => 3,
    };
    let mut panes = ByState::default();
    let mut best: BTreeMap<&[u8], State> = BTreeMap::new();
    for row in &snapshot.rows {
        panes.count(row.state);
        let state = best.entry(&row.session).or_insert(row.state);
        if rank(row.state) < rank(*state) {
            *state = row.state;
        }
    }
    let mut sessions = ByState::default();
    for state in best.into_values() {
        sessions.count(state);
    }
    (sessions, panes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Row;

    #[test]
    fn a_session_counts_once_by_the_most_alive_of_its_panes() {
        let row = |session: &str, state| Row { session: session.into(), state, ..Row::default() };
        let rows = vec![
            row("a", State::Lost),
            row("a", State::Live),
            row("b", State::Shell),
            row("b", State::Lost),
            row("c", State::Shell),
            row("d", State::Suspended),
        ];
        let (sessions, panes) = count(&Snapshot { rows, ..Snapshot::default() });
        assert_eq!(sessions.named().map(|(_, n)| n), [1, 1, 1, 1]);
        assert_eq!(panes.named().map(|(_, n)| n), [1, 1, 2, 2]);
    }
}
