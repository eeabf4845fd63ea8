//! `persist status`: a line a user, with root's own record, judged by age.

use super::args::{Common, StatusArgs};
use super::user_status::UserStatus;
use super::{json, metrics, outcome, text};
use crate::cli::config_file;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{error, of_user, paint, print, style, warning};
use crate::persist::Request;
use crate::persist::report::StatusReport;
use crate::supervisor::run;
use crate::supervisor::targets::Target;
use crate::supervisor::task::Task;
use crate::supervisor::{restore_progress, root_activity, state_size};
use crate::sys::accounts;
use crate::sys::clock;
use crate::sys::fs::{self, trusted_path};
use crate::text::io_reason;
use crate::text::table::{align, shown};
use crate::text::time::ago;
use std::path::Path;
use std::time::Duration;

/// Reports on these users, or on all.
pub(crate) fn run(common: &Common, args: StatusArgs) -> Result<Exit, Failure> {
    let StatusArgs { users, metrics, max_age } = args;
    let mut config = config_file::load(&common.overrides())?;
    if let Some(minutes) = max_age {
        config.max_age = Duration::from_secs(60 * u64::from(minutes));
    }
    let task = Task { target: Target::NamedOrAll(users), request: Request::Status };
    let mut done = run::run(&config, &task)?;
    root_activity::enter(&mut done);
    restore_progress::enter(&mut done);
    state_size::enter(&mut done);
    let judged: Vec<UserStatus> = done
        .reports
        .iter()
        .filter_map(|user| UserStatus::new(user, clock::now(), config.max_age))
        .collect();
    if let Some(file) = &metrics {
        write_metrics(file, &metrics::render(&judged, clock::now()))?;
    }
    let text = match (common.json, common.quiet) {
        (true, _) => json::object(judged.iter().map(UserStatus::json).collect(), done.single),
        (false, true) => String::new(),
        (false, false) => table(&judged),
    };
    print(&text)?;
    text::messages(&done, common.quiet);
    for user in &judged {
        user.errors(config.max_age).iter().for_each(|why| error(&of_user(user.user(), why)));
        user.warning().iter().for_each(|why| warning(&of_user(user.user(), why)));
    }
    let overdue = judged.iter().any(|user| user.overdue);
    Ok(outcome::of_reports(&done.reports, overdue || !done.problems.is_empty()))
}

fn row(user: &UserStatus) -> [String; 11] {
    let status = user.status;
    let [live, suspended, lost, shell] = status.panes.named().map(|(_, number)| number.to_string());
    let age = user.age.map_or("-".to_owned(), ago);
    let failures = match (status.failures_since_good, status.last_failure) {
        (0, _) => "0".to_owned(),
        (number, Some(when)) => format!("{number}, {}", ago(user.now.saturating_sub(when))),
        (number, None) => number.to_string(),
    };
    [
        user.user().to_owned(),
        if user.overdue { paint(style::ERROR, &format!("{age} !")) } else { age },
        status.sessions.total().to_string(),
        status.panes.total().to_string(),
        live,
        suspended,
        lost,
        shell,
        agents(status),
        failures,
        status.snapshot.as_deref().map_or("-".into(), shown),
    ]
}

/// `1 waiting, 2 idle`
fn agents(status: &StatusReport) -> String {
    let named = status.agents.named().into_iter().filter(|(_, number)| *number > 0);
    let named: Vec<String> = named.map(|(doing, number)| format!("{number} {doing}")).collect();
    if named.is_empty() { "-".to_owned() } else { named.join(", ") }
}

fn table(users: &[UserStatus]) -> String {
    let head = [
        "USER",
        "LAST SAVE",
        "SESSIONS",
        "PANES",
        "LIVE",
        "SUSPENDED",
        "LOST",
        "SHELL",
        "AGENTS",
        "FAILURES",
        "SNAPSHOT",
    ];
    let rows = std::iter::once(head.map(str::to_owned)).chain(users.iter().map(row));
    align(&rows.collect::<Vec<_>>())
}

/// Replaces the file in one step. Root writes only where no other user could put a link or another
/// file in its place.
fn write_metrics(file: &Path, text: &str) -> Result<(), Failure> {
    let shown = crate::text::shown(file);
    let usage = |why: String| Failure::usage(format!("--metrics {shown}: {why}"));
    let path = std::path::absolute(file).map_err(|error| usage(io_reason(&error)))?;
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(usage("not a file name".to_owned()));
    };
    let name = name.to_str().ok_or_else(|| usage("the name is not UTF-8".to_owned()))?;
    let written = if accounts::is_root() {
        let dir = trusted_path::open_dir(dir).and_then(|dir| dir.refuse_others().map(|()| dir));
        dir.and_then(|dir| dir.write_public_hint(name, text.as_bytes()))
    } else {
        fs::write_public_hint(dir, name, text.as_bytes())
    };
    written.map_err(|error| {
        if error.is_untrusted() {
            let why = "root writes only where no other user can";
            Failure::refused(format!("--metrics {shown}: {why}: {error}"))
        } else {
            Failure::failed(format!("--metrics: {error}"))
        }
    })
}
