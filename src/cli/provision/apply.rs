//! `provision apply`.

use super::args::ApplyArgs;
use super::config::Config;
use super::output::{Output, shown, warn};
use super::prepare::{self, Prepared};
use super::root_run::{open_state, require_root};
use super::{plan_text, read};
use crate::cli::exit::{Exit, Failure};
use crate::provision::apply::{self, OutcomeKind, Receipt, Run};
use crate::provision::observe::hardening;
use crate::provision::plan::saved::SavedPlan;
use crate::provision::plan::{Change, DesiredState, Plan, Step, Verb};
use crate::provision::sources::origin;
use crate::sys::clock;
use crate::sys::fs::{self, trusted_path};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

/// No saved plan is larger (bytes).
const MAX_PLAN: u64 = 16 << 20;
/// How long another run is waited for.
pub(super) const WAIT: Duration = Duration::from_secs(5);

/// Makes the host agree with the roster.
pub(super) fn apply(output: Output, args: &ApplyArgs, config: Config) -> Result<Exit, Failure> {
    require_root("provision apply")
        .map_err(|failure| failure.with_hint("'provision plan' shows what would be done"))?;
    let mut args = args.clone();
    let saved = args.plan.as_deref().map(saved).transpose()?;
    if let Some(saved) = &saved {
        args.desired.check.roster.roster = saved.roster.clone().into();
        args.desired.users.clone_from(&saved.users);
    }
    let roster = args.desired.check.roster.roster.clone();
    if let Err(error) = trusted_path::assert_roots_own(&roster) {
        return Err(if error.is_not_found() {
            Failure::failed(read::no_roster(&roster, &error))
        } else {
            Failure::refused(error.to_string())
        });
    }
    let state = open_state(WAIT)?;
    let recover = |observed: &mut _| apply::recover(observed, &state);
    let prepared = prepare::prepare(output, &args.desired, Path::new("/"), config, &recover)?;
    if let Some(why) = refused(&prepared, saved.as_ref(), args.allow_empty_roster) {
        return Err(Failure::refused(why));
    }
    for fault in hardening::faults(Path::new("/"), &prepared.settings.home_base) {
        warn(&fault);
    }
    let name = format!("{}-{}", clock::stamp(clock::now()), std::process::id());
    let run = Run {
        desired: DesiredState {
            roster: &prepared.document.roster,
            users: &prepared.users,
            membership_unknown: prepared.membership_unknown.clone(),
            failed: BTreeSet::new(),
        },
        observed: &prepared.observed,
        settings: &prepared.settings,
        state: &state,
        name: &name,
        roster: origin::of(&roster, &prepared.name, &prepared.bytes),
    };
    let watched = std::io::stderr().is_terminal();
    let mut progress = |line: &str| {
        if watched {
            output.progress(line);
        }
    };
    let receipt = apply::apply(&run, &prepared.plan, &mut progress).map_err(Failure::failed)?;
    // Whoever watched the changes being made has read them once.
    let told = watched && std::io::stdout().is_terminal();
    output.result(&receipt, || text(&receipt, &prepared.plan, told))?;
    if output.quiet && !output.json {
        for change in refused_by(&prepared.plan) {
            let whose = change.owner();
            warn(&format!("{whose}: {}: refused: {}", change.what, change.why));
        }
    }
    for failed in receipt.changes.iter().filter(|change| change.outcome == OutcomeKind::Failed) {
        let whose = failed.user.as_deref().unwrap_or("the host");
        warn(&format!("{whose}: {}: {}", failed.what, failed.why));
    }
    let not_cut = refused_by(&prepared.plan).any(|change| change.scope.step == Step::Cut);
    Ok(match (receipt.tally.failed, prepared.membership_unknown.is_some(), not_cut) {
        (1.., ..) => Exit::Failed,
        (0, true, _) => Exit::Unknown,
        // Somebody who should be out is in: whoever watches the timer's runs must hear of it.
        (0, false, true) => Exit::Refused,
        (0, false, false) => Exit::Done,
    })
}

/// Why nothing is done at all.
fn refused(prepared: &Prepared, saved: Option<&SavedPlan>, allow_empty: bool) -> Option<String> {
    if prepared.document.roster.users.is_empty() && !allow_empty {
        let why = "an empty roster: nothing is applied from it without --allow-empty-roster";
        return Some(format!("{}: {why}", prepared.name));
    }
    let moved = saved?.changed(&prepared.saved(0))?;
    Some(format!("the saved plan no longer fits: {moved}; plan again"))
}

fn saved(path: &Path) -> Result<SavedPlan, Failure> {
    roots_own(path)?;
    let bytes = fs::read(path, MAX_PLAN).map_err(|error| Failure::failed(error.to_string()))?;
    SavedPlan::read(&bytes).map_err(|why| Failure::usage(format!("{}: {why}", shown(path))))
}

/// What decides over accounts may be no one's but root's.
fn roots_own(path: &Path) -> Result<(), Failure> {
    let refused = |error: crate::sys::FileError| {
        let what = if error.is_not_found() { Failure::failed } else { Failure::refused };
        what(error.to_string())
    };
    trusted_path::assert_roots_own(path).map_err(refused)
}

/// What the plan refused: each run says it until somebody has seen to it.
fn refused_by(plan: &Plan) -> impl Iterator<Item = &Change> {
    plan.changes.iter().filter(|change| change.verb == Verb::Refuse)
}

/// The receipt for a person: what was done, what was refused and why, the number of each.
fn text(receipt: &Receipt, plan: &Plan, told: bool) -> String {
    let mut text = String::new(); // writing to it cannot fail
    for change in receipt.changes.iter().filter(|_| !told) {
        let (sign, word) = change.verb.shown();
        let whose = change.user.as_deref().unwrap_or("the host");
        let how = match change.outcome {
            OutcomeKind::Done => "",
            OutcomeKind::Failed => "  FAILED",
            OutcomeKind::Skipped => "  skipped",
        };
        let line = format!("  {sign} {word:<7}  {whose}: {}{how}", change.what);
        let _ = writeln!(text, "{}", crate::text::table::shown(&line));
        let lines = change.lines.iter().chain(std::iter::once(&change.why));
        for line in lines.filter(|line| !line.is_empty()) {
            let _ = writeln!(text, "             {}", crate::text::table::shown(line));
        }
    }
    for change in refused_by(plan) {
        let what = format!("{}: {}", change.owner(), change.what);
        let values = (change.before.as_deref(), change.after.as_deref());
        let _ = writeln!(text, "{}", plan_text::line(change.verb, &what, values, change.cause));
        let lines = std::iter::once(&change.why).chain(&change.lines);
        lines.filter(|line| !line.is_empty()).for_each(|line| text += &plan_text::below(line));
    }
    for (user, lines) in &receipt.freshened {
        for line in lines {
            let line = format!("    fresh    {user}: {line}");
            let _ = writeln!(text, "{}", crate::text::table::shown(&line));
        }
    }
    let _ = writeln!(text, "{}", receipt.last_line());
    text
}
