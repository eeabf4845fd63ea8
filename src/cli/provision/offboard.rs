//! `provision offboard plan`.

use super::output::{Output, warn};
use super::read;
use crate::cli::exit::{Exit, Failure};
use crate::roster::offboard::{self, Leaving, Plan, REVERSIBLE};
use std::fmt::Write;
use std::path::Path;

/// Plans the cut of those who left.
pub(super) fn plan(
    output: Output,
    old: &Path,
    new: &Path,
    destructive: bool,
    users: &[String],
) -> Result<Exit, Failure> {
    let (old_roster, new_roster) = (read::past(old)?, read::past(new)?);
    let mut plan = offboard::plan(&old_roster, &new_roster, destructive);
    if !users.is_empty() {
        let left = |user: &String| {
            plan.protected.contains(user) || plan.users.iter().any(|leaving| leaving.user == *user)
        };
        if let Some(user) = users.iter().find(|user| !left(user)) {
            let user = user.escape_debug();
            return Err(Failure::usage(format!("--user '{user}': not among those who left")));
        }
        plan.users.retain(|leaving| users.contains(&leaving.user));
        plan.protected.retain(|user| users.contains(user));
    }
    output.result(&plan, || human(&plan))?;
    for user in &plan.protected {
        warn(&format!("{user} is an admin: not cut by a difference of two rosters"));
    }
    let changed = |leaving: &&Leaving| leaving.now.is_some();
    for Leaving { user, now, .. } in plan.users.iter().filter(changed) {
        let now = now.as_deref().unwrap_or_default();
        warn(&format!("{user} and {now} of the new roster share an identity: renamed?"));
    }
    if new_roster.users.is_empty() && !old_roster.users.is_empty() {
        warn("the new roster is empty: nothing would be applied from it");
    }
    Ok(Exit::Done)
}

fn human(plan: &Plan) -> String {
    let mut text = String::new();
    for leaving in &plan.users {
        let _ = writeln!(text, "- cut {}", leaving.user); // to a String: cannot fail
        for step in &leaving.steps {
            let name = serde_json::to_value(step).unwrap_or_default();
            let name = name.as_str().unwrap_or_default().to_owned();
            let undone = REVERSIBLE.contains(step);
            let mark = if undone { "" } else { " (cannot be undone)" };
            let _ = writeln!(text, "    {name}{mark}");
        }
    }
    let (cut, kept) = (plan.users.len(), plan.protected.len());
    text + &format!("Plan: {cut} to cut, {kept} refused.\n")
}
