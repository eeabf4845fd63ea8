//! The budget of memory of each of the users who are restored at once.

use super::config::Config;
use crate::persist::restore_mode::Settings;
use std::path::Path;

/// The host has one budget of memory: it is shared by the users who have something to restore, and
/// counts from the memory that was free before any of them began.
pub(crate) fn shared_by(users: &[String], config: &Config, state_dir: &Path) -> Settings {
    let has_state =
        |user: &&String| state_dir.join(user).symlink_metadata().is_ok_and(|meta| meta.is_dir());
    shared_among(users.iter().filter(has_state).count(), config)
}

/// The budget of each of so many users who are restored at once.
pub(crate) fn shared_among(users: usize, config: &Config) -> Settings {
    let memory = shared::memory::Memory::read(Path::new("/"), 0);
    let users = u64::try_from(users).unwrap_or(u64::MAX).max(1);
    Settings { users, host: memory.host, ..config.restore.clone() }
}
