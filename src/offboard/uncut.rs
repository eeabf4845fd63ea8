//! Undoes a cut, finished or not: everything becomes as it was recorded.

use super::error::{OffboardError, PolicyError, StageError};
use super::record::{CutRecordFile, Stage};
use super::settings::Settings;
use super::step_runner::{StageReport, StepLog, StepResult, StepRunner};
use super::steps::UncutStep;
use super::{account, archive, cut, frozen, jobs, tables, units};
use crate::sys::Dir;
use std::path::Path;

/// Restores a user as before the cut, by the steps of [`UncutStep::ALL`]. `state` is
/// `/var/lib/terminal-lobby`, whose run lock the caller holds.
///
/// # Errors
/// When the user is not cut or is being removed; or which steps failed.
pub fn uncut(
    state: &Dir,
    user: &str,
    settings: &Settings,
    log: &mut dyn StepLog,
) -> Result<StageReport, StageError> {
    let mut file = find(state, user)?;
    file.record.stage = Stage::Undoing;
    file.save().map_err(OffboardError::from)?;
    let mut runner = StepRunner::new(user, log);
    for step in UncutStep::ALL {
        if step != UncutStep::RetireRecord || !runner.has_failed() {
            runner.run(step, || perform(step, &mut file, settings));
        }
    }
    Ok(runner.finish()?)
}

fn perform(step: UncutStep, file: &mut CutRecordFile, settings: &Settings) -> StepResult {
    match step {
        UncutStep::RemoveUnfinishedArchive => archive::remove_unfinished(file),
        UncutStep::PutHomeBack => frozen::thaw(file),
        UncutStep::JoinGroups => account::join_groups(file),
        UncutStep::UnmaskUnits => units::restore(file),
        UncutStep::PutFilesBack => jobs::put_back(file),
        UncutStep::RestoreLogin => account::unlock(file),
        UncutStep::RestoreLinger => account::restore_linger(file),
        UncutStep::RestoreCluster => restore_cluster(file, settings),
        UncutStep::StartUnits => {
            let tables = tables::come_back(file, Path::new("/"));
            Ok([tables?, units::start(file)?].concat())
        }
        UncutStep::RetireRecord => Ok(file.retire("undone").map(|()| Vec::new())?),
    }
}

/// What undoing would do now, as lines.
///
/// # Errors
/// When it would be refused.
pub fn preview(state: &Dir, user: &str) -> Result<Vec<String>, StageError> {
    let record = find(state, user)?.record;
    let mut lines = Vec::new();
    if let Some(frozen) = &record.frozen {
        lines.push(format!("move {} back to {}", frozen.place, record.home));
    }
    lines.extend(record.groups.iter().map(|group| format!("add {user} to group {group} again")));
    lines.extend(record.units.keys().map(|unit| format!("restore unit {unit} as it was")));
    lines.extend(record.files.values().map(|path| format!("put {path} back")));
    if let Some(login) = &record.login {
        let password =
            if login.locked { "leave the password locked" } else { "unlock the password" };
        lines.push(format!("{password} of {user}, and restore the expiry"));
    }
    if record.linger == Some(true) {
        lines.push(format!("restore lingering of {user}"));
    }
    Ok(lines)
}

fn find(state: &Dir, user: &str) -> Result<CutRecordFile, OffboardError> {
    let Some(file) = CutRecordFile::load(state, user)? else {
        return Err(PolicyError::NothingToUndo { user: user.to_owned() }.into());
    };
    if file.record.stage == Stage::Removing {
        return Err(PolicyError::BeingRemoved { user: user.to_owned() }.into());
    }
    account::recorded(user, file.record.uid)?;
    Ok(file)
}

fn restore_cluster(file: &mut CutRecordFile, settings: &Settings) -> StepResult {
    let k8s_user = file.record.k8s_user.clone();
    if !file.record.cluster_revoked {
        return Ok(Vec::new());
    }
    let Some(argv) = &settings.restore_cluster else {
        return Ok(vec![format!(
            "cluster access of {k8s_user}: not restored, as no command is configured; restore it by \
             hand"
        )]);
    };
    cut::run_cluster_command(argv, &k8s_user)?;
    file.record.cluster_revoked = false;
    file.save()?;
    Ok(vec![format!("cluster access of {k8s_user}: restored")])
}
