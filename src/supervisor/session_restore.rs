//! A restore that root does by hand: on a host with the units it takes place in a session of the
//! user's own, as at boot. A tmux server that root's own process started would live, be limited
//! and end as root's login does; and PAM would not be asked whether the account is still good.

use super::boot::{self, HOME_DEADLINE, START_DEADLINE, property, systemctl};
use super::config::Config;
use super::session_request::Question;
use super::worker::{MAX_REPORT, for_user};
use crate::persist::{Job, Report, Request};
use crate::sys::{Account, Dir, accounts};
use std::path::Path;
use std::time::Duration;

/// How long another restore by hand of the same user's may take.
const OTHERS: Duration = Duration::from_secs(30);

/// Restores for one user what `job` asks for; gives the report of the user's process.
pub(crate) fn restore(
    config: &Config,
    name: &str,
    state: Option<&Dir>,
    job: &Job,
) -> Result<Report, String> {
    let here = |job: &Job| for_user(config, name, state, job, None);
    if !config.of_site || !Path::new("/run/systemd/system").is_dir() {
        return here(job);
    }
    let account = accounts::by_name(name).map_err(|error| error.to_string())?;
    let unit = boot::session_unit(&account);
    let states = || systemctl(&["show", "--property=LoadState,ActiveState", &unit], HOME_DEADLINE);
    let installed = property(&states()?, "LoadState");
    if account.uid.is_root() || installed == "not-found" {
        return here(job);
    }
    // From here on a server is started in the user's session or not at all.
    let into_live = Job { may_start_server: false, ..job.clone() };
    if installed == "masked" {
        return here(&into_live);
    }
    // What is asked for wrongly is no failure of the unit's.
    if let Some(dry) = dry_run(job) {
        let looked = here(&dry)?;
        if looked.problem().is_some() {
            return Ok(looked);
        }
    }
    let question = Question::new(&account, OTHERS).map_err(|error| error.to_string())?;
    if property(&states()?, "ActiveState") == "active" {
        return here(&into_live); // its server lives: it is the keeper's
    }
    let asked = serde_json::to_vec(job).map_err(|error| error.to_string())?;
    match ask(&question, &account, &asked)? {
        Some(report) => Ok(report),
        // Somebody else had started it, for everything.
        None => here(&into_live),
    }
}

/// The same without doing it, where words of the command line may be wrong.
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

/// Starts the user's session with this question; gives its report, if it was asked.
fn ask(question: &Question, account: &Account, asked: &[u8]) -> Result<Option<Report>, String> {
    let (started, answer) = std::thread::scope(|scope| {
        let limit = HOME_DEADLINE + START_DEADLINE;
        let asking = scope.spawn(move || question.ask(asked, MAX_REPORT, limit));
        let started = boot::start_session(account);
        question.withdraw();
        (started, asking.join())
    });
    let answer = answer.map_err(|_| "asking the user's session failed".to_owned())?;
    let answer = answer.map_err(|error| format!("asking the user's session: {error}"));
    let report = |answer: Vec<u8>| {
        serde_json::from_slice::<Report>(&answer)
            .map_err(|error| format!("the user's session answered nonsense: {error}"))
    };
    match (started, answer) {
        (Ok(_), answer) => answer?.map(report).transpose(),
        // Its own words say more than the unit's, if they speak of a failure at all.
        (Err(why), Ok(Some(answer))) => {
            report(answer).ok().filter(|report| report.problem().is_some()).map(Some).ok_or(why)
        }
        (Err(why), _) => Err(why),
    }
}
