//! Ends what an interrupted restore left: incomplete sessions, perhaps with agents that it had
//! already started.

use crate::persist::capture::BUILDER_PREFIX;
use crate::persist::context::Context;
use crate::process::Proc;
use crate::sys::{clock, fs};
use crate::tmux::{Pane, TmuxError, command};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Ends the sessions of these panes and waits for their processes, so that the plan does not take
/// their conversations for live. The caller holds the server's lock: no other restore is running.
pub(crate) fn end(context: &Context, panes: &[Pane]) -> Result<(), TmuxError> {
    let proc = Proc::default();
    let mut running = Vec::new();
    for pane in panes.iter().filter(|pane| !pane.dead) {
        proc.visit(pane.pid, |process| {
            running.push((process.pid, process.stat.start));
            true
        });
    }
    let sessions: BTreeSet<u32> = panes.iter().map(|pane| pane.session_id).collect();
    let lines: Vec<_> = sessions.into_iter().map(command::kill_session).collect();
    let name = format!("{BUILDER_PREFIX}{}", fs::random_hex());
    let mut builder = context.server.build(&name, std::path::Path::new("/"))?;
    builder.exchange(&lines)?; // a session that has ended meanwhile is no failure
    builder.finish()?;
    // They got SIGHUP. What survives the deadline is live, and the plan skips it.
    let end = Instant::now() + context.server.deadline;
    let is_running =
        |(pid, start): &(i32, u64)| proc.stat(*pid).is_some_and(|stat| stat.start == *start);
    while running.iter().any(is_running) && Instant::now() < end {
        clock::pause(Duration::from_millis(5));
    }
    Ok(())
}
