//! What `plan` and `apply` have in common: the roster, the host and what must change.

use super::args::DesiredArgs;
use super::config::Config;
use super::output::{self, Output, warn};
use super::{read, roster};
use crate::cli::exit::{Exit, Failure};
use crate::provision::apply::ApplyError;
use crate::provision::observe;
use crate::provision::observe::observed::Observed;
use crate::provision::plan::saved::SavedPlan;
use crate::provision::plan::{self, DesiredState, Plan, Tally, Verb};
use crate::provision::settings::Settings;
use crate::roster::{Document, Roster, validate};
use crate::sys::accounts;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// A plan, and all that it follows from.
pub(super) struct Prepared {
    /// The roster's file, as it is printed.
    pub(super) name: String,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
    /// What it says.
    pub(super) document: Document,
    /// The host.
    pub(super) observed: Observed,
    /// The site.
    pub(super) settings: Settings,
    /// Only these users; all when empty.
    pub(super) users: Vec<String>,
    /// Why it is not known who the members are.
    pub(super) membership_unknown: Option<String>,

    /// What must change.
    pub(super) plan: Plan,
}

/// Looks at the host below `root` and plans.
pub(super) fn prepare(
    output: Output,
    args: &DesiredArgs,
    root: &Path,
    config: Config,
    recover: &dyn Fn(&mut Observed) -> Result<(), ApplyError>,
) -> Result<Prepared, Failure> {
    let (loaded, document) = read::text(&args.check.roster.roster)?;
    let of_root = root == Path::new("/") && !accounts::is_root();
    let hint = if of_root { "; hint: run it as root" } else { "" };
    let failed = |error: &dyn std::error::Error| {
        Failure::failed(format!("observing the host: {error}{hint}"))
    };
    let mut observed = observe::observe(root, &document.roster, &config.home_base)
        .map_err(|error| failed(&error))?;
    recover(&mut observed).map_err(|error| failed(&error))?;
    let facts = observe::host_facts(root, &observed);
    let problems = validate(&document, &facts);
    if !problems.is_empty() {
        return Err(Failure::failed(read::messages(&loaded.name, &problems)));
    }
    known(&args.users, &document.roster, observed.applied.as_ref())?;
    let servers = config.servers.clone();
    tiers(servers.compare(&args.check, &document)?, &loaded.name)?;
    let settings = config.settings(args.max_cut_percent, facts.uid_min);
    observe::read_configured_files(&mut observed, root, &settings);
    if root == Path::new("/") && accounts::is_root() {
        observe::inspect_homes(&mut observed, &selected(&document.roster, &args.users), &settings);
    }
    let membership_unknown = servers.members_unknown(args);
    if let Some(why) = &membership_unknown {
        warn(&format!("the members are not known: {why}; nobody is cut"));
    }
    if observed.locks.is_none() {
        output.note("whether accounts have expired is not known: /etc/shadow was not read");
    }
    let unknown = membership_unknown.clone();
    let desired = DesiredState {
        roster: &document.roster,
        users: &args.users,
        membership_unknown,
        failed: BTreeSet::new(),
    };
    let plan = plan::plan(&desired, &observed, &settings)
        .map_err(|error| Failure::failed(format!("planning the ports: {error}")))?;
    let users = args.users.clone();
    let (name, bytes) = (loaded.name, loaded.bytes);
    Ok(Prepared {
        name,
        bytes,
        document,
        observed,
        settings,
        users,
        membership_unknown: unknown,
        plan,
    })
}

impl Prepared {
    /// The plan as JSON.
    pub(super) fn value(&self) -> Value {
        let tally = Tally::of(&self.plan.changes);
        json!({
            "file": self.name,
            "result": result(tally, self.membership_unknown.is_some()),
            "changes": self.plan.changes,
            "tally": tally,
            "ports": self.plan.record.ports,
            "playwright_ports": self.plan.record.playwright_ports,
        })
    }

    /// The plan as it is saved.
    pub(super) fn saved(&self, made: u64) -> SavedPlan {
        let settings = format!("{:?}", self.settings);
        let inputs: [(&str, &[u8]); 2] =
            [("the roster", &self.bytes), ("the configuration", settings.as_bytes())];
        SavedPlan::of((&self.name, &self.users), &inputs, &self.observed, &self.plan, made)
    }

    /// The most serious that there is to tell.
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

fn result(tally: Tally, unknown: bool) -> &'static str {
    match (unknown, tally.refused, tally.changes()) {
        (true, ..) => "unknown",
        (_, 1.., _) => "refused",
        (_, _, 1..) => "changes",
        _ => "unchanged",
    }
}

/// A tier that contradicts the cluster's ends everything; what the cluster does not know is said.
fn tiers(compared: roster::Compared, name: &str) -> Result<(), Failure> {
    match compared {
        Ok(check) if !check.errors.is_empty() => {
            Err(Failure::failed(read::messages(name, &check.errors)))
        }
        Ok(check) => {
            check.warnings.iter().for_each(|warning| output::warn(&warning.in_file(name)));
            Ok(())
        }
        Err(why) => {
            warn(&format!("{name}: {}", roster::skipped(&why)));
            Ok(())
        }
    }
}

fn selected(roster: &Roster, users: &[String]) -> Roster {
    let chosen = |user: &String| users.is_empty() || users.contains(user);
    let rows = roster.users.iter().filter(|(user, _)| chosen(user));
    Roster { users: rows.map(|(user, row)| (user.clone(), row.clone())).collect() }
}

/// A user that neither roster has is a slip of the hand.
fn known(users: &[String], roster: &Roster, applied: Option<&Roster>) -> Result<(), Failure> {
    let has = |user: &&String| {
        roster.users.contains_key(*user)
            || applied.is_some_and(|applied| applied.users.contains_key(*user))
    };
    let unknown = users.iter().find(|user| !has(user)).map(|user| {
        let user = user.escape_debug();
        Failure::usage(format!("--user '{user}': in no roster, neither this nor the applied one"))
    });
    unknown.map_or(Ok(()), Err)
}
