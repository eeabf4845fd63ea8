//! `persist doctor`: checks the installation. Each group of checks has a file here; what only a
//! user's own process can check is in `persist::commands::doctor`.

mod backups;
mod lobby;
mod programs;
mod saves;
mod site;
mod t3;
mod units;

use super::args::{Common, DoctorArgs};
use super::json;
use crate::cli::config_file;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{paint, print, style};
use crate::persist::report::{Check, CheckState};
use crate::persist::{Report, Request};
use crate::supervisor::run;
use crate::supervisor::targets::Target;
use crate::supervisor::task::{Task, UserReport};
use crate::supervisor::{error, restore_progress, root_activity};
use crate::sys::{accounts, clock};
use crate::text::table::shown;
use serde_json::{Value, json};
use std::fmt::Write;

/// A check's result.
struct Finding {
    /// `None` for the host.
    user: Option<String>,
    check: Check,
}

/// Checks the host and these users, or all.
pub(crate) fn run(common: &Common, args: DoctorArgs) -> Result<Exit, Failure> {
    let DoctorArgs { users, root } = args;
    let mut found: Vec<Check> = programs::checks();
    let loaded = config_file::load(&common.overrides());
    found.push(site::configuration(common, loaded.as_ref().err()));
    let config = loaded.or_else(|_| config_file::without_file(&common.overrides()))?;
    if accounts::is_root() {
        found.push(site::user_map(&config.user_map));
        found.push(site::state_dir(&config.site_state_dir()));
        found.extend(backups::check(clock::now()));
        found.extend(lobby::checks(&root));
        found.extend(t3::checks(&root, clock::now()));
    }
    found.extend(units::checks(&root, accounts::is_root(), config.max_age));
    let mut found: Vec<Finding> =
        found.into_iter().map(|check| Finding { user: None, check }).collect();

    let task = Task { target: Target::NamedOrAll(users), request: Request::Doctor { root } };
    let mut single = false;
    match run::run(&config, &task) {
        Ok(mut done) => {
            root_activity::enter(&mut done);
            restore_progress::enter(&mut done);
            single = done.single;
            for UserReport { user, report, .. } in done.reports {
                let Report::Doctor(examined) = report else { continue };
                let mut checks = examined.checks;
                checks.push(match &examined.error {
                    Some(problem) => {
                        let fix = format!("persist status --user {user}");
                        Check::fault("user", problem.message.clone(), fix)
                    }
                    None => saves::check(&examined.standing, clock::now(), config.max_age),
                });
                if examined.error.is_none() {
                    checks.push(saves::restored(&examined.standing, &user, done.by_root));
                }
                let of_user = |check| Finding { user: Some(user.clone()), check };
                found.extend(checks.into_iter().map(of_user));
            }
        }
        // With a valid map the arguments are wrong; anything else is a finding.
        Err(error)
            if error.kind() == error::Kind::Usage && !found.iter().any(Finding::is_fault) =>
        {
            return Err(error.into());
        }
        Err(error) => found.push(Finding {
            user: None,
            check: Check::fault("users", error.to_string(), "persist status"),
        }),
    }
    let text = match (common.json, common.quiet) {
        (true, _) => in_json(&found),
        (false, quiet) => in_words(&found, quiet, single),
    };
    print(&text)?;
    Ok(if found.iter().any(Finding::is_fault) { Exit::Failed } else { Exit::Done })
}

impl Finding {
    fn is_fault(&self) -> bool {
        self.check.state == CheckState::Fault
    }
}

fn in_json(found: &[Finding]) -> String {
    let checks: Vec<Value> = found
        .iter()
        .map(|Finding { user, check }| {
            json!({"user": user, "name": check.name, "state": check.state, "what": check.what,
                   "mend": check.fix})
        })
        .collect();
    let faults = found.iter().filter(|found| found.is_fault()).count();
    json::object(vec![json!({ "checks": checks, "faults": faults })], true)
}

/// A line each, with the fix below; with `quiet`, faults only.
fn in_words(found: &[Finding], quiet: bool, single: bool) -> String {
    let wanted = |found: &&Finding| !quiet || found.is_fault();
    let name = |Finding { user, check }: &Finding| match user {
        Some(user) if !single => format!("{user}: {}", shown(&check.name)),
        _ => shown(&check.name),
    };
    let width = found.iter().map(|found| name(found).chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    // Writing to a String cannot fail.
    for found in found.iter().filter(wanted) {
        let (name, state) = (name(found), found.check.state.word());
        let state = paint(style_of(found.check.state), &format!("{state:<7}"));
        let _ = writeln!(text, "{state}  {name:<width$}  {}", shown(&found.check.what));
        if let (Some(fix), false) = (&found.check.fix, found.check.state == CheckState::Ok) {
            let _ = writeln!(text, "{:<7}  {:<width$}  -> {}", "", "", shown(fix));
        }
    }
    text
}

fn style_of(state: CheckState) -> anstyle::Style {
    match state {
        CheckState::Ok => style::GOOD,
        CheckState::Warn => style::WARNING,
        CheckState::Fault => style::ERROR,
        CheckState::Skipped => style::FAINT,
    }
}
