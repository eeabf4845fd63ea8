//! The plan that `plan` and `apply` have in common, and everything that it follows from.

use super::args::DesiredArgs;
use super::cluster_users::{self, Comparison};
use super::config::Config;
use super::members;
use super::output::Output;
use super::roster_input;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::warning;
use crate::provision::apply::ApplyError;
use crate::provision::observe;
use crate::provision::observe::observed::Observed;
use crate::provision::observe::roster_file::{RosterFileError, ValidRoster, problem_lines};
use crate::provision::plan::saved::SavedPlan;
use crate::provision::plan::{self, DesiredState, Plan, Tally, Verb};
use crate::provision::settings::Settings;
use crate::provision::sources::origin::RosterSource;
use crate::roster::{Document, Roster, validate};
use crate::sys::accounts;
use crate::text::shown;
use crate::text::suggest::did_you_mean;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// A plan, and everything that it follows from.
pub(super) struct Prepared {
    pub(super) roster: ValidRoster,
    /// Where it came from, if it was read from a commit.
    pub(super) source: Option<RosterSource>,
    pub(super) observed: Observed,
    pub(super) settings: Settings,
    /// Only these users; all if empty.
    pub(super) users: Vec<String>,
    /// Why the members cannot be determined.
    pub(super) membership_unknown: Option<String>,
    pub(super) plan: Plan,
}

/// The result of a plan in `--json`.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum PlanResult {
    Unchanged,
    Changes,
    Refused,
    /// The members cannot be determined.
    Unknown,
}

/// Reads the roster, observes the host below `root` and plans. `recover` completes the observed record
/// of a run that was killed.
pub(super) fn prepare(
    output: Output,
    args: &DesiredArgs,
    root: &Path,
    config: Config,
    recover: &dyn Fn(&mut Observed) -> Result<(), ApplyError>,
) -> Result<Prepared, Failure> {
    let is_this_host = root == Path::new("/");
    let failed = |error: &dyn std::error::Error| {
        let failure = Failure::failed(format!("observing the host: {error}"));
        let hint = (is_this_host && !accounts::is_root()).then(|| "run it as root".to_owned());
        failure.with_optional_hint(hint)
    };
    let path = &args.check.roster.roster;
    tracing::info!("reading the roster {}", shown(path));
    let (file, source) = roster_input::current_roster(path, is_this_host, &config)?;
    let roster = file.valid()?;
    for problem in &roster.document.warnings {
        warning(&problem.in_file(&roster.name));
    }
    tracing::info!("observing the host below {}", shown(root));
    let mut observed = observe::observe(root, &roster.document.roster, &config.home_base)
        .map_err(|error| failed(&error))?;
    recover(&mut observed).map_err(|error| failed(&error))?;
    let facts = observe::host_facts(root, &observed);
    let problems = validate(&roster.document, &facts);
    if !problems.is_empty() {
        return Err(RosterFileError::Invalid { name: roster.name, problems }.into());
    }
    check_users(&args.users, &roster.document.roster, observed.applied.as_ref())?;
    check_tiers(args, &config, &roster.name, &roster.document)?;
    let membership_unknown =
        members::unknown(args, config.authentik.as_ref(), &config.membership.identity);
    let settings = config.settings(args.max_cut_percent, (facts.uid_min, facts.uid_max));
    observe::read_configured_files(&mut observed, root, &settings);
    if is_this_host && accounts::is_root() {
        tracing::info!("inspecting the homes, each as its user");
        let is_selected = |user: &String| args.users.is_empty() || args.users.contains(user);
        let selected = roster.document.roster.select(is_selected);
        observe::inspect_homes(&mut observed, &selected, &settings);
    }
    if let Some(why) = &membership_unknown {
        warning(&format!("cannot determine group members: {why}; no users are cut"));
    }
    if observed.locks.is_none() {
        output.note("cannot determine whether accounts have expired: /etc/shadow was not read");
    }
    let desired = DesiredState {
        roster: &roster.document.roster,
        users: &args.users,
        membership_unknown: membership_unknown.clone(),
        failed: BTreeSet::new(),
    };
    tracing::info!("planning");
    let plan = plan::plan(&desired, &observed, &settings)
        .map_err(|error| Failure::failed(format!("planning the ports: {error}")))?;
    let users = args.users.clone();
    Ok(Prepared { roster, source, observed, settings, users, membership_unknown, plan })
}

impl Prepared {
    /// The plan as JSON.
    pub(super) fn value(&self) -> Value {
        let tally = Tally::of(&self.plan.changes);
        json!({
            "file": self.roster.name,
            "result": self.result(tally),
            "changes": self.plan.changes,
            "tally": tally,
            "ports": self.plan.record.ports,
            "playwright_ports": self.plan.record.playwright_ports,
        })
    }

    fn result(&self, tally: Tally) -> PlanResult {
        match (self.membership_unknown.is_some(), tally.refused, tally.changes()) {
            (true, ..) => PlanResult::Unknown,
            (_, 1.., _) => PlanResult::Refused,
            (_, _, 1..) => PlanResult::Changes,
            _ => PlanResult::Unchanged,
        }
    }

    /// The plan as it is saved.
    pub(super) fn saved(&self, made: u64) -> SavedPlan {
        let settings = format!("{:?}", self.settings);
        let inputs: [(&str, &[u8]); 2] =
            [("the roster", &self.roster.bytes), ("the configuration", settings.as_bytes())];
        SavedPlan::of((&self.roster.name, &self.users), &inputs, &self.observed, &self.plan, made)
    }

    /// The exit code of `--detailed-exitcode`: the highest that applies.
    pub(super) fn detailed_exit(&self) -> Exit {
        let any =
            |wanted: fn(Verb) -> bool| self.plan.changes.iter().any(|change| wanted(change.verb));
        if self.membership_unknown.is_some() {
            Exit::Unknown
        } else if any(|verb| verb == Verb::Refuse) {
            Exit::Refused
        } else if any(Verb::changes) {
            Exit::Differs
        } else {
            Exit::Done
        }
    }
}

/// Fails if tiers contradict those of the cluster. What the cluster does not know is a warning.
fn check_tiers(
    args: &DesiredArgs,
    config: &Config,
    file: &str,
    document: &Document,
) -> Result<(), Failure> {
    let vault = config.vault.as_ref();
    match cluster_users::compare_with_configured(&args.check, vault, document)? {
        Comparison::Compared(check) if !check.errors.is_empty() => {
            Err(Failure::failed(problem_lines(file, &check.errors)))
        }
        Comparison::Compared(check) => {
            check.warnings.iter().for_each(|problem| warning(&problem.in_file(file)));
            Ok(())
        }
        Comparison::Skipped(reason) => {
            warning(&format!("{file}: {}", Comparison::note(&reason)));
            Ok(())
        }
    }
}

/// Each `--user` must be in the roster, or in the applied one.
fn check_users(users: &[String], roster: &Roster, applied: Option<&Roster>) -> Result<(), Failure> {
    let known = || {
        let applied = applied.into_iter().flat_map(|applied| applied.users.keys());
        roster.users.keys().chain(applied).map(String::as_str)
    };
    let Some(user) = users.iter().find(|user| !known().any(|other| other == *user)) else {
        return Ok(());
    };
    let message = format!("--user '{}': not in the roster, nor in the applied one", shown(user));
    Err(Failure::usage(message).with_optional_hint(did_you_mean(user, known())))
}
