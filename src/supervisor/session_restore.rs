//! A restore that root starts by hand: on a host with the units it takes place in a session of the
//! user's own, as at boot. A tmux server that root's own process started would live, be limited
//! and end as root's login does; and PAM would not check whether the account is still valid.

use super::boot::{self, HOME_DEADLINE, START_DEADLINE};
use super::config::Config;
use super::error::Error;
use super::session_request::SessionRequest;
use super::systemd::{property, systemctl};
use super::worker::{MAX_REPORT, run_as_user};
use crate::persist::{Job, Report, Request};
use crate::sys::{Account, Dir, accounts};
use std::io;
use std::path::Path;
use std::time::Duration;

/// How long to wait for another restore of the same user by root.
const OTHERS: Duration = Duration::from_secs(30);

/// Does a restore for one user; returns the report of the user's process.
pub(crate) fn restore(
    config: &Config,
    name: &str,
    state: Option<&Dir>,
    job: &Job,
) -> Result<Report, Error> {
    let here = |job: &Job| run_as_user(config, name, state, job, None);
    if !config.of_site || !Path::new("/run/systemd/system").is_dir() {
        return here(job);
    }
    let account = accounts::by_name(name)?;
    let unit = boot::session_unit(&account);
    let states = || systemctl(&["show", "--property=LoadState,ActiveState", &unit], HOME_DEADLINE);
    let installed = property(&states()?, "LoadState");
    tracing::debug!(unit, state = installed, "session unit");
    if account.uid.is_root() || installed == "not-found" {
        return here(job);
    }
    // From here on a server is started in the user's session or not at all.
    let into_live = Job { may_start_server: false, ..job.clone() };
    if installed == "masked" {
        return here(&into_live);
    }
    // Invalid arguments must not make the unit fail.
    if let Some(dry) = dry_run(job) {
        let report = here(&dry)?;
        if report.problem().is_some() {
            return Ok(report);
        }
    }
    let request = SessionRequest::new(&account, OTHERS)?;
    if property(&states()?, "ActiveState") == "active" {
        return here(&into_live); // the keeper keeps its server alive
    }
    let encoded = serde_json::to_vec(job).map_err(Error::Encode)?;
    match send(&request, &account, &encoded)? {
        Some(report) => Ok(report),
        // Another process had started the unit, which restores everything.
        None => here(&into_live),
    }
}

/// The same restore as a dry run, if its arguments may be invalid.
fn dry_run(job: &Job) -> Option<Job> {
    match &job.request {
        Request::Restore { sessions, from, mode, dry_run: false }
            if !sessions.is_empty() || from.is_some() =>
        {
            let (sessions, from) = (sessions.clone(), from.clone());
            let request = Request::Restore { sessions, from, dry_run: true, mode: *mode };
            Some(Job { request, ..job.clone() })
        }
        _ => None,
    }
}

/// Starts the user's session with this request; returns its report if it received the request.
fn send(
    request: &SessionRequest,
    account: &Account,
    encoded: &[u8],
) -> Result<Option<Report>, Error> {
    let (started, answer) = std::thread::scope(|scope| {
        let limit = HOME_DEADLINE + START_DEADLINE;
        let sending = scope.spawn(move || request.send(encoded, MAX_REPORT, limit));
        let started = boot::start_session(account);
        request.withdraw();
        (started, sending.join())
    });
    let answer = answer.unwrap_or_else(|_| Err(io::Error::other("the thread that asked panicked")));
    let report = |answer: Vec<u8>| {
        serde_json::from_slice::<Report>(&answer)
            .map(Report::bounded)
            .map_err(|source| Error::InvalidReport { from: "user's session", source })
    };
    match (started, answer) {
        (Ok(_), answer) => answer.map_err(Error::SessionRequest)?.map(report).transpose(),
        // The report is more precise than the unit's result, if it reports a failure at all.
        (Err(error), Ok(Some(answer))) => {
            report(answer).ok().filter(|report| report.problem().is_some()).map(Some).ok_or(error)
        }
        (Err(error), _) => Err(error),
    }
}
