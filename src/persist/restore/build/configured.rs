//! Sessions that the user's configuration makes as the server starts.
//!
//! It is read between the plan and the building, so a saved session may meet one of its name. If that
//! one has nothing but waiting shells and no client, as a configuration makes it at every start, the
//! saved one takes its place. Otherwise it is restored beside it.

use super::Connection;
use crate::persist::capture::session_origin::free_name;
use crate::persist::context::Context;
use crate::persist::restore::recheck::LiveState;
use crate::persist::restore::step::{Action, Start, Step};
use crate::sys::clock;
use crate::tmux::TmuxError;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long the shells of such a session may take to come to their prompts.
const SETTLE: Duration = Duration::from_secs(3);

/// What happens to a saved session whose name the configuration has used.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// It takes the place of the configuration's.
    Instead(u32),
    /// It gets this name.
    Beside(Vec<u8>),
    /// The configuration has made just the same.
    Same,
}

/// The sessions of the configuration whose names are those of saved ones.
#[derive(Debug, Default)]
pub(crate) struct Configured(BTreeMap<Vec<u8>, Place>);

impl Configured {
    /// Decides for each session that `steps` create. Nothing if the server ran before.
    pub(crate) fn of(
        context: &Context,
        connection: &mut Connection,
        live: &LiveState<'_>,
        steps: &[Step],
    ) -> Result<Self, TmuxError> {
        let made = |step: &&Step| step.selected && step.action == Action::New;
        let mut names: BTreeSet<&[u8]> = steps.iter().map(|step| &step.target[..]).collect();
        let met: BTreeSet<&[u8]> = steps
            .iter()
            .filter(made)
            .map(|step| step.target.as_slice())
            .filter(|name| live.has_session(name))
            .collect();
        if met.is_empty() || !connection.began_server() {
            return Ok(Self::default());
        }
        let sessions = connection.sessions()?;
        names.extend(sessions.iter().map(|(_, _, name)| name.as_slice()));
        let hhmm = clock::hhmm(context.now);
        let mut places = BTreeMap::new();
        let end = Instant::now() + SETTLE;
        for name in met {
            let Some((id, attached, _)) = sessions.iter().find(|(.., other)| other == name) else {
                continue;
            };
            let waits = || {
                while !live.only_waiting_shells(name) {
                    if Instant::now() > end {
                        return false;
                    }
                    clock::pause(Duration::from_millis(20));
                }
                true
            };
            let saved: Vec<&Step> =
                steps.iter().filter(made).filter(|step| step.target == name).collect();
            let place = if !attached && waits() {
                Place::Instead(*id)
            } else if saved.iter().all(|step| step.start == Start::Shell)
                && live.has_just(name, &saved)
            {
                Place::Same
            } else {
                Place::Beside(free_name(name, &hhmm, |other| names.contains(other)))
            };
            places.insert(name.to_vec(), place);
        }
        Ok(Self(places))
    }

    /// Gives a step the name that its session gets; why it is not executed, if it is not. `None` if the
    /// configuration has no session of its name.
    pub(crate) fn settle(&self, step: &mut Step) -> Option<Result<(), &'static str>> {
        if !step.selected || step.action != Action::New {
            return None;
        }
        match self.0.get(&step.target)? {
            Place::Instead(_) => {}
            Place::Same => return Some(Err("the configuration has made the same session")),
            Place::Beside(name) => {
                step.action = Action::Renamed;
                name.clone_into(&mut step.target);
                "the configuration has made a session of its name".clone_into(&mut step.reason);
            }
        }
        Some(Ok(()))
    }

    /// The sessions that are replaced.
    pub(crate) fn replaced(&self) -> Vec<u32> {
        let id = |place: &Place| if let Place::Instead(id) = place { Some(*id) } else { None };
        self.0.values().filter_map(id).collect()
    }
}
