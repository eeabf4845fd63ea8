//! `keeper`: the process of a restored session. It restores as `restore` does, reports to the
//! service manager that it is ready, and stays as long as the tmux server: the leader of a session
//! that logind counts, and nothing else.

use super::config::Config;
use super::error::Error;
use super::session_request;
use super::targets::{self, Target, Targets};
use super::task::{Task, TaskResult, UserReport};
use super::{memory_share, worker};
use crate::persist::report::SessionTally;
use crate::persist::restore_pending;
use crate::persist::{Job, Report, Request};
use crate::sys::notify::Notifier;
use crate::sys::{Account, accounts, fs};
use crate::text::{escape, io_reason};
use std::path::PathBuf;
use std::time::Duration;

/// Minimum deadline for an answer of tmux while all users' sessions come up at once, whatever the
/// configuration has for quieter times. A hung server is bounded by the unit.
const PATIENCE: Duration = Duration::from_secs(30);

/// A restore that was done, and the server that is to be kept.
#[derive(Debug)]
pub struct Restored {
    pub task: Task,
    pub result: TaskResult,
    /// Why root, who requested the restore, did not get its report.
    pub unanswered: Option<Error>,
    job: Job,
    status: String,
}

/// Restores for the caller.
pub fn restore(config: &Config, notifier: &Notifier) -> Result<Restored, Error> {
    if accounts::is_root() {
        return Err(Error::KeeperAsRoot);
    }
    let (account, state_dir) = match targets::find(config, &Target::Caller)? {
        Targets::Caller { account, state_dir } => (account, state_dir),
        Targets::Users { .. } => return Err(Error::KeeperAsRoot),
    };
    let restored = restore_caller(config, account, state_dir);
    if let Err(error) = &restored {
        let _ = notifier.status(&error.to_string()); // the caller gets the error itself
    }
    restored
}

fn restore_caller(
    config: &Config,
    account: Account,
    state_dir: PathBuf,
) -> Result<Restored, Error> {
    check_home(&account)?;
    let request = session_request::receive(&account)?;
    let job = match &request {
        Some(request) => roots_job(&request.job)?,
        None => own_job(config, state_dir),
    };
    tracing::info!(by_root = request.is_some(), "restoring");
    let report = job.clone().perform();
    let unanswered = request.and_then(|request| {
        let answer = serde_json::to_vec(&report).map_err(std::io::Error::from);
        let failed = |source| Error::Io { doing: "answering root", source };
        answer.and_then(|answer| request.answer(&answer)).map_err(failed).err()
    });
    if let Some(problem) = report.problem() {
        return Err(Error::Restore(escape(problem.message.as_bytes())));
    }
    let status = status(&report);
    let task = Task { target: Target::Caller, request: job.request.clone() };
    let result = TaskResult {
        reports: vec![UserReport::new(account.name, report)],
        problems: Vec::new(),
        single: true,
        by_root: false,
        state_dir: job.state_dir.clone(),
    };
    Ok(Restored { task, result, unanswered, job, status })
}

impl Restored {
    /// Reports that the session is ready and waits for the end of the caller's tmux server.
    pub fn keep(self, notifier: &Notifier) -> Result<(), Error> {
        let failed = |doing| move |source| Error::Io { doing, source };
        let server = self.job.watch_server().map_err(failed("watching the tmux server"))?;
        notifier.ready(&self.status).map_err(failed("notifying the service manager"))?;
        match server {
            Some(server) => server.wait().map_err(failed("waiting for the tmux server")),
            None => Ok(()),
        }
    }
}

/// Everything, as at boot.
fn own_job(config: &Config, state_dir: PathBuf) -> Job {
    let request = Request::Restore { sessions: Vec::new(), from: None, dry_run: false, mode: None };
    let task = Task { target: Target::Caller, request };
    let patient = Config { tmux_deadline: config.tmux_deadline.max(PATIENCE), ..config.clone() };
    let shared = memory_share::shared_among(restore_pending::count(), config);
    worker::job(&patient, &task.request, state_dir, true, None, shared)
}

/// What root requests instead.
fn roots_job(job: &[u8]) -> Result<Job, Error> {
    let job: Job = serde_json::from_slice(job).map_err(Error::InvalidJob)?;
    match job.request {
        Request::Restore { dry_run: false, .. } => Ok(job),
        _ => Err(Error::NotARestore),
    }
}

/// Sessions are not restored into a home that is missing, as when its disk is: they would begin
/// somewhere else, and be saved so.
fn check_home(account: &Account) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt;
    let unusable = |why: String| Error::UnusableHome { home: account.home.clone(), why };
    let meta = account.home.metadata();
    let meta = meta.map_err(|error| unusable(format!("is missing: {}", io_reason(&error))))?;
    if !meta.is_dir() || !fs::may_enter(&account.home) {
        return Err(unusable("cannot be entered".to_owned()));
    }
    let own = meta.uid() == account.uid.as_raw();
    own.then_some(()).ok_or_else(|| unusable(format!("belongs to uid {}", meta.uid())))
}

/// One line for `systemctl status`.
fn status(report: &Report) -> String {
    let Report::Plan(planned) = report else { return String::new() };
    let Some(snapshot) = &planned.snapshot else { return "nothing to restore".to_owned() };
    let SessionTally { restored, failed, .. } = planned.sessions_by_result();
    let failed = match failed {
        0 => String::new(),
        failed => format!(", {failed} failed (journalctl -t tmux-persist)"),
    };
    format!("{restored} sessions restored from {snapshot}{failed}")
}
