//! Runs a task: in this process for the caller; for root, in one process per user that becomes
//! that user, several at once, each with a deadline and a bounded report.

use super::config::Config;
use super::error::Error;
use super::targets::{self, Target, Targets};
use super::{root_activity, session_restore, user_dirs};
use crate::persist::restore::mode::Settings;
use crate::persist::{Job, Report, Request, dispatch};
use crate::sys::fs::trusted_path;
use crate::sys::process::become_user::Become;
use crate::sys::process::exec::{self, Program};
use crate::sys::process::limits::NewPrivileges;
use crate::sys::process::parallel::for_each;
use crate::sys::{Dir, accounts, clock};
use crate::text::escape;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Maximum size of a worker's report, in bytes.
pub(crate) const MAX_REPORT: usize = 32 << 20;
/// The share of a user's deadline that waiting for another save or restore may take.
const LOCK_SHARE: u32 = 2;

/// What a command asks for.
#[derive(Debug, Clone)]
pub struct Task {
    pub target: Target,
    pub request: Request,
}

/// One user's report.
#[derive(Debug)]
pub struct UserReport {
    pub user: String,
    pub report: Report,
    /// What helps, if there was no report of the user's process.
    pub hint: Option<String>,
}

/// The reports of a task, and what went wrong besides.
#[derive(Debug)]
pub struct TaskResult {
    /// In alphabetical order of the users.
    pub reports: Vec<UserReport>,
    /// Problems of no single user.
    pub problems: Vec<Error>,
    /// Whether one user was requested by name.
    pub single: bool,
    /// Whether it was done by workers for root.
    pub by_root: bool,
    /// The directory that holds the users' state directories.
    pub state_dir: PathBuf,
}

impl UserReport {
    pub(crate) fn new(user: String, report: Report) -> Self {
        Self { user, report, hint: None }
    }
}

