//! The cut: afterwards no login of the user works and none of the user's processes runs. It deletes
//! nothing, and [`super::uncut`] undoes all of it.

use super::error::{OffboardError, PolicyError, StageError};
use super::record::{CutRecord, CutRecordFile, Stage};
use super::settings::{Settings, argv_for};
use super::step_runner::{StageReport, StepLog, StepResult, StepRunner};
use super::steps::CutStep;
use super::{
    CutTarget, account, aftermath, frozen, jobs, last_save, policy, processes, sharers, tables,
    units,
};
use crate::sys::Dir;
use crate::sys::fs::trusted_path;
use crate::sys::process::signal_all::AccountUids;
use crate::sys::process::tool;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// How long the configured command may take.
const CLUSTER_DEADLINE: Duration = Duration::from_mins(2);
/// How often the processes are ended so that the login can be locked.
const LOCK_ROUNDS: u32 = 3;

/// Cuts a user off, by the steps of [`CutStep::ALL`]. `state` is `/var/lib/terminal-lobby`, whose run
/// lock the caller holds. Safe to run repeatedly: what is done stays, what is left is done.
///
/// # Errors
/// When it is refused, or which steps failed: a step that fails does not stop the others.
pub fn cut(
    state: &Dir,
    target: &CutTarget,
    settings: &Settings,
    log: &mut dyn StepLog,
) -> Result<StageReport, StageError> {
    run_steps(&CutStep::ALL, state, target, settings, log)
}

/// Takes the access away, by the steps of [`CutStep::URGENT`]: for a caller who does not hold the run lock,
/// and does the rest when it is free.
///
/// # Errors
/// As [`cut`].
pub fn urgent(
    state: &Dir,
    target: &CutTarget,
    settings: &Settings,
    log: &mut dyn StepLog,
) -> Result<StageReport, StageError> {
    run_steps(&CutStep::URGENT, state, target, settings, log)
}

fn run_steps(
    steps: &[CutStep],
    state: &Dir,
    target: &CutTarget,
    settings: &Settings,
    log: &mut dyn StepLog,
) -> Result<StageReport, StageError> {
    let mut file = begin(state, target)?;
    let mut runner = StepRunner::new(&target.user, log);
    for &step in steps {
        let skipped = match step {
            CutStep::SaveSessions => file.record.stage == Stage::Cut && file.record.saved,
            CutStep::RecordCut => runner.has_failed(),
            _ => false,
        };
        if !skipped {
            runner.run(step, || perform(step, &mut file, target, settings));
        }
    }
    Ok(runner.finish()?)
}

fn perform(
    step: CutStep,
    file: &mut CutRecordFile,
    target: &CutTarget,
    settings: &Settings,
) -> StepResult {
    let (user, uid) = (&target.user, file.record.uid);
    match step {
        CutStep::StopProcesses => {
            let tables = if target.leaves_tables {
                tables::leave(file, Path::new("/"))
            } else {
                Ok(Vec::new())
            };
            let lobby = units::close_lobby(file);
            let lines = processes::stop_all(&file.record)?;
            Ok([tables?, lobby?, lines].concat())
        }
        CutStep::SaveSessions => last_save::save(file),
        CutStep::KillProcesses => processes::kill_once(&file.record),
        CutStep::LockLogin => lock(file),
        CutStep::EndLinger => account::end_linger(file),
        CutStep::MaskUnits => units::mask(file),
        CutStep::MoveJobs => jobs::move_away(file, &jobs::scheduled(user, uid)?),
        CutStep::MoveTokens => jobs::move_away(file, &jobs::environments(user)?),
        CutStep::LeaveGroups => account::leave_groups(file, &granted_groups(target, settings)),
        CutStep::EndProcesses => processes::end_all(&file.record),
        CutStep::CloseHome => frozen::close(file),
        CutStep::FindSetIdFiles => aftermath::set_id_files(file, settings),
        CutStep::RevokeCluster => revoke(file, settings),
        CutStep::CheckAgain => {
            let mut lines = jobs::move_away(file, &jobs::present(user, uid)?)?;
            lines.extend(processes::end_all(&file.record)?);
            Ok(lines)
        }
        CutStep::RecordCut => {
            file.record.stage = Stage::Cut;
            let lines = aftermath::to_do(file);
            file.save()?;
            Ok(lines)
        }
    }
}

/// What a cut would do now, as lines, in the order of its steps.
///
/// # Errors
/// When it would be refused, or the host cannot be inspected.
pub fn preview(
    state: &Dir,
    target: &CutTarget,
    settings: &Settings,
) -> Result<Vec<String>, StageError> {
    let facts = inspect(state, target)?;
    let mut lines = Vec::new();
    for step in CutStep::ALL {
        lines.extend(preview_step(step, &facts, target, settings)?);
    }
    Ok(lines)
}

