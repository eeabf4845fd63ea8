//! The removal of the account and the frozen home: only after the archive was compared once more, the
//! delay has passed, and name and digest were typed. The only stage that nothing undoes.

use super::archive::{self, ArchiveFile};
use super::error::{AccountError, ArchiveError, OffboardError, PolicyError, StageError};
use super::record::{CutRecord, CutRecordFile, Stage};
use super::settings::Settings;
use super::step_runner::{StageReport, StepLog, StepResult, StepRunner};
use super::steps::RemoveStep;
use super::{account, frozen, policy, processes, sharers, units};
use crate::sys::fs::walk;
use crate::sys::{Dir, clock};
use std::path::Path;

/// What to remove.
#[derive(Debug, Clone, Copy)]
pub struct RemovalRequest<'a> {
    /// The OS user.
    pub user: &'a str,
    pub archive: &'a Path,
    /// `NAME@DIGEST`, as it was typed.
    pub confirm: &'a str,
}

/// Records that the uid of a user is never given again, before anything is removed.
pub type RetireUid<'a> =
    dyn FnMut(&str, u32) -> Result<(), Box<dyn std::error::Error + Send + Sync>> + 'a;

/// Removes the account and the frozen home, by the steps of [`RemoveStep::ALL`].
///
/// # Errors
/// When it is refused, or which step failed: then the same command goes on from there.
pub fn remove(
    state: &Dir,
    request: &RemovalRequest<'_>,
    settings: &Settings,
    log: &mut dyn StepLog,
    retire_uid: &mut RetireUid<'_>,
) -> Result<StageReport, StageError> {
    let mut file = allowed(state, request, settings)?;
    let mut runner = StepRunner::new(request.user, log);
    for step in RemoveStep::ALL {
        if !runner.has_failed() {
            runner.run(step, || perform(step, &mut file, retire_uid));
        }
    }
    Ok(runner.finish()?)
}

fn perform(
    step: RemoveStep,
    file: &mut CutRecordFile,
    retire_uid: &mut RetireUid<'_>,
) -> StepResult {
    match step {
        RemoveStep::RetireUid => {
            let (user, uid) = (file.record.user.clone(), file.record.uid);
            retire_uid(&user, uid).map_err(OffboardError::RetireUid)?;
            file.record.stage = Stage::Removing;
            file.save()?;
            Ok(vec![format!("uid {uid}: never reused")])
        }
        RemoveStep::RemoveAccount => remove_account(&file.record),
        RemoveStep::RemoveHome => remove_home(&file.record),
        RemoveStep::UnmaskUnits => units::unmask(file),
        RemoveStep::RetireRecord => Ok(file.retire("removed").map(|()| Vec::new())?),
    }
}

/// What a removal would do now, as lines. Reads the archive; changes nothing.
///
/// # Errors
/// When it would be refused.
pub fn preview(
    state: &Dir,
    request: &RemovalRequest<'_>,
    settings: &Settings,
) -> Result<Vec<String>, StageError> {
    let record = allowed(state, request, settings)?.record;
    let place = record.frozen.map_or_else(String::new, |frozen| frozen.place);
    let user = request.user;
    Ok(vec![format!("remove the account {user}"), format!("remove {place} and all below it")])
}

fn allowed(
    state: &Dir,
    request: &RemovalRequest<'_>,
    settings: &Settings,
) -> Result<CutRecordFile, OffboardError> {
    let user = request.user;
    let Some(file) = CutRecordFile::load(state, user)? else {
        return Err(PolicyError::NotCut { user: user.to_owned() }.into());
    };
    let record = &file.record;
    policy::check_time(record, settings.remove_after_days, clock::now())?;
    let digits = policy::confirmed_digits(user, request.confirm)?;
    sharers::check_home(user, &record.home)?;
    if record.frozen.is_none() {
        return Err(ArchiveError::NotArchived { user: user.to_owned() }.into());
    }
    let archive = ArchiveFile::open(request.archive)?;
    let digest = archive.digest()?;
    if !digest.starts_with(&digits) {
        return Err(ArchiveError::OtherDigest(archive.path()).into());
    }
    if !record.archives.iter().any(|archive| archive.digest == digest) {
        return Err(ArchiveError::OtherHome(archive.path()).into());
    }
    if record.stage == Stage::Removing {
        return Ok(file); // it was compared before anything was removed
    }
    account::recorded(user, record.uid)?;
    sharers::check_uid(user, record.uid)?;
    let running = processes::running(&processes::uids_of(record))?;
    if !running.is_empty() {
        let (user, names) = (user.to_owned(), processes::names(&running));
        return Err(PolicyError::Running { user, names }.into());
    }
    let (parent, home) = frozen::existing(record)?;
    archive::verify(&parent, &home, &archive)?;
    Ok(file)
}

fn remove_account(record: &CutRecord) -> StepResult {
    let user = record.user.as_str();
    let mut lines = Vec::new();
    if account::find(user)?.is_some() {
        account::recorded(user, record.uid)?;
        account::run_tool("userdel", &[user])?;
        if account::find(user)?.is_some() {
            return Err(AccountError::NotRemoved { user: user.to_owned() }.into());
        }
        lines.push(format!("account {user}: removed"));
    }
    if account::is_empty_group(user)? {
        account::run_tool("groupdel", &[user])?;
        lines.push(format!("group {user}: removed"));
    }
    Ok(lines)
}

fn remove_home(record: &CutRecord) -> StepResult {
    let Some(frozen) = &record.frozen else { return Ok(Vec::new()) };
    if let Some((parent, name)) = frozen::find(frozen)? {
        walk::remove(&parent, &name)?;
    }
    Ok(vec![format!("{}: removed", frozen.place)])
}
