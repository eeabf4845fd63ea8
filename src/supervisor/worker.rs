//! One user's job in a process that becomes that user, with a deadline and a bounded report.

use super::config::Config;
use super::error::Error;
use super::task::UserReport;
use super::user_dirs;
use crate::persist::report::Problem;
use crate::persist::restore_mode::Settings;
use crate::persist::{Job, Report, Request, dispatch};
use crate::sys::process::become_user::Become;
use crate::sys::process::exec::{self, Program};
use crate::sys::process::limits::NewPrivileges;
use crate::sys::{Dir, accounts};
use crate::text::escape;
use std::path::PathBuf;
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// Maximum size of a worker's report, in bytes.
pub(crate) const MAX_REPORT: usize = 32 << 20;

/// Maximum size of the report on a request, in bytes. What the timer asks of each user is small, so that no user's
/// process can cost root more.
fn max_report(request: &Request) -> usize {
    const SMALL: usize = 64 << 10;
    const MEDIUM: usize = 1 << 20;
    // A line for each pane or conversation: several thousand of them.
    const LARGE: usize = 4 << 20;
    match request {
        Request::Save | Request::SaveSoon | Request::HookEvent(_) => SMALL,
        Request::Restore { .. }
        | Request::Show { .. }
        | Request::History { .. }
        | Request::Diff { .. }
        | Request::Events(_) => LARGE,
        Request::Suspend(_)
        | Request::Resume { .. }
        | Request::List
        | Request::Status
        | Request::Doctor { .. }
        | Request::Forget { .. }
        | Request::Conversation { .. }
        | Request::Ended(_)
        | Request::Import
        | Request::HookInstall(_)
        | Request::Watch(_) => MEDIUM,
    }
}

/// The share of a user's deadline that waiting for another save or restore may take.
const LOCK_SHARE: u32 = 2;

/// The report on a user whose worker gave none.
pub(crate) fn failed(user: &str, request: &Request, error: &Error) -> UserReport {
    let problem = Problem::failed(error).with_hint(error.hint());
    UserReport::new(user.to_owned(), dispatch::failed(request, problem))
}

/// The worker's side: does a job as the user it was started as, and returns the report as JSON.
pub fn run_job(job: &str) -> Result<String, Error> {
    let job: Job = serde_json::from_str(job).map_err(Error::InvalidJob)?;
    serde_json::to_string(&job.perform().bounded()).map_err(Error::Encode)
}

/// What the process that works for a user needs to know of the site.
pub(crate) fn job(
    config: &Config,
    request: &Request,
    state_dir: PathBuf,
    may_create: bool,
    tmpdir: Option<PathBuf>,
    restore: Settings,
) -> Job {
    Job {
        request: request.clone(),
        state_dir,
        may_create,
        may_start_server: true,
        socket: config.socket.clone(),
        tmpdir,
        tmux_deadline: config.tmux_deadline,
        restore_deadline: config.restore_deadline,
        lost_window: config.lost_window,
        retention: config.retention,
        keep: config.keep.clone(),
        lock_wait: match request {
            // They run in the background, so they can wait until a restore is over.
            Request::SaveSoon | Request::HookEvent(_) => config.restore_deadline,
            request => deadline(config, request) / LOCK_SHARE,
        },
        save_on_change: config.save_on_change,
        config: None,
        restore,
        notify: config.notify.clone(),
        watch: config.watch.clone(),
        suspend: config.suspend,
    }
}

fn deadline(config: &Config, request: &Request) -> Duration {
    match request {
        Request::Restore { .. } | Request::Suspend(_) | Request::Resume { .. } => {
            config.restore_deadline
        }
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
    let verbose = match LevelFilter::current() {
        LevelFilter::INFO => &["-v"][..],
        LevelFilter::DEBUG => &["-vv"],
        LevelFilter::TRACE => &["-vvv"],
        _ => &[],
    };
    let mut program = Program::ourselves().args(verbose).args(["worker", &job]);
    if let Some(input) = input {
        let failed = |source| Error::Io { doing: "preparing the worker's input", source };
        program = program.input(&input).map_err(failed)?;
    }
    let output = program
        .becoming(Become { account, umask, new_privileges })
        .deadline(limit)
        .max_output(max_report(request))
        .run()?;
    let mut stderr = output.stderr.trim_ascii();
    if !verbose.is_empty() {
        // The worker's own steps, then what it printed besides.
        let lines = stderr.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        lines.for_each(|line| tracing::info!("{}", escape(line)));
        stderr = stderr.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    }
    if !output.status.success() {
        let (status, stderr) = (exec::describe(output.status), escape(stderr));
        return Err(Error::WorkerFailed { status, stderr });
    }
    serde_json::from_slice(&output.stdout)
        .map(Report::bounded)
        .map_err(|source| Error::InvalidReport { from: "worker", source })
}
