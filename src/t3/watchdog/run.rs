//! One run: all instances are asked at the same time, so that one that hangs delays no other.

use super::decide::{Decision, Probe, decide, is_due};
use super::record::{self, RecordError, Records};
use crate::sys::process::parallel;
use crate::sys::process::tool::ToolError;
use crate::sys::{FileError, accounts, clock};
use crate::t3::instance::{Instance, InstanceError};
use crate::t3::paths::Paths;
use crate::t3::served::{self, ServedError};
use crate::t3::settings::Watchdog;
use crate::t3::units::{self, State};
use std::time::Duration;

/// Maximum number of instances that are asked at once.
const MAX_AT_ONCE: usize = 512;

/// Why a run did nothing.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error(transparent)]
    Served(#[from] ServedError),
    #[error(transparent)]
    Units(#[from] ToolError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// What a run saw and did for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    pub user: String,
    pub decision: Decision,
    /// What is said of it: why it did not answer, or why its restart could not be asked for.
    pub why: String,
}

/// Asks all instances, and has those restarted that are due for it: by `t3-restart@USER.service`, so that a run is
/// over in seconds whatever a backup takes. Gives what is worth a line.
///
/// # Errors
/// Then nothing was changed.
pub fn run(paths: &Paths, settings: &Watchdog) -> Result<Vec<Watched>, WatchError> {
    let _lock = record::lock(paths)?;
    let ports: Vec<(String, u16)> = served::ports(paths)?.into_iter().collect();
    let mut records = record::read(paths)?;
    let names: Vec<String> = ports.iter().map(|(user, _)| units::instance(user)).collect();
    let states = units::states(&names)?;
    let now = clock::monotonic_in_microseconds();
    let probe = |(user, port): &(String, u16)| {
        let state = states.get(&units::instance(user)).copied();
        probe(user, *port, state, now, settings)
    };
    let probes = parallel::for_each(&ports, MAX_AT_ONCE, probe);
    records.retain(|user, _| ports.iter().any(|(served, _)| served == user));
    let mut watched = Vec::new();
    for ((user, _), probe) in ports.iter().zip(probes) {
        watched.extend(judge(user, probe, now / 1_000_000, &mut records, settings));
    }
    records.retain(|_, record| !record.is_empty());
    // First, so that no restart is forgotten.
    record::write(paths, &records)?;
    for one in watched.iter_mut().filter(|one| one.decision == Decision::Restart) {
        if let Err(error) = units::start_later(&format!("t3-restart@{}.service", one.user)) {
            one.why = format!("{}; the restart was not begun: {error}", one.why);
        }
    }
    Ok(watched)
}

/// `None` for an instance that is not to be judged: it is not to run, or was started just now.
fn probe(
    user: &str,
    port: u16,
    state: Option<State>,
    now: u64,
    settings: &Watchdog,
) -> Option<Probe> {
    let Some(State { active, since, .. }) = state else {
        return Some(Probe::Unknown("systemctl says nothing of it".to_owned()));
    };
    if !active || !is_due(Duration::from_micros(now.saturating_sub(since)), settings) {
        return None;
    }
    let uid = match accounts::uid_of(user) {
        Ok(Some(uid)) => uid,
        Ok(None) => return Some(Probe::Unknown("there is no such account".to_owned())),
        Err(error) => return Some(Probe::Unknown(error.to_string())),
    };
    let instance = Instance::on(port, settings.deadline_seconds);
    let asked = instance.check_owner(uid).and_then(|()| instance.session(&[]).map(drop));
    Some(match asked {
        // An error is an answer: a restart would not unlock a database, nor empty a disk.
        Ok(()) | Err(InstanceError::Status { .. } | InstanceError::Answer { .. }) => Probe::Answers,
        Err(error @ InstanceError::OtherOwner { .. }) => Probe::Taken(error.to_string()),
        Err(error @ InstanceError::Owner { .. }) => Probe::Unknown(error.to_string()),
        Err(error) => Probe::Silent(error.to_string()),
    })
}

fn judge(
    user: &str,
    probe: Option<Probe>,
    now: u64,
    records: &mut Records,
    settings: &Watchdog,
) -> Option<Watched> {
    let record = records.entry(user.to_owned()).or_default();
    let Some(probe) = probe else {
        record.forget();
        return None;
    };
    let decision = decide(now, &probe, record, settings);
    let why = match &probe {
        Probe::Unknown(why) => why.clone(),
        _ => record.why.clone(),
    };
    let is_said = decision != Decision::Nothing || matches!(probe, Probe::Unknown(_));
    is_said.then(|| Watched { user: user.to_owned(), decision, why })
}
