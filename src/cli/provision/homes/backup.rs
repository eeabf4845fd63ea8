//! `provision backup`: homes, with restic.

use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{error, warning};
use crate::cli::provision::args::{BackupCommand, RepositoryArgs};
use crate::cli::provision::config::Config;
use crate::cli::provision::output::Output;
use crate::cli::provision::root_run::{WAIT, open_state, require_root};
use crate::provision::backup::record::{self, Record};
use crate::provision::backup::restore::{self, Place};
use crate::provision::backup::{Backup, BackupError, Restic, Snapshot, homes};
use crate::provision::paths::STATE;
use crate::provision::settings::backup::{Repository, Settings};
use crate::provision::state::state_dir::State;
use crate::sys::{clock, locks};
use crate::text::shown;
use crate::text::table::{align, count};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many characters of a backup's id are shown.
const SHORT: usize = 12;

pub(in crate::cli::provision) fn run(
    output: Output,
    command: &BackupCommand,
    config: &Config,
) -> Result<Exit, Failure> {
    require_root("provision backup")?;
    let settings = &config.backup;
    match command {
        BackupCommand::Init(which) => init(output, &selected(settings, which)?, settings),
        BackupCommand::Run { repository, users } => {
            back_up(output, &selected(settings, repository)?, settings, users)
        }
        BackupCommand::List { repository, user } => {
            list(output, &selected(settings, repository)?, settings, user.as_deref())
        }
        BackupCommand::Verify(which) => verify(output, &selected(settings, which)?, settings),
        BackupCommand::Restore { user, repository, snapshot, to } => {
            let repositories = selected(settings, repository)?;
            let request = (user.as_str(), snapshot.as_deref(), to.as_deref());
            restore_home(output, &repositories, settings, request)
        }
        BackupCommand::Status { metrics } => {
            super::backup_status::status(output, settings, metrics.as_deref())
        }
    }
}

/// The configured repositories, or the one that is named.
fn selected<'a>(
    settings: &'a Settings,
    which: &RepositoryArgs,
) -> Result<Vec<&'a Repository>, Failure> {
    let all = settings.repositories.iter();
    let Some(wanted) = &which.repository else {
        let all: Vec<&Repository> = all.collect();
        if all.is_empty() {
            let failure = Failure::usage("provision.backup.repositories: none is configured");
            return Err(failure.with_hint("docs/backup.md has an example"));
        }
        return Ok(all);
    };
    let is = |one: &&Repository| one.address() == wanted || one.name() == *wanted;
    let found: Vec<&Repository> = all.filter(is).collect();
    if found.is_empty() {
        let what = format!("--repository {}: not in provision.backup.repositories", shown(wanted));
        return Err(Failure::usage(what));
    }
    Ok(found)
}

fn failed(error: BackupError) -> Failure {
    match error {
        BackupError::Refused { .. } => Failure::refused(error),
        BackupError::File(error) => error.into(),
        BackupError::NoRestic => Failure::failed(error).with_hint("apt install restic"),
        error => Failure::failed(error),
    }
}

fn init(
    output: Output,
    repositories: &[&Repository],
    settings: &Settings,
) -> Result<Exit, Failure> {
    for repository in repositories {
        let restic = Restic::new(settings, repository).map_err(failed)?;
        let name = repository.name();
        if restic.open().is_ok() {
            output.note(&format!("{name}: exists already"));
        } else {
            restic.init().map_err(|error| {
                let failure = failed(error);
                Failure { message: format!("{name}: {}", failure.message), ..failure }
            })?;
            output.note(&format!("{name}: made"));
        }
    }
    Ok(Exit::Done)
}

