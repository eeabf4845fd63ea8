//! The clones in the caller's home.
//!
//! Nothing that a person made is removed, replaced or reset: a clone is made beside its location and
//! renamed to it only if nothing is there.

mod clone;
mod config;
mod git;
mod home;
mod inspect;
mod markers;
mod path_state;
mod relocate;
mod update_remotes;

pub(super) use inspect::inspect;

use super::HomeError;
use crate::provision::protocol::CodeTask;
use home::Home;

pub(super) fn perform(task: &CodeTask) -> Result<Vec<String>, HomeError> {
    if !task.is_valid() {
        return Err(HomeError::Request("not the name of a repository"));
    }
    let home = Home::open()?;
    match task {
        CodeTask::Clone { .. } => clone::clone(&home, task),
        CodeTask::RemoveLeftover(location) => clone::remove_leftover(&home, location),
        CodeTask::MoveToWorkspace { url } => relocate::move_to_workspace(&home, url),
        CodeTask::MoveOutOfInfra(repository) => relocate::move_out_of_infra(&home, repository),
        CodeTask::AddRemote(repository) => update_remotes::add_remote(&home, repository),
        CodeTask::SetUpstream(repository) => update_remotes::set_upstream(&home, repository),
        CodeTask::AddSecondRemote { repository, name, address } => {
            update_remotes::add_second_remote(&home, repository, name, address)
        }
        CodeTask::Freshen { clones, seconds } => update_remotes::freshen(&home, clones, *seconds),
    }
}
