//! Panes of agents that died, until their shells wait at their prompts.

use crate::agent::Home;
use crate::persist::capture::capture;
use crate::persist::context::Context;
use crate::persist::deaths::Death;
use crate::persist::error::Error;
use crate::persist::restore::gather::is_waiting_shell;
use crate::process::Proc;
use crate::sys::clock;
use std::time::{Duration, Instant};

/// How long a pane may take: the launcher reports the end, and a login shell reads its files.
const PATIENCE: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_millis(100);

/// The panes.
#[derive(Debug)]
pub struct Panes;

/// What runs in the pane of a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    Busy,
}

impl Panes {
    /// Waits until in each pane that is still there a shell waits, or nothing runs any more. Gives those that are
    /// ready, and those that are not after some seconds.
    pub fn wait_for_shells(
        context: &Context,
        deaths: Vec<Death>,
    ) -> Result<(Vec<Death>, Vec<Death>), Error> {
        let end = Instant::now() + PATIENCE;
        let (home, proc) = (Home::new(&context.account.home), Proc::default());
        loop {
            let captured = capture(context, None, &home, &proc)?.unwrap_or_default();
            let state = |death: &Death| {
                if captured.snapshot.server != death.server {
                    return State::Ready;
                }
                match death.pane.and_then(|pane| captured.pids.get(&pane)) {
                    Some(pid) if !is_waiting_shell(*pid, context, &proc) => State::Busy,
                    _ => State::Ready,
                }
            };
            if Instant::now() >= end || deaths.iter().all(|death| state(death) == State::Ready) {
                return Ok(deaths.into_iter().partition(|death| state(death) == State::Ready));
            }
            clock::pause(PAUSE);
        }
    }
}
