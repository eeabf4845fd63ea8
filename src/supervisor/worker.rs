//! Doing the work: in this process for the caller; for root, in one process per user that
//! becomes that user, several at once, each with its deadline and bounded report.

use super::config::Config;
use super::targets::{self, Targets};
use super::{root_activity, session_restore};
use crate::cli::exit::{Exit, Failure};
use crate::cli::persist::args::Work;
use crate::persist::restore::mode::Settings;
use crate::persist::{Job, Report, Request, dispatch};
use crate::sys::fs::trusted_path;
use crate::sys::process::become_user::Become;
use crate::sys::process::exec::{self, Program};
use crate::sys::process::limits::NewPrivileges;
use crate::sys::process::parallel::for_each;
use crate::sys::{Dir, accounts, clock};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// No report of a worker is larger (bytes).
pub(crate) const MAX_REPORT: usize = 32 << 20;
/// The share of a user's deadline that waiting for another save or restore may take.
const LOCK_SHARE: u32 = 2;

/// One user's report.
#[derive(Debug)]
pub struct UserReport {
    /// The user.
    pub user: String,
    /// The report.
    pub report: Report,
}

/// All reports, and what went wrong besides.
#[derive(Debug)]
pub struct Done {
    /// In name order.
    pub reports: Vec<UserReport>,
    /// Problems that belong to no user.
    pub problems: Vec<String>,
    /// Whether one user alone was meant.
    pub single: bool,
    /// Whether root had it done by the users' own processes.
    pub by_root: bool,
    /// Where the users' states are.
    pub state_dir: PathBuf,
}

/// Does the work for all its targets.
pub fn perform(config: &Config, work: &Work) -> Result<Done, Failure> {
    match targets::find(config, &work.whom)? {
        Targets::Caller { account, state_dir } => {
            let tmpdir = std::env::var_os("TMUX_TMPDIR").map(PathBuf::from);
            let job = Job {
                config: config.path.clone(),
                ..job(config, work, state_dir.clone(), true, tmpdir, config.restore.clone())
            };
            tracing::info!(user = account.name, ?state_dir, "working for the caller");
            let report = UserReport { user: account.name, report: job.perform() };
            Ok(Done {
                reports: vec![report],
                problems: Vec::new(),
                single: true,
                by_root: false,
                state_dir,
            })
        }
        Targets::Users { names, problems, single } => {
            let state_dir = config.site_state_dir();
            let state = open_state(&work.request, &state_dir)?;
            let restore = shared_by(&names, config, &state_dir);
            let silent = Mutex::new(BTreeSet::new());
            let reports = for_each(&names, config.parallel_users, |name| {
                let job = job(config, work, state_dir.clone(), false, None, restore.clone());
                let report = match work.request {
                    Request::Restore { dry_run: false, .. } => {
                        session_restore::restore(config, name, state.as_ref(), &job)
                    }
                    _ => for_user(config, name, state.as_ref(), &job, None),
                };
                let report = report.unwrap_or_else(|error| {
                    silent.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
                    dispatch::failed(&work.request, error)
                });
                UserReport { user: name.clone(), report }
            });
            let silent = silent.into_inner().unwrap_or_else(PoisonError::into_inner);
            let mut problems = problems;
            if let Request::Save | Request::Restore { dry_run: false, .. } = work.request {
                let recorded = root_activity::record(&state_dir, &reports, &silent, clock::now());
                problems.extend(recorded.err());
            }
            Ok(Done { reports, problems, single, by_root: true, state_dir })
        }
    }
}

/// The worker's side: does a job as the user it was started as and writes the report.
pub fn work_for_root(job: &str) -> Result<Exit, Failure> {
    let parsed: Job =
        serde_json::from_str(job).map_err(|error| Failure::usage(format!("worker: {error}")))?;
    let text = serde_json::to_string(&parsed.perform())
        .map_err(|error| Failure::failed(format!("worker: {error}")))?;
    crate::cli::output::print(&text)?;
    Ok(Exit::Done)
}

