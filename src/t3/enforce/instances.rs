//! The instances of the host, and what each runs.

use super::check::{self, Subject};
use super::error::EnforceError;
use super::settings::Enforce;
use super::unit;
use super::version::Version;
use super::versions;
use crate::sys::accounts;
use crate::t3::instance::Instance;
use crate::t3::paths::{self, Paths};

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
    if !unit::state(user)?.active {
        return Ok(None);
    }
    let account = accounts::by_name(user)?;
    let instance = Instance::on(port, settings.step_deadline());
    instance.check_owner(account.uid)?;
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

/// Has the link of a user name what the instance runs.
pub(super) fn record(paths: &Paths, running: &Running) -> Result<(), EnforceError> {
    if versions::of_user(paths, &running.user)?.version() != Some(&running.version) {
        versions::choose(paths, &running.user, &running.version)?;
    }
    Ok(())
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
    let account = accounts::by_name(&running.user)?;
    let subject = Subject {
        account: &account,
        port: running.port,
        program: &versions::program(paths, &running.version),
        base: &paths::base(&account.home),
        version: &running.version,
    };
    let mut runs = || Ok(unit::state(&running.user)?.active);
    check::wait(&subject, settings, &mut runs)?;
    check::browse(&subject, settings).map(drop)
}
