//! `provision offboard plan`.

use super::args::OffboardPlanArgs;
use super::config::Config;
use super::output::Output;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::warning;
use crate::offboard::leavers::{Leaver, Leavers, leavers};
use crate::offboard::steps::Step;
use crate::provision::observe::roster_file::read_past;
use crate::text::shown;
use crate::text::suggest::did_you_mean;
use std::fmt::Write;

/// Plans the cut of the users who left.
pub(super) fn plan(
    output: Output,
    args: &OffboardPlanArgs,
    config: &Config,
) -> Result<Exit, Failure> {
    let OffboardPlanArgs { old, new, destructive, users } = args;
    let (old_roster, new_roster) =
        (read_past(old, &config.ignored_fields)?, read_past(new, &config.ignored_fields)?);
    let mut plan = leavers(&old_roster, &new_roster, *destructive);
    if !users.is_empty() {
        let left: Vec<&str> = plan
            .protected
            .iter()
            .chain(plan.users.iter().map(|leaver| &leaver.user))
            .map(String::as_str)
            .collect();
        if let Some(user) = users.iter().find(|user| !left.contains(&user.as_str())) {
            let failure = format!("--user '{}': not among the users who left", shown(user));
            return Err(Failure::usage(failure).with_optional_hint(did_you_mean(user, left)));
        }
        plan.users.retain(|leaver| users.contains(&leaver.user));
        plan.protected.retain(|user| users.contains(user));
    }
    output.result(&plan, || human(&plan))?;
    for user in &plan.protected {
        warning(&format!("{user}: an admin, who is not cut by the difference of two rosters"));
    }
    for Leaver { user, now, .. } in &plan.users {
        if let Some(now) = now {
            warning(&format!("{user}: shares an identity with {now} of the new roster (renamed?)"));
        }
    }
    if new_roster.users.is_empty() && !old_roster.users.is_empty() {
        warning("the new roster is empty, and an empty roster is not applied");
    }
    Ok(Exit::Done)
}

fn human(plan: &Leavers) -> String {
    let mut text = String::new();
    for leaver in &plan.users {
        let _ = writeln!(text, "- cut {}", leaver.user); // to a String: cannot fail
        for step in &leaver.steps {
            let mark = if step.is_reversible() { "" } else { " (cannot be undone)" };
            let _ = writeln!(text, "    {}{mark}", step.summary());
        }
    }
    let (cut, refused) = (plan.users.len(), plan.protected.len());
    text + &format!("Plan: {cut} to cut, {refused} refused.\n")
}