/// Only what writes makes the state directory.
fn open_state(request: &Request, path: &std::path::Path) -> Result<Option<Dir>, Failure> {
    let failed = |error: crate::sys::FileError| Failure::failed(error.to_string());
    match request {
        Request::Save | Request::Forget { .. } | Request::Ended(_) | Request::Import => {
            trusted_path::ensure_state_dir(path).map(Some).map_err(failed)
        }
        _ if path.exists() => trusted_path::assert_roots_own(path).map(|()| None).map_err(failed),
        _ => Ok(None),
    }
}

/// What the process that works for a user needs to know of the site.
pub(crate) fn job(
    config: &Config,
    work: &Work,
    state_dir: PathBuf,
    may_create: bool,
    tmpdir: Option<PathBuf>,
    restore: Settings,
) -> Job {
    Job {
        request: work.request.clone(),
        state_dir,
        may_create,
        may_start_server: true,
        socket: config.socket.clone(),
        tmpdir,
        tmux_deadline: config.tmux_deadline,
        lost_window: config.lost_window,
        retention: config.retention,
        keep: config.keep.clone(),
        lock_wait: match &work.request {
            // Nobody waits for these: they can wait until a restore is over.
            Request::SaveSoon | Request::HookEvent(_) => config.restore_deadline,
            request => deadline(config, request) / LOCK_SHARE,
        },
        save_on_change: config.save_on_change,
        config: None,
        restore,
    }
}

/// The host has one budget of memory: it is shared by the users who have something to restore, and
/// of what there was before any of them began.
fn shared_by(users: &[String], config: &Config, state_dir: &std::path::Path) -> Settings {
    let has_state =
        |user: &&String| state_dir.join(user).symlink_metadata().is_ok_and(|meta| meta.is_dir());
    shared_among(users.iter().filter(has_state).count(), config)
}

/// The budget where so many users are restored at once.
pub(crate) fn shared_among(users: usize, config: &Config) -> Settings {
    let memory = launcher::memory::Memory::look(std::path::Path::new("/"), 0);
    let users = u64::try_from(users).unwrap_or(u64::MAX).max(1);
    Settings { users, host: memory.host, ..config.restore.clone() }
}

fn deadline(config: &Config, request: &Request) -> Duration {
    match request {
        Request::Restore { .. } => config.restore_deadline,
        _ => config.save_deadline,
    }
}

/// One user's work in a process of that user's, which reports; else why it could not.
pub(crate) fn for_user(
    config: &Config,
    name: &str,
    state: Option<&Dir>,
    job: &Job,
    input: Option<Vec<u8>>,
) -> Result<Report, String> {
    let request = &job.request;
    let account = accounts::by_name(name).map_err(|error| error.to_string())?;
    tracing::info!(user = name, uid = %account.uid, "working for a terminal user");
    if account.uid.is_root() {
        return Err("root is not a terminal user".to_owned());
    }
    if let Some(state) = state {
        trusted_path::ensure_user_dir(state, &account).map_err(|error| error.to_string())?;
    }
    // What a restore starts lives on in the user's name; everything else only looks.
    let (umask, new_privileges) = match request {
        Request::Restore { dry_run: false, .. } => (0o022, NewPrivileges::Allow),
        _ => (0o077, NewPrivileges::Deny),
    };
    let job = serde_json::to_string(job).map_err(|error| error.to_string())?;
    let mut program = Program::ourselves().args(["worker", &job]);
    if let Some(input) = input {
        program = program.input(&input).map_err(|error| error.to_string())?;
    }
    let output = program
        .becoming(Become { account, umask, new_privileges })
        .deadline(deadline(config, request))
        .max_output(MAX_REPORT)
        .run()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        let said = crate::text::escape(output.stderr.trim_ascii());
        return Err(format!("the user's process {}: {said}", exec::describe(output.status)));
    }
    let report: Report = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("the user's process answered nonsense: {error}"))?;
    Ok(report)
}
