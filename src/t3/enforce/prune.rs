//! Removes versions that are no longer needed.

use super::error::EnforceError;
use super::settings::Enforce;
use super::state::State;
use super::versions;
use crate::sys::fs::{trusted_path, walk};
use crate::t3::paths::Paths;

/// Removes all installed versions but those that an instance runs or is about to, the last good one and the one before
/// it. Versions that were laid by hand are left to the hand.
pub(super) fn prune(
    paths: &Paths,
    settings: &Enforce,
    state: &State,
    say: &mut dyn FnMut(&str),
) -> Result<(), EnforceError> {
    if settings.install.is_empty() {
        return Ok(());
    }
    let mut kept = versions::in_use(paths)?;
    kept.extend(state.last_good.clone());
    kept.extend(state.previous.clone());
    let dir = trusted_path::open_dir(&paths.versions())?;
    for version in versions::installed(paths)? {
        if kept.contains(&version) {
            continue;
        }
        say(&format!("removing version {version}"));
        let name = version.to_string();
        // Under another name it is none, however far a killed run gets.
        let old = format!(".old-{name}");
        walk::remove(&dir, &old)?;
        dir.place(&name, &old)?;
        walk::remove(&dir, &old)?;
    }
    Ok(())
}