fn preview_step(
    step: CutStep,
    facts: &Facts,
    target: &CutTarget,
    settings: &Settings,
) -> StepResult {
    let (user, uid) = (&target.user, facts.uid);
    let move_away = |files: Vec<String>| {
        files.into_iter().map(|file| format!("move {file} away")).collect::<Vec<_>>()
    };
    Ok(match step {
        CutStep::LockLogin => {
            vec![format!("lock the password of {user}, and let the account expire")]
        }
        CutStep::MaskUnits => {
            let units = units::present(user, uid)?;
            units.keys().map(|unit| format!("stop, disable and mask {unit}")).collect()
        }
        CutStep::MoveJobs => move_away(jobs::scheduled(user, uid)?),
        CutStep::MoveTokens => move_away(jobs::environments(user)?),
        CutStep::LeaveGroups => {
            let granted = granted_groups(target, settings);
            let (leave, _) = account::groups_to_leave(user, facts.gid, &granted)?;
            leave.iter().map(|group| format!("remove {user} from group {group}")).collect()
        }
        CutStep::EndProcesses => {
            let ranges = account::subuids(user, uid)?;
            let ranges = ranges.into_iter().map(|(first, last)| first..=last).collect();
            let running = processes::running(&AccountUids { uid, ranges })?;
            vec![format!("end {}", crate::text::table::count(running.len(), "process"))]
        }
        CutStep::RevokeCluster => vec![match &settings.revoke_cluster {
            Some(argv) if !target.k8s_user.is_empty() => {
                format!("run {}", argv_for(argv, &target.k8s_user).join(" "))
            }
            _ => not_revoked(&target.k8s_user),
        }],
        CutStep::SaveSessions => vec![format!("save the sessions of {user} a last time")],
        CutStep::EndLinger => vec![format!("end lingering of {user}")],
        // Nothing to show that the other steps do not.
        CutStep::StopProcesses
        | CutStep::KillProcesses
        | CutStep::CheckAgain
        | CutStep::FindSetIdFiles
        | CutStep::RecordCut => Vec::new(),
        CutStep::CloseHome => vec![format!("make {} root's alone", facts.home)],
    })
}

/// The record to go on with: that of an earlier try, or a new one.
fn begin(state: &Dir, target: &CutTarget) -> Result<CutRecordFile, OffboardError> {
    let facts = inspect(state, target)?;
    let user = &target.user;
    if let Some(mut file) = CutRecordFile::load(state, user)? {
        account::recorded(user, file.record.uid)?;
        match file.record.stage {
            Stage::Removing => return Err(PolicyError::BeingRemoved { user: user.clone() }.into()),
            Stage::Undoing => {
                file.record.stage = Stage::Cutting;
                file.record.cluster_revoked = false;
                file.save()?;
            }
            Stage::Cutting | Stage::Cut => {}
        }
        return Ok(file);
    }
    let subuids = account::subuids(user, facts.uid)?;
    let record = CutRecord::new(target, (facts.uid, facts.home), subuids);
    let file = CutRecordFile::new(state, record)?;
    file.save()?;
    Ok(file)
}

/// The account of a user who may be cut.
struct Facts {
    uid: u32,
    gid: u32,
    home: String,
}

fn inspect(state: &Dir, target: &CutTarget) -> Result<Facts, OffboardError> {
    let user = &target.user;
    policy::check_name(user)?;
    let account = account::existing(user)?;
    policy::check_uid(user, account.uid, super::uid_min())?;
    sharers::check_uid(user, account.uid)?;
    let uids = match &CutRecordFile::load(state, user)? {
        Some(file) => processes::uids_of(&file.record),
        None => AccountUids { uid: account.uid, ranges: Vec::new() },
    };
    if processes::would_end_us(&uids) {
        return Err(PolicyError::OwnSession { user: user.clone() }.into());
    }
    Ok(Facts { uid: account.uid, gid: account.gid, home: account.home })
}

/// The groups besides those that make root which gave the user access.
fn granted_groups(target: &CutTarget, settings: &Settings) -> BTreeSet<String> {
    target.added_groups.iter().chain(&settings.t3_group).cloned().collect()
}

/// Locks the login. The user's own passwd(1) may hold the databases without end, and a session that
/// began before the login was locked may start another: then processes are ended, and it retries.
fn lock(file: &mut CutRecordFile) -> StepResult {
    let mut result = account::lock(file, 0);
    for _ in 0..LOCK_ROUNDS {
        if result.is_ok() {
            return result;
        }
        processes::end_all(&file.record)?;
        result = account::lock(file, 0);
    }
    // Another user's program holds the databases.
    result.or_else(|_| account::lock(file, account::RETRIES))
}

fn revoke(file: &mut CutRecordFile, settings: &Settings) -> StepResult {
    let k8s_user = file.record.k8s_user.clone();
    let argv = settings.revoke_cluster.as_ref().filter(|_| !k8s_user.is_empty());
    let Some(argv) = argv else { return Ok(vec![not_revoked(&k8s_user)]) };
    if file.record.cluster_revoked {
        return Ok(vec![format!("cluster access of {k8s_user}: already revoked")]);
    }
    run_cluster_command(argv, &k8s_user)?;
    file.record.cluster_revoked = true;
    file.save()?;
    Ok(vec![format!("cluster access of {k8s_user}: revoked")])
}

/// Runs a configured command about a user of the cluster.
pub(super) fn run_cluster_command(argv: &[String], k8s_user: &str) -> Result<(), OffboardError> {
    let argv = argv_for(argv, k8s_user);
    let Some((program, rest)) = argv.split_first() else { return Ok(()) };
    trusted_path::check(Path::new(program))?;
    Ok(tool::run(program, rest, CLUSTER_DEADLINE).map(drop)?)
}

fn not_revoked(k8s_user: &str) -> String {
    if k8s_user.is_empty() {
        "cluster access: not revoked, as the name in the cluster is not known; revoke it by hand"
            .to_owned()
    } else {
        format!(
            "cluster access of {k8s_user}: not revoked, as no command is configured; revoke it by hand"
        )
    }
}
