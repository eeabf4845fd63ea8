//! `provision t3 status`: how the instances are.

use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{error, of_user};
use crate::cli::provision::homes::write_metrics;
use crate::cli::provision::output::Output;
use crate::cli::provision::root_run::require_root;
use crate::sys::clock;
use crate::t3::paths::Paths;
use crate::t3::status::{self, UserStatus};
use crate::text::shown;
use crate::text::table::align;
use crate::text::time::ago;
use serde_json::json;
use std::path::Path;

pub(super) fn status(output: Output, metrics: Option<&Path>) -> Result<Exit, Failure> {
    require_root("provision t3 status")?;
    let now = clock::now();
    let all = status::status(&Paths::host(), now).map_err(Failure::failed)?;
    if let Some(file) = metrics {
        write_metrics(file, &status::metrics(&all, now))?;
    }
    output.result(&json!({"instances": all}), || {
        let heading = ["USER", "PORT", "VERSION", "LIVE", "WANTED", "STATE", "LAST BACKUP"];
        let heading = heading.map(str::to_owned);
        let row = |one: &UserStatus| {
            let version = |text: &Option<String>| {
                text.as_deref().map_or("-".to_owned(), |text| shown(text).to_string())
            };
            let backup = one.last_backup.as_ref();
            [
                one.user.clone(),
                one.port.to_string(),
                version(&one.chosen),
                version(&one.live),
                version(&one.target),
                state(one).to_owned(),
                backup.map_or("never".to_owned(), |good| ago(now.saturating_sub(good.time))),
            ]
        };
        align(&std::iter::once(heading).chain(all.iter().map(row)).collect::<Vec<_>>())
    })?;
    for one in &all {
        for why in messages(one) {
            error(&of_user(&one.user, &shown(&why).to_string()));
        }
    }
    let is_well = |one: &UserStatus| messages(one).is_empty();
    Ok(if all.iter().all(is_well) { Exit::Done } else { Exit::Failed })
}

/// The state in a word.
fn state(one: &UserStatus) -> &'static str {
    match one {
        UserStatus { restoring: true, .. } => "restoring",
        UserStatus { watchdog_stands_down: true, .. } => "given up",
        UserStatus { healthy: false, .. } => "no answer",
        UserStatus { deferred: Some(_), .. } => "deferred",
        _ => "healthy",
    }
}

/// What is wrong with an instance.
fn messages(one: &UserStatus) -> Vec<String> {
    let mut found = Vec::new();
    if one.restoring {
        found.push("a restore was interrupted: provision t3 restore --resume".to_owned());
    }
    if let Some(why) = &one.why {
        found.push(why.clone());
    }
    match &one.backup_failed {
        Some(failed) => found.push(format!("the last backup failed: {}", failed.why)),
        None if one.backup_stale => found.push("the last backup is too old".to_owned()),
        None => {}
    }
    found
}
