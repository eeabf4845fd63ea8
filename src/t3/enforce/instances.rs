//! The instances of the host, and what each runs.

use super::check::{self, Subject};
use super::error::EnforceError;
use super::settings::Enforce;
use super::version::Version;
use super::versions;
use crate::sys::{accounts, clock};
use crate::t3::instance::{Instance, InstanceError};
use crate::t3::paths::{self, Paths};
use crate::t3::units::{self, State};
use nix::unistd::Uid;
use std::time::Duration;

/// How long to wait before an instance is asked again whether it listens.
const PAUSE: Duration = Duration::from_millis(100);

/// An instance that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Running {
    pub user: String,
    pub port: u16,
    /// The version that it says it is, which is installed completely.
    pub version: Version,
}

/// Looks at the instance of a user; `None` if it does not run.
///
/// # Errors
/// If it does not answer, or runs a version that is not installed beside the others: there would be no way back.
pub(super) fn look(
    paths: &Paths,
    settings: &Enforce,
    user: &str,
    port: u16,
) -> Result<Option<Running>, EnforceError> {
    let unit = units::instance(user);
    let Some(state) = units::states(std::slice::from_ref(&unit))?.remove(&unit) else {
        return Ok(None);
    };
    if !state.runs {
        return Ok(None);
    }
    let account = accounts::by_name(user)?;
    let instance = Instance::on(port, settings.step_deadline());
    listens(&instance, account.uid, state, settings)?;
    let version: Version = instance.version()?.parse()?;
    if !versions::is_complete(paths, &version)? {
        let why = format!(
            "it runs {version}, which is not in {}: there is no way back",
            paths.versions().display()
        );
        return Err(EnforceError::check("version", why));
    }
    Ok(Some(Running { user: user.to_owned(), port, version }))
}

/// Waits until the instance of a unit that was started just now listens.
fn listens(
    instance: &Instance,
    user: Uid,
    state: State,
    settings: &Enforce,
) -> Result<(), EnforceError> {
    let began = if state.active { state.since } else { clock::monotonic_in_microseconds() };
    let age = || Duration::from_micros(clock::monotonic_in_microseconds().saturating_sub(began));
    loop {
        match instance.check_owner(user) {
            Err(InstanceError::NotListening(_)) if age() < settings.start_deadline() => {
                clock::pause(PAUSE);
            }
            checked => return Ok(checked?),
        }
    }
}

/// Has the link of a user name what the instance runs.
pub(super) fn record(paths: &Paths, running: &Running) -> Result<(), EnforceError> {
    if versions::of_user(paths, &running.user)?.version() != Some(&running.version) {
        versions::choose(paths, &running.user, &running.version)?;
    }
    Ok(())
}

/// Waits until the instance of a user answers after its start.
///
/// # Errors
/// If it does not in time, or has ended.
pub(super) fn wait(
    paths: &Paths,
    settings: &Enforce,
    running: &Running,
) -> Result<(), EnforceError> {
    checked(paths, running, |subject| {
        let mut runs = || Ok(units::runs(&units::instance(&running.user))?);
        check::wait(subject, settings, &mut runs)
    })
}

/// Checks the instance of a user after its start, as a browser uses it.
///
/// # Errors
/// At the first step that fails.
pub(super) fn verify(
    paths: &Paths,
    settings: &Enforce,
    running: &Running,
) -> Result<(), EnforceError> {
    wait(paths, settings, running)?;
    checked(paths, running, |subject| check::browse(subject, settings).map(drop))
}

fn checked<T>(
    paths: &Paths,
    running: &Running,
    check: impl FnOnce(&Subject<'_>) -> Result<T, EnforceError>,
) -> Result<T, EnforceError> {
    let account = accounts::by_name(&running.user)?;
    check(&Subject {
        account: &account,
        port: running.port,
        program: &versions::program(paths, &running.version),
        base: &paths::base(&account.home),
        version: &running.version,
    })
}
