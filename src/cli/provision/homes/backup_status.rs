//! `provision backup status`: how old the last good backups are.

use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{error, warning};
use crate::cli::provision::output::Output;
use crate::provision::backup::homes;
use crate::provision::backup::record::{self, Attempts, Record};
use crate::provision::paths::STATE;
use crate::provision::settings::backup::{Repository, Settings};
use crate::provision::state::state_dir::State;
use crate::sys::clock::{self, Epoch};
use crate::sys::fs::trusted_path;
use crate::text::shown;
use crate::text::table::align;
use serde_json::json;
use std::fmt::Write;
use std::path::Path;

/// A home in a repository.
struct Row<'a> {
    repository: String,
    user: &'a str,
    attempts: Attempts,
    fresh: bool,
}

pub(super) fn status(
    output: Output,
    settings: &Settings,
    metrics: Option<&Path>,
) -> Result<Exit, Failure> {
    let state = State::open_unlocked(Path::new(STATE))?;
    let record = record::read().map_err(Failure::failed)?;
    let users = homes::users(&state).map_err(Failure::failed)?;
    let now = clock::now();
    let rows = rows(settings, &record, &users, now);
    if let Some(file) = metrics {
        write_metrics(file, &render(settings, &record, &rows, now))?;
    }
    let value: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({"repository": row.repository, "user": row.user, "last_good": row.attempts.good,
                   "last_failure": row.attempts.failed, "why": row.attempts.why, "fresh": row.fresh})
        })
        .collect();
    let verified = settings.repositories.iter().map(|repository| {
        let name = repository.name();
        let attempts = record.repositories.get(&name).map(|one| one.verification.clone());
        (name, attempts.unwrap_or_default())
    });
    let verified: Vec<(String, Attempts)> = verified.collect();
    output
        .result(&json!({"homes": value, "verified": verified}), || table(&rows, &verified, now))?;
    for row in rows.iter().filter(|row| !row.fresh) {
        let why = if row.attempts.why.is_empty() {
            String::new()
        } else {
            format!(": {}", row.attempts.why)
        };
        let age = row.attempts.good.map_or("no good backup".to_owned(), |good| {
            format!("the last good backup is {} old", age(now, good))
        });
        error(&format!("{}: {}: {age}{}", row.repository, row.user, shown(&why)));
    }
    for (name, attempts) in verified.iter().filter(|(_, attempts)| attempts.failed.is_some()) {
        warning(&format!("{name}: the last verification failed: {}", shown(&attempts.why)));
    }
    Ok(if rows.iter().all(|row| row.fresh) { Exit::Done } else { Exit::Failed })
}

fn rows<'a>(settings: &Settings, record: &Record, users: &'a [String], now: Epoch) -> Vec<Row<'a>> {
    let of = |repository: &Repository, user: &'a String| {
        let name = repository.name();
        let attempts = record.repositories.get(&name).and_then(|one| one.homes.get(user));
        let attempts = attempts.cloned().unwrap_or_default();
        let fresh = attempts.is_fresh(now, settings.max_age_hours);
        Row { repository: name, user, attempts, fresh }
    };
    let repositories = settings.repositories.iter();
    repositories.flat_map(|one| users.iter().map(move |user| of(one, user))).collect()
}

fn table(rows: &[Row<'_>], verified: &[(String, Attempts)], now: Epoch) -> String {
    let time = |time: Option<Epoch>| {
        time.map_or("never".to_owned(), |good| {
            format!("{} ({} ago)", clock::local(good), age(now, good))
        })
    };
    let heading = ["USER", "LAST GOOD BACKUP", "REPOSITORY"].map(str::to_owned);
    let row =
        |row: &Row<'_>| [row.user.to_owned(), time(row.attempts.good), row.repository.clone()];
    let mut text = align(&std::iter::once(heading).chain(rows.iter().map(row)).collect::<Vec<_>>());
    for (name, attempts) in verified {
        let _ = writeln!(text, "  {name}: verified {}", time(attempts.good));
    }
    text
}

/// The time since then: `5 h`.
fn age(now: Epoch, then: Epoch) -> String {
    let minutes = now.saturating_sub(then) / 60;
    match minutes {
        0..120 => format!("{minutes} min"),
        120..2880 => format!("{} h", minutes / 60),
        _ => format!("{} d", minutes / 1440),
    }
}

/// Metrics for Prometheus' node exporter.
fn render(settings: &Settings, record: &Record, rows: &[Row<'_>], now: Epoch) -> String {
    const NAME: &str = "terminal_lobby_backup";
    let mut text = String::new();
    let mut metric = |name: &str, help: &str, values: Vec<(String, u64)>| {
        let _ = writeln!(text, "# HELP {NAME}_{name} {help}\n# TYPE {NAME}_{name} gauge");
        for (labels, value) in values {
            let _ = writeln!(text, "{NAME}_{name}{{{labels}}} {value}");
        }
    };
    let label = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let labels = |row: &Row<'_>| {
        format!("repository=\"{}\",user=\"{}\"", label(&row.repository), label(row.user))
    };
    let homes =
        |value: fn(&Row<'_>) -> u64| rows.iter().map(|row| (labels(row), value(row))).collect();
    let good = homes(|row| row.attempts.good.unwrap_or(0));
    metric(
        "last_good_timestamp_seconds",
        "When a home was last backed up well; 0 for never.",
        good,
    );
    metric(
        "stale",
        "Whether that is longer ago than max_age_hours.",
        homes(|row| u64::from(!row.fresh)),
    );
    let verified = settings.repositories.iter().map(|repository| {
        let name = repository.name();
        let good = record.repositories.get(&name).and_then(|one| one.verification.good);
        (format!("repository=\"{}\"", label(&name)), good.unwrap_or(0))
    });
    metric(
        "verified_timestamp_seconds",
        "When a repository was last verified; 0 for never.",
        verified.collect(),
    );
    let failed = settings.repositories.iter().map(|repository| {
        let name = repository.name();
        let failed = record.repositories.get(&name).and_then(|one| one.verification.failed);
        (format!("repository=\"{}\"", label(&name)), u64::from(failed.is_some()))
    });
    metric("verification_failed", "Whether the last verification failed.", failed.collect());
    metric(
        "status_timestamp_seconds",
        "When this was written.",
        vec![(String::from("part=\"status\""), now)],
    );
    text
}

/// Replaces the file in one step, where only root could put anything in its place.
pub(in crate::cli::provision) fn write_metrics(file: &Path, text: &str) -> Result<(), Failure> {
    let shown = shown(file);
    let usage = |why: &str| Failure::usage(format!("--metrics {shown}: {why}"));
    let (Some(dir), Some(name)) = (file.parent(), file.file_name().and_then(|name| name.to_str()))
    else {
        return Err(usage("expected an absolute path"));
    };
    if !file.is_absolute() {
        return Err(usage("expected an absolute path"));
    }
    Ok(trusted_path::open_dir(dir)?.write_public_hint(name, text.as_bytes())?)
}
