//! `keeper`: the process of a restored session. It restores as `restore` does, tells the service
//! manager that it is done, and stays for as long as the tmux server: the leader of a session that
//! logind counts, and nothing else.

use super::config::Config;
use super::session_request;
use super::targets::{self, Targets};
use super::worker::{self, Done, UserReport};
use crate::cli::exit::{Exit, Failure};
use crate::cli::persist::args::{Whom, Work};
use crate::cli::persist::text;
use crate::persist::restore_pending;
use crate::persist::{Job, Report, Request};
use crate::sys::notify::Notifier;
use crate::sys::{Account, accounts, fs};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// How long one answer of tmux may take while everybody's sessions come up at once, whatever the
/// configuration has for quieter times. Whoever hangs, the unit bounds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Restores for the caller and stays until the caller's tmux server has ended.
pub fn keep(config: &Config, notifier: &Notifier) -> Result<Exit, Failure> {
    if accounts::is_root() {
        return Err(Failure::refused("keeper: it keeps a terminal user's session, never root's"));
    }
    let (account, state_dir) = match targets::find(config, &Whom::Caller)? {
        Targets::Caller { account, state_dir } => (account, state_dir),
        Targets::Users { .. } => return Err(Failure::refused("keeper: it works for its caller")),
    };
    let told = |failure: Failure| {
        let _ = notifier.status(&failure.message);
        failure
    };
    check_home(&account).map_err(told)?;
    let asked = session_request::asked(&account)
        .map_err(|error| told(Failure::failed(error.to_string())))?;
    let job = match &asked {
        Some(asked) => job_of_roots(&asked.question).map_err(told)?,
        None => own_job(config, state_dir),
    };
    let report = job.clone().perform();
    if let Some(asked) = asked {
        let answer = serde_json::to_vec(&report).map_err(std::io::Error::from);
        if let Err(error) = answer.and_then(|answer| asked.answer(&answer)) {
            crate::cli::output::warning(&format!("answering root: {error}"));
        }
    }
    if let Some(problem) = report.problem() {
        return Err(told(Failure::failed(crate::text::escape(problem.message.as_bytes()))));
    }
    let status = status(&report);
    let reports = vec![UserReport { user: account.name, report }];
    for note in text::problems(&reports, false) {
        crate::cli::output::warning(&note);
    }
    let (request, state_dir) = (job.request.clone(), job.state_dir.clone());
    let work = Work { whom: Whom::Caller, request };
    let done = Done { reports, problems: Vec::new(), single: true, by_root: false, state_dir };
    crate::cli::output::print(&text::render(&work, &done, false))?;
    let failed = |error: std::io::Error| Failure::failed(format!("keeper: {error}"));
    let server = job.watch_server().map_err(failed)?;
    notifier.ready(&status).map_err(failed)?;
    if let Some(server) = server {
        server.wait().map_err(failed)?;
    }
    Ok(Exit::Done)
}

/// Everything, as at boot.
fn own_job(config: &Config, state_dir: PathBuf) -> Job {
    let request = Request::Restore { sessions: Vec::new(), from: None, dry_run: false, mode: None };
    let work = Work { whom: Whom::Caller, request };
    let patient = Config { tmux_deadline: config.tmux_deadline.max(PATIENCE), ..config.clone() };
    let shared = worker::shared_among(restore_pending::count(), config);
    worker::job(&patient, &work, state_dir, true, None, shared)
}

/// What root wants instead, who restores by hand.
fn job_of_roots(question: &[u8]) -> Result<Job, Failure> {
    let job: Job = serde_json::from_slice(question)
        .map_err(|error| Failure::usage(format!("keeper: what root asks: {error}")))?;
    match job.request {
        Request::Restore { dry_run: false, .. } => Ok(job),
        _ => Err(Failure::usage("keeper: root asks for something else than a restore".to_owned())),
    }
}

/// Sessions do not come back into a home that is not there, as when its disk is missing: they
/// would begin somewhere else, and be saved so.
fn check_home(account: &Account) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt;
    let home = account.home.display();
    let failed = |why: &str| Failure::failed(format!("the home {home} {why}; nothing is restored"));
    let meta = account.home.metadata().map_err(|error| failed(&format!("is missing: {error}")))?;
    if !meta.is_dir() || !fs::may_enter(&account.home) {
        return Err(failed("cannot be entered"));
    }
    let own = meta.uid() == account.uid.as_raw();
    own.then_some(()).ok_or_else(|| failed(&format!("belongs to uid {}", meta.uid())))
}

/// One line for `systemctl status`.
fn status(report: &Report) -> String {
    let Report::Plan(planned) = report else { return String::new() };
    let sessions = |result: &str| {
        let rows = planned.rows.iter();
        let such = rows.filter(|row| row.result.as_ref().is_some_and(|r| r.starts_with(result)));
        such.map(|row| row.session.as_str()).collect::<BTreeSet<_>>().len()
    };
    let Some(snapshot) = &planned.snapshot else { return "nothing to restore".to_owned() };
    let failed = match sessions("failed") {
        0 => String::new(),
        failed => format!(", {failed} failed (journalctl -t tmux-persist)"),
    };
    format!("{} sessions restored from {snapshot}{failed}", sessions("restored"))
}