fn back_up(
    output: Output,
    repositories: &[&Repository],
    settings: &Settings,
    chosen: &[String],
) -> Result<Exit, Failure> {
    let state = State::open_unlocked(Path::new(STATE))?;
    let _lock = lock(&state)?;
    let mut users = homes::users(&state).map_err(Failure::failed)?;
    if let Some(unknown) = chosen.iter().find(|user| !users.contains(user)) {
        return Err(Failure::usage(format!(
            "--user '{}': not in the applied roster",
            shown(unknown)
        )));
    }
    users.retain(|user| chosen.is_empty() || chosen.contains(user));
    let host = host();
    let mut record = record::read().map_err(failed)?;
    let (mut good, mut bad) = (0, 0);
    for repository in repositories {
        let name = repository.name();
        let restic = Restic::new(settings, repository).and_then(|restic| {
            restic.open()?;
            Ok(restic)
        });
        for user in &users {
            let done = match &restic {
                Ok(restic) => homes::backup(restic, user, &host).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match &done {
                Ok(Backup::Complete) => output.progress(&format!("{name}: {user}: backed up")),
                Ok(Backup::Incomplete(why)) => {
                    warning(&format!("{name}: {user}: some files were not read: {}", shown(why)));
                }
                Err(why) => error(&format!("{name}: {user}: {}", shown(why))),
            }
            if done.is_ok() {
                good += 1;
            } else {
                bad += 1;
            }
            let repository = record.repositories.entry(name.clone()).or_default();
            let attempts = repository.homes.entry(user.clone()).or_default();
            attempts.note(clock::now(), done.err());
            record::write(state.dir(), &record).map_err(failed)?;
        }
        if let Ok(restic) = &restic
            && let Err(why) = restic.forget(&host)
        {
            bad += 1;
            error(&format!("{name}: {}", shown(&why.to_string())));
        }
    }
    let value = json!({"backed_up": good, "failed": bad, "record": record});
    output.result(&value, || format!("{} backed up, {bad} failed.\n", count(good, "home")))?;
    Ok(if bad == 0 { Exit::Done } else { Exit::Failed })
}

/// The lock of backups; `provision apply` runs meanwhile.
fn lock(state: &State) -> Result<locks::Lock, Failure> {
    locks::exclusive(state.dir(), "backup.lock", Duration::ZERO).map_err(|error| {
        if error.is_timeout() {
            Failure::failed("another backup is in progress")
        } else {
            error.into()
        }
    })
}

fn host() -> String {
    nix::unistd::gethostname()
        .map_or_else(|_| String::new(), |name| name.to_string_lossy().into_owned())
}

fn list(
    output: Output,
    repositories: &[&Repository],
    settings: &Settings,
    user: Option<&str>,
) -> Result<Exit, Failure> {
    let mut found: Vec<(String, Snapshot)> = Vec::new();
    let mut exit = Exit::Done;
    for repository in repositories {
        let all = Restic::new(settings, repository).and_then(|one| one.snapshots(user, None));
        match all {
            Ok(all) => found.extend(all.into_iter().map(|one| (repository.name(), one))),
            Err(why) => {
                error(&format!("{}: {}", repository.name(), shown(&why.to_string())));
                exit = Exit::Failed;
            }
        }
    }
    let value: Vec<_> = found
        .iter()
        .map(|(repository, one)| {
            json!({"repository": repository, "id": one.id, "user": one.user(), "time": one.time,
                   "host": one.hostname, "home": one.paths.first()})
        })
        .collect();
    output.result(&json!({"backups": value}), || {
        let heading = ["ID", "USER", "TIME", "HOST", "REPOSITORY"].map(str::to_owned);
        let row = |(repository, one): &(String, Snapshot)| {
            let id: String = one.id.chars().take(SHORT).collect();
            let time: String = one.time.chars().take(19).collect();
            let user = one.user().unwrap_or_default();
            [&id, user, &time.replace('T', " "), &one.hostname, repository]
                .map(|text| shown(text).to_string())
        };
        align(&std::iter::once(heading).chain(found.iter().map(row)).collect::<Vec<_>>())
    })?;
    Ok(exit)
}

fn verify(
    output: Output,
    repositories: &[&Repository],
    settings: &Settings,
) -> Result<Exit, Failure> {
    let state = State::open_unlocked(Path::new(STATE))?;
    let _lock = lock(&state)?;
    let mut record: Record = record::read().map_err(failed)?;
    let mut exit = Exit::Done;
    for repository in repositories {
        let name = repository.name();
        let done = Restic::new(settings, repository).and_then(|one| {
            one.open()?;
            one.check()
        });
        match &done {
            Ok(()) => output.note(&format!("{name}: verified")),
            Err(why) => {
                error(&format!("{name}: {}", shown(&why.to_string())));
                exit = Exit::Failed;
            }
        }
        let verification = &mut record.repositories.entry(name).or_default().verification;
        verification.note(clock::now(), done.err().map(|why| why.to_string()));
        record::write(state.dir(), &record).map_err(failed)?;
    }
    Ok(exit)
}

fn restore_home(
    output: Output,
    repositories: &[&Repository],
    settings: &Settings,
    (user, id, to): (&str, Option<&str>, Option<&Path>),
) -> Result<Exit, Failure> {
    let _state = open_state(WAIT)?;
    let place = match to {
        Some(path) => Place::new_directory(path),
        None => Place::home(user),
    };
    let hint = |failure: Failure| {
        let hint = format!("provision backup restore {} --to DIR restores it beside", shown(user));
        if failure.exit == Exit::Refused && to.is_none() {
            failure.with_hint(hint)
        } else {
            failure
        }
    };
    let place = place.map_err(|error| hint(failed(error)))?;
    let mut last = Failure::failed("no repository");
    for repository in repositories {
        let name = repository.name();
        let found = Restic::new(settings, repository).and_then(|restic| {
            restic.open()?;
            let snapshot = restore::choose(restic.snapshots(Some(user), None)?, user, id)?;
            Ok((restic, snapshot))
        });
        // Another repository may have what this one lacks; once something is restored, it counts.
        let (restic, snapshot) = match found {
            Ok(found) => found,
            Err(why) => {
                if repositories.len() > 1 {
                    warning(&format!("{name}: {}", shown(&why.to_string())));
                }
                last = failed(why);
                continue;
            }
        };
        let time = &snapshot.time;
        output.progress(&format!("{name}: restoring the home of {user} as it was at {time}"));
        let path: PathBuf =
            restore::restore(&restic, &snapshot, &place).map_err(|error| hint(failed(error)))?;
        let value = json!({"user": user, "repository": name, "id": snapshot.id, "time": time,
                           "path": path});
        output.result(&value, || {
            format!("{}: restored from {name}, as it was at {}\n", shown(&path), shown(time))
        })?;
        return Ok(Exit::Done);
    }
    Err(last)
}
