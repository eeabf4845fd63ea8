//! Which agents the user can start.

use super::sessions::Sessions;
use crate::error::Error;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use terminal_lobby::agent;
use terminal_lobby::sys::mounts;

impl Sessions {
    /// Names of those whose program is where the launcher looks first: in `~/.local/bin`, then on PATH; none
    /// without the launcher.
    ///
    /// # Errors
    /// If the search itself fails.
    pub async fn installed_agents(&self) -> Result<Vec<String>, Error> {
        if self.launcher().is_none() {
            return Ok(Vec::new());
        }
        let own = self.directory("~/.local/bin");
        let search = move || {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let dirs = std::iter::once(own).chain(std::env::split_paths(&path));
            let answers = |dir: &PathBuf| dir.is_absolute() && mounts::unanswered(dir).is_none();
            let dirs: Vec<PathBuf> = dirs.filter(answers).collect();
            let is_installed = |name: &&str| dirs.iter().any(|dir| is_program(&dir.join(name)));
            agent::all().map(agent::Agent::name).filter(is_installed).map(str::to_owned).collect()
        };
        Ok(tokio::task::spawn_blocking(search).await?)
    }
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
