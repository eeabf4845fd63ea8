//! `provision t3 enforce`: the version that all instances run.

use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{error, print, warning};
use crate::cli::provision::args::EnforceArgs;
use crate::cli::provision::output::Output;
use crate::cli::provision::root_run::{holder, require_root};
use crate::sys::clock;
use crate::t3::enforce::{self, EnforceError, Options, Outcome, Report};
use crate::t3::paths::Paths;
use crate::t3::settings::Settings;
use crate::text::shown;
use std::fmt::Write as _;

/// Runs the enforcer once.
pub(super) fn enforce(output: Output, args: &EnforceArgs) -> Result<Exit, Failure> {
    require_root("provision t3 enforce")?;
    let paths = Paths::host();
    let settings = Settings::read(&paths).map_err(Failure::usage)?;
    let version = args.version.as_deref().map(str::parse).transpose().map_err(Failure::usage)?;
    let options =
        Options { dry_run: args.dry_run, resume: args.resume, drain: args.drain, version };
    let mut say = |line: &str| output.progress(&shown(line).to_string());
    let report = enforce::run(&paths, &settings.enforce, &options, &mut say);
    let report = match report {
        Ok(report) => report,
        Err(EnforceError::File(file)) if file.is_timeout() => {
            let message = format!("another run changes versions{}", holder(&file));
            if args.drain {
                output.note(&message); // it changes these instances, too
                return Ok(Exit::Done);
            }
            return Err(Failure::failed(message));
        }
        Err(why) => return Err(Failure::failed(shown(&why.to_string()))),
    };
    tell(output, &report)?;
    if let Some(file) = &args.metrics {
        let text = enforce::metrics(&paths, clock::now()).map_err(Failure::failed)?;
        crate::cli::provision::homes::write_metrics(file, &text)?;
    }
    Ok(match report.outcome {
        Outcome::Done | Outcome::NothingWanted => Exit::Done,
        Outcome::Frozen | Outcome::Refused => Exit::Refused,
        Outcome::Unknown => Exit::Unknown,
        Outcome::Failed => Exit::Failed,
    })
}

fn tell(output: Output, report: &Report) -> Result<(), Failure> {
    let message = shown(&report.message).to_string();
    match report.outcome {
        Outcome::Done | Outcome::NothingWanted => {}
        Outcome::Frozen | Outcome::Refused => warning(&message),
        Outcome::Unknown | Outcome::Failed => error(&message),
    }
    if report.stuck {
        let days = report.behind_seconds.unwrap_or(0) / 86400;
        warning(&format!("not every instance has run the wanted version for {days} days"));
    }
    output.result(report, || text(report))
}

fn text(report: &Report) -> String {
    let version = |version: &Option<enforce::version::Version>| {
        version.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
    };
    let mut text = String::new();
    let _ = writeln!(
        text,
        "wanted {}, new instances run {}",
        version(&report.target),
        version(&report.current)
    );
    for user in &report.changed {
        let _ = writeln!(text, "{user}: changed");
    }
    for (user, why) in &report.deferred {
        let _ = writeln!(text, "{user}: left for later: {}", shown(why));
    }
    for (user, why) in &report.failed {
        let _ = writeln!(text, "{user}: failed: {}", shown(why));
    }
    for user in &report.not_running {
        let _ = writeln!(text, "{user}: does not run");
    }
    let _ = writeln!(text, "{}", shown(&report.message));
    text
}

/// Prints the version that a user's instance is about to be started with; of a new one, chooses it.
pub(super) fn choose(user: &str) -> Result<Exit, Failure> {
    require_root("provision t3 choose")?;
    let version = enforce::versions::at_start(&Paths::host(), user)?;
    if let Some(version) = version {
        print(&format!("{version}\n"))?;
    }
    Ok(Exit::Done)
}
