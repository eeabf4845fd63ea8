//! `provision plan`.

use super::args::PlanArgs;
use super::config::Config;
use super::output::{Output, shown, warn};
use super::{plan_text, read};
use crate::cli::exit::{Exit, Failure};
use crate::provision::observe;
use crate::provision::plan::{self, Plan, Settings, Tally, Verb, Wish};
use crate::roster::{Roster, members, validate};
use crate::snapshot::escape;
use crate::sys::files;
use serde_json::json;

/// Shows what must change.
pub(super) fn plan(output: Output, args: &PlanArgs, config: Config) -> Result<Exit, Failure> {
    let (loaded, document) = read::text(&args.roster.roster)?;
    let observed = observe::observe(&args.root, &document.roster, &config.home_base)
        .map_err(|why| Failure::failed(format!("looking at the host: {why}")))?;
    let facts = observe::host_facts(&args.root, &observed);
    let problems = validate(&document, &facts);
    if !problems.is_empty() {
        return Err(Failure::failed(read::messages(&loaded.name, &problems)));
    }
    known(&args.users, &document.roster, observed.applied.as_ref())?;
    let membership_unknown = args.members.as_deref().and_then(|path| {
        let members = files::read(path, read::MAX_JSON).map_err(|error| error.to_string());
        let members = members.and_then(|bytes| {
            members::read(&bytes).map_err(|unknown| format!("{}: {unknown}", shown(path)))
        });
        members.err().map(|why| escape(why.as_bytes()))
    });
    let unknown = membership_unknown.is_some();
    if let Some(why) = &membership_unknown {
        warn(&format!("the members are not known: {why}; nobody is cut"));
    }
    let settings = Settings {
        ranges: config.ranges,
        groups: config.groups,
        max_cut_percent: args.max_cut_percent.unwrap_or(config.max_cut_percent),
        shell: config.shell,
        home_base: config.home_base,
        uid_min: facts.uid_min,
    };
    let wish = Wish { roster: &document.roster, users: &args.users, membership_unknown };
    let plan = plan::plan(&wish, &observed, &settings)
        .map_err(|error| Failure::failed(format!("planning the ports: {error}")))?;
    if observed.locks.is_none() {
        output.note("whether accounts have expired is not known: /etc/shadow was not read");
    }
    let tally = Tally::of(&plan.changes);
    let result = result(tally, unknown);
    let value = json!({
        "file": loaded.name,
        "result": result,
        "changes": plan.changes,
        "tally": tally,
        "ports": plan.record.ports,
        "playwright_ports": plan.record.playwright_ports,
    });
    output.result(&value, || plan_text::render(&plan, args.explain))?;
    if document.roster.users.is_empty() {
        warn(&format!("{}: an empty roster, from which nothing is applied", loaded.name));
    }
    Ok(if args.detailed_exitcode { exit(&plan, unknown) } else { Exit::Done })
}

fn result(tally: Tally, unknown: bool) -> &'static str {
    match (unknown, tally.refused, tally.changes()) {
        (true, ..) => "unknown",
        (_, 1.., _) => "refused",
        (_, _, 1..) => "changes",
        _ => "unchanged",
    }
}

/// The most serious that there is to tell.
fn exit(plan: &Plan, unknown: bool) -> Exit {
    let any = |wanted: fn(Verb) -> bool| plan.changes.iter().any(|change| wanted(change.verb));
    if unknown {
        Exit::Unknown
    } else if any(|verb| verb == Verb::Refuse) {
        Exit::Refused
    } else if any(Verb::changes) {
        Exit::Differs
    } else {
        Exit::Done
    }
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
