//! What agents do by their own accounts, where neither what a save reads nor a mark says it: reading them costs more
//! than a save may take.

use super::Capture;
use super::agents::environment_of;
use crate::agent::{self, Home, Status};
use crate::process::Proc;

/// Completes what the agents in the panes do.
pub(crate) fn complete(captured: &mut Capture, home: &Home, proc: &Proc) {
    for row in &captured.snapshot.rows {
        let sighting = row.pane_id.and_then(|pane| captured.sightings.get_mut(&pane));
        let Some(sighting) = sighting.filter(|seen| !seen.waits && seen.status.is_none()) else {
            continue;
        };
        let Some((id, _)) = &sighting.conversation else { continue };
        let (environment, cwd) = environment_of(row);
        let account = || {
            let agent = agent::by_name(sighting.agent.as_bytes())?;
            let process = proc.process(sighting.pid, sighting.depth)?;
            agent.account(&process, id, &home.of(&environment, &cwd))
        };
        let account = account();
        let since = account.as_ref().and_then(|account| account.since);
        let status = account.map(|account| Status { doing: account.doing, waiting_for: None });
        captured.statuses.extend(status.clone().map(|status| (id.key().into(), status)));
        (sighting.status, sighting.since) = (status, since);
    }
}
