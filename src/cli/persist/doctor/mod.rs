//! `persist doctor`: looks at the installation as a person would. Each group of checks has a file
//! here; what only a user's own process can see is looked at there (`persist::doctor`).

mod programs;
mod saves;
mod site;
mod units;

use super::args::Common;
use super::json;
use crate::cli::config_file;
use crate::cli::exit::{Exit, Failure};
use crate::persist::report::{Check, CheckState};
use crate::persist::{Report, Request};
use crate::supervisor::targets::Target;
use crate::supervisor::worker::{self, Task, UserReport};
use crate::supervisor::{error, root_activity};
use crate::sys::{accounts, clock};
use crate::text::table::shown;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;

/// A check, and whose it is: the host's where there is no name.
struct Found {
    user: Option<String>,
    check: Check,
}

/// Examines the host and these users, or all.
pub(crate) fn run(common: &Common, users: Vec<String>, root: PathBuf) -> Result<Exit, Failure> {
    let mut found: Vec<Check> = programs::checks();
    let loaded = config_file::load(&common.overrides());
    found.push(site::configuration(common, loaded.as_ref().err()));
    let config = loaded.or_else(|_| config_file::without_file(&common.overrides()))?;
    if accounts::is_root() {
        found.push(site::user_map(&config.user_map));
        found.push(site::state_dir(&config.site_state_dir()));
    }
    found.extend(units::checks(&root, accounts::is_root(), config.max_age));
    let mut found: Vec<Found> =
        found.into_iter().map(|check| Found { user: None, check }).collect();

    let task = Task { target: Target::NamedOrAll(users), request: Request::Doctor { root } };
    let mut single = false;
    match worker::run(&config, &task) {
        Ok(mut done) => {
            root_activity::enter(&mut done);
            single = done.single;
            for UserReport { user, report, .. } in done.reports {
                let Report::Doctor(examined) = report else { continue };
                let mut checks = examined.checks;
                checks.push(match &examined.error {
                    Some(problem) => {
                        let mend = format!("persist status --user {user}");
                        Check::fault("user", problem.message.clone(), mend)
                    }
                    None => saves::check(&examined.standing, clock::now(), config.max_age),
                });
                let of_user = |check| Found { user: Some(user.clone()), check };
                found.extend(checks.into_iter().map(of_user));
            }
        }
        // With a sound map it is the arguments that are wrong; anything else is a finding.
        Err(error) if error.kind() == error::Kind::Usage && !found.iter().any(Found::is_fault) => {
            return Err(error.into());
        }
        Err(error) => found.push(Found {
            user: None,
            check: Check::fault("users", error.to_string(), "persist status"),
        }),
    }
    let text = match (common.json, common.quiet) {
        (true, _) => in_json(&found),
        (false, quiet) => in_words(&found, quiet, single),
    };
    crate::cli::output::print(&text)?;
    Ok(if found.iter().any(Found::is_fault) { Exit::Failed } else { Exit::Done })
}

impl Found {
    fn is_fault(&self) -> bool {
        self.check.state == CheckState::Fault
    }
}

fn in_json(found: &[Found]) -> String {
    let checks: Vec<Value> = found
        .iter()
        .map(|Found { user, check }| {
            json!({"user": user, "name": check.name, "state": check.state, "what": check.what,
                   "mend": check.mend})
        })
        .collect();
    let faults = found.iter().filter(|found| found.is_fault()).count();
    json::object(vec![json!({ "checks": checks, "faults": faults })], true)
}

/// A line each, what mends it below; with `quiet` faults only.
fn in_words(found: &[Found], quiet: bool, single: bool) -> String {
    let wanted = |found: &&Found| !quiet || found.is_fault();
    let name = |Found { user, check }: &Found| match user {
        Some(user) if !single => format!("{user}: {}", shown(&check.name)),
        _ => shown(&check.name),
    };
    let width = found.iter().map(|found| name(found).chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    // Writing to a String cannot fail.
    for found in found.iter().filter(wanted) {
        let (name, state) = (name(found), found.check.state.word());
        let _ = writeln!(text, "{state:<7}  {name:<width$}  {}", shown(&found.check.what));
        if let (Some(mend), false) = (&found.check.mend, found.check.state == CheckState::Ok) {
            let _ = writeln!(text, "{:<7}  {:<width$}  -> {}", "", "", shown(mend));
        }
    }
    text
}