/// Runs a task for all its users. One user's failure is in that user's report.
pub fn run(config: &Config, task: &Task) -> Result<TaskResult, Error> {
    match targets::find(config, &task.target)? {
        Targets::Caller { account, state_dir } => {
            let _span = tracing::info_span!("user", name = account.name).entered();
            tracing::info!(?state_dir, "working for the caller");
            let tmpdir = std::env::var_os("TMUX_TMPDIR").map(PathBuf::from);
            let job = Job {
                config: config.path.clone(),
                ..job(config, task, state_dir.clone(), true, tmpdir, config.restore.clone())
            };
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

fn run_for_users(
    config: &Config,
    task: &Task,
    names: &[String],
    mut problems: Vec<Error>,
    single: bool,
) -> Result<TaskResult, Error> {
    let state_dir = config.site_state_dir();
    let state = open_state(&task.request, &state_dir)?;
    let restore = shared_by(names, config, &state_dir);
    let restores = matches!(task.request, Request::Restore { dry_run: false, .. });
    let silent = Mutex::new(BTreeSet::new());
    let reports = for_each(names, config.parallel_users, |name| {
        let _span = tracing::info_span!("user", name).entered();
        let job = job(config, task, state_dir.clone(), false, None, restore.clone());
        let report = if restores {
            session_restore::restore(config, name, state.as_ref(), &job)
        } else {
            run_as_user(config, name, state.as_ref(), &job, None)
        };
        report.map(|report| UserReport::new(name.clone(), report)).unwrap_or_else(|error| {
            silent.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
            failed(name, &task.request, &error)
        })
    });
    if restores || matches!(task.request, Request::Save) {
        let silent = silent.into_inner().unwrap_or_else(PoisonError::into_inner);
        let recorded = root_activity::record(&state_dir, &reports, &silent, clock::now());
        problems.extend(recorded.err().map(Error::from));
    }
    Ok(TaskResult { reports, problems, single, by_root: true, state_dir })
}

/// The report on a user whose worker gave none.
pub(crate) fn failed(user: &str, request: &Request, error: &Error) -> UserReport {
    let report = dispatch::failed(request, error.to_string());
    UserReport { user: user.to_owned(), report, hint: error.hint() }
}

/// The worker's side: does a job as the user it was started as, and returns the report as JSON.
pub fn run_job(job: &str) -> Result<String, Error> {
    let job: Job = serde_json::from_str(job).map_err(Error::InvalidJob)?;
    serde_json::to_string(&job.perform()).map_err(Error::Encode)
}

/// Makes the state directory if it is absent and the request writes.
fn open_state(request: &Request, path: &Path) -> Result<Option<Dir>, Error> {
    match request {
        Request::Save | Request::Forget { .. } | Request::Ended(_) | Request::Import => {
            Ok(Some(trusted_path::ensure_state_dir(path)?))
        }
        _ if path.exists() => {
            trusted_path::assert_roots_own(path)?;
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// What the process that works for a user needs to know of the site.
pub(crate) fn job(
    config: &Config,
    task: &Task,
    state_dir: PathBuf,
    may_create: bool,
    tmpdir: Option<PathBuf>,
    restore: Settings,
) -> Job {
    Job {
        request: task.request.clone(),
        state_dir,
        may_create,
        may_start_server: true,
        socket: config.socket.clone(),
        tmpdir,
        tmux_deadline: config.tmux_deadline,
        lost_window: config.lost_window,
        retention: config.retention,
        keep: config.keep.clone(),
        lock_wait: match &task.request {
            // They run in the background, so they can wait until a restore is over.
            Request::SaveSoon | Request::HookEvent(_) => config.restore_deadline,
            request => deadline(config, request) / LOCK_SHARE,
        },
        save_on_change: config.save_on_change,
        config: None,
        restore,
    }
}

/// The host has one budget of memory: it is shared by the users who have something to restore, and
/// counts from the memory that was free before any of them began.
fn shared_by(users: &[String], config: &Config, state_dir: &Path) -> Settings {
    let has_state =
        |user: &&String| state_dir.join(user).symlink_metadata().is_ok_and(|meta| meta.is_dir());
    shared_among(users.iter().filter(has_state).count(), config)
}

/// The budget of each of so many users who are restored at once.
pub(crate) fn shared_among(users: usize, config: &Config) -> Settings {
    let memory = shared::memory::Memory::look(Path::new("/"), 0);
    let users = u64::try_from(users).unwrap_or(u64::MAX).max(1);
    Settings { users, host: memory.host, ..config.restore.clone() }
}

fn deadline(config: &Config, request: &Request) -> Duration {
    match request {
        Request::Restore { .. } => config.restore_deadline,
        _ => config.save_deadline,
    }
}

/// Does one user's job in a process that becomes that user; returns its report.
pub(crate) fn run_as_user(
    config: &Config,
    name: &str,
    state: Option<&Dir>,
    job: &Job,
    input: Option<Vec<u8>>,
) -> Result<Report, Error> {
    let request = &job.request;
    let account = accounts::by_name(name)?;
    let limit = deadline(config, request);
    tracing::info!(uid = %account.uid, deadline = ?limit, "starting a worker");
    if account.uid.is_root() {
        return Err(Error::RootAccount);
    }
    if let Some(state) = state {
        user_dirs::ensure(state, &account)?;
    }
    // What a restore starts keeps running as the user; everything else only reads.
    let (umask, new_privileges) = match request {
        Request::Restore { dry_run: false, .. } => (0o022, NewPrivileges::Allow),
        _ => (0o077, NewPrivileges::Deny),
    };
    let job = serde_json::to_string(job).map_err(Error::Encode)?;
    let mut program = Program::ourselves().args(["worker", &job]);
    if let Some(input) = input {
        let failed = |source| Error::Io { doing: "preparing the worker's input", source };
        program = program.input(&input).map_err(failed)?;
    }
    let output = program
        .becoming(Become { account, umask, new_privileges })
        .deadline(limit)
        .max_output(MAX_REPORT)
        .run()?;
    tracing::debug!(
        status = exec::describe(output.status),
        bytes = output.stdout.len(),
        "worker ended"
    );
    if !output.status.success() {
        let (status, stderr) = (exec::describe(output.status), escape(output.stderr.trim_ascii()));
        return Err(Error::WorkerFailed { status, stderr });
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|source| Error::InvalidReport { from: "worker", source })
}
