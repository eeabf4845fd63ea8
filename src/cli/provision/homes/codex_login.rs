//! `provision codex-login`: after a member renewed the shared login, the others can read it again.

use crate::cli::exit::{Exit, Failure};
use crate::cli::provision::config::Config;
use crate::cli::provision::output::Output;
use crate::cli::provision::root_run::require_root;
use crate::provision::apply::codex_login;
use crate::sys::accounts;

pub(in crate::cli::provision) fn share(output: Output, config: &Config) -> Result<Exit, Failure> {
    require_root("provision codex-login")?;
    let Some(login) = &config.agents.codex_login else {
        output.note("provision.agents.codex_login is not set: nothing to share");
        return Ok(Exit::Done);
    };
    let group = &login.group.0;
    let gid = accounts::gid_of(group).map_err(Failure::failed)?;
    let gid = gid.ok_or_else(|| Failure::failed(format!("no group {group}")))?;
    let lines = codex_login::share(login.directory.as_str(), gid.as_raw(), None);
    lines.map_err(Failure::failed)?.iter().for_each(|line| output.note(line));
    Ok(Exit::Done)
}
