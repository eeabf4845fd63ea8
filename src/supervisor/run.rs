//! Runs a task: in this process for the caller; for root, in one worker per user, several at once.

use super::config::Config;
use super::error::Error;
use super::memory_share::shared_by;
use super::targets::{self, Target, Targets};
use super::task::{Task, TaskResult, UserReport};
use super::worker::{failed, job, run_as_user};
use super::{restore_progress, root_activity, session_restore};
use crate::persist::{Job, Request};
use crate::sys::fs::trusted_path;
use crate::sys::process::parallel::for_each;
use crate::sys::{Dir, clock};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Runs a task for all its users. One user's failure is in that user's report.
pub fn run(config: &Config, task: &Task) -> Result<TaskResult, Error> {
    match targets::find(config, &task.target)? {
        Targets::Caller { account, state_dir } => {
            tracing::debug!(user = account.name, ?state_dir, "working for the caller");
            let job = callers_job(config, &task.request, state_dir.clone());
            let report = UserReport::new(account.name, job.perform());
            Ok(TaskResult {
                reports: vec![report],
                problems: Vec::new(),
                single: true,
                by_root: false,
                state_dir,
            })
        }
        Targets::Users { names, problems, single } => {
            run_for_users(config, task, &names, problems, single)
        }
    }
}

/// A job for the caller alone, whom no other process works for.
///
/// # Errors
/// If the caller's account or state directory cannot be found, or the caller is root, who works for all.
pub fn own_job(config: &Config, request: &Request) -> Result<Job, Error> {
    match targets::find(config, &Target::Caller)? {
        Targets::Caller { state_dir, .. } => Ok(callers_job(config, request, state_dir)),
        Targets::Users { .. } => Err(Error::RootAccount),
    }
}

fn callers_job(config: &Config, request: &Request, state_dir: PathBuf) -> Job {
    let tmpdir = std::env::var_os("TMUX_TMPDIR").map(PathBuf::from);
    let job = job(config, request, state_dir, true, tmpdir, config.restore.clone());
    Job { config: config.path.clone(), ..job }
}

fn run_for_users(
    config: &Config,
    task: &Task,
    names: &[String],
    mut problems: Vec<Error>,
    single: bool,
) -> Result<TaskResult, Error> {
    let state_dir = config.site_state_dir();
    let state = match open_state(&task.request, &state_dir) {
        Ok(state) => state,
        Err(error) if matches!(task.request, Request::Save) => {
            // The failure of each user's save, so that it counts.
            let reports: Vec<_> =
                names.iter().map(|name| failed(name, &task.request, &error)).collect();
            root_activity::record(&state_dir, &reports, &BTreeSet::new(), clock::now())?;
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    let restore = shared_by(names, config, &state_dir);
    let restores = matches!(task.request, Request::Restore { dry_run: false, .. });
    let silent = Mutex::new(BTreeSet::new());
    let in_turn = match task.request {
        Request::Save => root_activity::those_that_failed_last(&state_dir, names, clock::now()),
        _ => names.to_vec(),
    };
    let mut reports = for_each(&in_turn, config.parallel_users, |name| {
        let _span = tracing::info_span!("user", name).entered();
        let job = job(config, &task.request, state_dir.clone(), false, None, restore.clone());
        let report = if restores {
            session_restore::restore(config, name, state.as_ref(), &job)
        } else {
            run_as_user(config, name, state.as_ref(), &job, None)
        };
        report.map_or_else(
            |error| {
                silent.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
                failed(name, &task.request, &error)
            },
            |report| UserReport::new(name.clone(), report),
        )
    });
    reports.sort_by(|one, other| one.user.cmp(&other.user));
    if restores || matches!(task.request, Request::Save) {
        let silent = silent.into_inner().unwrap_or_else(PoisonError::into_inner);
        let excused = restore_progress::excuse_saves(&mut reports);
        let tried: Vec<UserReport> =
            reports.iter().filter(|report| !excused.contains(&report.user)).cloned().collect();
        let recorded = root_activity::record(&state_dir, &tried, &silent, clock::now());
        problems.extend(recorded.err().map(Error::from));
    }
    Ok(TaskResult { reports, problems, single, by_root: true, state_dir })
}

/// Makes the state directory if it is absent and the request writes.
fn open_state(request: &Request, path: &Path) -> Result<Option<Dir>, Error> {
    match request {
        Request::Save | Request::Forget { .. } | Request::Ended(_) | Request::Import => {
            Ok(Some(trusted_path::ensure_dir(path)?))
        }
        _ => match trusted_path::check(path) {
            Ok(_) => Ok(None),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        },
    }
}
