//! `provision apply`.

use super::args::ApplyArgs;
use super::config::Config;
use super::output::Output;
use super::plan_text::{self, below, sign};
use super::prepare::{self, Prepared};
use super::root_run::{WAIT, open_state, require_root};
use super::roster_input::{self, ROSTER};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{error, of_user, warning};
use crate::provision::apply::{self, Outcome, OutcomeKind, Receipt, Run};
use crate::provision::observe::hardening;
use crate::provision::observe::roster_file::RosterFile;
use crate::provision::plan::saved::SavedPlan;
use crate::provision::plan::{Change, DesiredState, Plan, Step, Verb};
use crate::provision::sources::origin;
use crate::provision::state::state_dir::State;
use crate::sys::clock;
use crate::sys::fs::trusted_path;
use crate::text::shown;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::Path;

/// Maximum size of a saved plan, in bytes.
const MAX_PLAN: u64 = 16 << 20;

/// Makes the host agree with the roster.
pub(super) fn apply(output: Output, args: &ApplyArgs, config: Config) -> Result<Exit, Failure> {
    require_root("provision apply").map_err(|failure| failure.with_hint("provision plan"))?;
    let mut args = args.clone();
    let saved = args.plan.as_deref().map(saved_plan).transpose()?;
    if let Some(saved) = &saved {
        // A roster of a commit is in no file.
        let is_of_commit =
            config.roster_repository.as_ref().is_some_and(|from| from.file() == saved.roster);
        let file = if is_of_commit { ROSTER } else { &saved.roster };
        args.desired.check.roster.roster = file.into();
        args.desired.users.clone_from(&saved.users);
    }
    let roster = args.desired.check.roster.roster.clone();
    if roster_input::repository(&roster, true, &config).is_none() {
        RosterFile::read_trusted(&roster, &config.ignored_fields)?; // its errors come before a wait for another run
    }
    let state = open_state(WAIT)?;
    let recover = |observed: &mut _| apply::recover(observed, &state);
    let prepared = prepare::prepare(output, &args.desired, Path::new("/"), config, &recover)?;
    check_plan(&prepared, saved.as_ref(), args.allow_empty_roster)?;
    for fault in hardening::faults(Path::new("/"), &prepared.settings.home_base) {
        warning(&fault);
    }
    let receipt = carry_out(output, &prepared, &state, &roster)?;
    report(output, &receipt, &prepared)?;
    Ok(exit(&receipt, &prepared))
}

fn carry_out(
    output: Output,
    prepared: &Prepared,
    state: &State,
    roster: &Path,
) -> Result<Receipt, Failure> {
    let name = format!("{}-{}", clock::stamp(clock::now()), std::process::id());
    let file = &prepared.roster;
    let run = Run {
        desired: DesiredState {
            roster: &file.document.roster,
            users: &prepared.users,
            membership_unknown: prepared.membership_unknown.clone(),
            failed: BTreeSet::new(),
        },
        observed: &prepared.observed,
        settings: &prepared.settings,
        state,
        name: &name,
        roster: (prepared.source.clone())
            .unwrap_or_else(|| origin::of(roster, &file.name, &file.bytes)),
    };
    let is_terminal = std::io::stderr().is_terminal();
    let mut progress = |line: &str| {
        if is_terminal {
            output.progress(line);
        }
    };
    apply::apply(&run, &prepared.plan, &mut progress).map_err(Failure::failed)
}

/// Prints the receipt; what was refused and what failed is on standard error too.
fn report(output: Output, receipt: &Receipt, prepared: &Prepared) -> Result<(), Failure> {
    let plan = &prepared.plan;
    // On a terminal, the progress has listed the changes already.
    let is_listed = std::io::stderr().is_terminal() && std::io::stdout().is_terminal();
    output.result(receipt, || text(receipt, plan, is_listed))?;
    if output.quiet && !output.json {
        for change in refused(plan) {
            let message = format!("{}: refused: {}", change.what, change.reason());
            warning(&of_user(change.owner(), &message));
        }
    }
    for failed in receipt.changes.iter().filter(|change| change.outcome == OutcomeKind::Failed) {
        error(&of_user(owner(failed), &format!("{}: {}", failed.what, failed.why)));
    }
    Ok(())
}

fn exit(receipt: &Receipt, prepared: &Prepared) -> Exit {
    let not_cut = refused(&prepared.plan).any(|change| change.scope.step == Step::Cut);
    match (receipt.tally.failed, prepared.membership_unknown.is_some(), not_cut) {
        (1.., ..) => Exit::Failed,
        (0, true, _) => Exit::Unknown,
        // A user who left still has access: the run of the timer must not count as a success.
        (0, false, true) => Exit::Refused,
        (0, false, false) => Exit::Done,
    }
}

/// Refuses an empty roster, and a saved plan that no longer fits.
fn check_plan(
    prepared: &Prepared,
    saved: Option<&SavedPlan>,
    allow_empty: bool,
) -> Result<(), Failure> {
    if prepared.roster.document.roster.users.is_empty() && !allow_empty {
        let message = format!("{}: refusing to apply an empty roster", prepared.roster.name);
        return Err(Failure::refused(message).with_hint("--allow-empty-roster"));
    }
    match saved.and_then(|saved| saved.changed(&prepared.saved(0))) {
        Some(changed) => {
            let message = format!("the saved plan no longer fits: {changed}");
            Err(Failure::refused(message).with_hint("provision plan --out FILE"))
        }
        None => Ok(()),
    }
}

fn saved_plan(path: &Path) -> Result<SavedPlan, Failure> {
    let bytes = trusted_path::read(path, MAX_PLAN)?;
    SavedPlan::read(&bytes).map_err(|error| Failure::usage(format!("{}: {error}", shown(path))))
}

/// What the plan refused: each run reports it until it is resolved.
fn refused(plan: &Plan) -> impl Iterator<Item = &Change> {
    plan.changes.iter().filter(|change| change.verb == Verb::Refuse)
}

fn owner(outcome: &Outcome) -> &str {
    outcome.user.as_deref().unwrap_or("the host")
}

/// The receipt as text: what was done, what was refused and why, and the closing counts.
fn text(receipt: &Receipt, plan: &Plan, is_listed: bool) -> String {
    let mut text = String::new(); // writing to it cannot fail
    for change in receipt.changes.iter().filter(|_| !is_listed) {
        let outcome = match change.outcome {
            OutcomeKind::Done => "",
            OutcomeKind::Failed => "  FAILED",
            OutcomeKind::Skipped => "  skipped",
        };
        let line = format!("{}: {}{outcome}", owner(change), change.what);
        let line = crate::text::table::shown(&line);
        let _ = writeln!(text, "  {}  {line}", sign(change.verb));
        let lines = change.lines.iter().chain(std::iter::once(&change.why));
        lines.filter(|line| !line.is_empty()).for_each(|line| text += &below(line));
    }
    for change in refused(plan) {
        let what = format!("{}: {}", change.owner(), change.what);
        let values = (change.before.as_deref(), change.after.as_deref());
        let _ = writeln!(text, "{}", plan_text::line(change.verb, &what, values, change.cause));
        let hint = change.hint.as_ref().map(|hint| format!("hint: {hint}"));
        let lines = std::iter::once(&change.why).chain(&hint).chain(&change.lines);
        lines.filter(|line| !line.is_empty()).for_each(|line| text += &below(line));
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
