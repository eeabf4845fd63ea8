//! `import`: root moves the state of the older suite aside, where it stays, and hands each user's
//! part to a process of that user's.

use super::config::Config;
use super::targets::{self, Targets};
use super::worker::{self, UserReport};
use crate::cli::exit::{Exit, Failure};
use crate::cli::persist::args::{Whom, Work};
use crate::cli::persist::outcome;
use crate::cli::persist::text;
use crate::identity::is_user_name;
use crate::persist::{Manifest, Request, dispatch};
use crate::snapshot::SnapshotId;
use crate::sys::accounts;
use crate::sys::fs::{Dir, Existing, FileError, trusted_path};
use crate::text::escape;
use rustix::fs::{FileType, Stat};
use std::ffi::OsString;

/// Where the older suite's files stay. No user can be called so.
const ASIDE: &str = ".predecessor";
/// Its series of snapshots, by user.
const SERIES: &str = "snapshots";
/// No manifest is larger (bytes): one of 1,000 sessions is 100 KB.
const MAX_MANIFEST: u64 = 1 << 20;
/// No directory of it holds more.
const MAX_FILES: usize = 100_000;

/// Imports for every user of the map who was not imported yet.
pub fn import(config: &Config, quiet: bool) -> Result<Exit, Failure> {
    if !accounts::is_root() {
        return Err(Failure::refused("only root takes over the state of a host"));
    }
    let path = config.site_state_dir();
    if !path.exists() {
        return Ok(Exit::Done);
    }
    let failed = |error: FileError| Failure::failed(error.to_string());
    trusted_path::assert_roots_own(&path).map_err(|error| Failure::refused(error.to_string()))?;
    let state = Dir::open(&path).map_err(failed)?;
    let Some(aside) = move_aside(&state).map_err(failed)? else { return Ok(Exit::Done) };
    let (names, problems) = match targets::find(config, &Whom::Everybody)? {
        Targets::Users { names, problems, .. } => (names, problems),
        Targets::Caller { .. } => (Vec::new(), Vec::new()),
    };
    let work = Work { whom: Whom::Everybody, request: Request::Import };
    let mut reports = Vec::new();
    for name in names {
        let done = format!("{name}.imported");
        if aside.stat(&done).map_err(failed)?.is_some() {
            continue;
        }
        let mut notes = Vec::new();
        let manifests = read_manifests(&aside, &name, &mut notes).map_err(failed)?;
        for note in notes {
            crate::cli::output::warning(&format!("{name}: {note}"));
        }
        if manifests.is_empty() {
            continue;
        }
        let input = serde_json::to_vec(&manifests).map_err(|e| Failure::failed(e.to_string()))?;
        let job = worker::job(config, &work, path.clone(), false, None, config.restore.clone());
        let report = worker::for_user(config, &name, Some(&state), &job, Some(input))
            .unwrap_or_else(|error| dispatch::failed(&Request::Import, error));
        if report.problem().is_none() {
            aside.write(&done, b"", Existing::Replaced).map_err(failed)?;
        }
        reports.push(UserReport { user: name, report });
    }
    let done = worker::Done { reports, problems, single: false, by_root: true, state_dir: path };
    crate::cli::output::print(&text::render(&work, &done, quiet))?;
    for problem in done.problems.iter().chain(&text::problems(&done.reports, quiet)) {
        crate::cli::output::warning(problem);
    }
    Ok(outcome::of_reports(&done.reports, !done.problems.is_empty()))
}

/// Renames what the older suite left, within the state directory, which only root can write:
/// nothing is opened, and nothing below it is followed. `None` when it never left anything.
fn move_aside(state: &Dir) -> Result<Option<Dir>, FileError> {
    let is = |stat: &Stat, kind: FileType| {
        stat.st_uid == 0 && FileType::from_raw_mode(stat.st_mode) == kind
    };
    let mut found: Vec<OsString> = Vec::new();
    for name in state.names(MAX_FILES)?.unwrap_or_default() {
        let text = name.to_str().unwrap_or_default();
        let kind = match text.strip_suffix(".tsv") {
            Some(user) if is_user_name(user) => FileType::RegularFile,
            None if text == SERIES => FileType::Directory, // a user's own would be that user's
            _ => continue,
        };
        if state.stat(&name)?.is_some_and(|stat| is(&stat, kind)) {
            found.push(name);
        }
    }
    if found.is_empty() && state.stat(ASIDE)?.is_none() {
        return Ok(None);
    }
    let aside = state.ensure_dir(ASIDE)?;
    for name in found {
        if let Err(error) = state.rename_into(&name, &aside) {
            crate::cli::output::warning(&format!("left where it is: {error}"));
        }
    }
    Ok(Some(aside))
}

/// All that the older suite kept of a user; what cannot be read is named in `notes`.
fn read_manifests(
    aside: &Dir,
    user: &str,
    notes: &mut Vec<String>,
) -> Result<Vec<Manifest>, FileError> {
    let mut manifests = Vec::new();
    let mut read = |dir: &Dir, name: &OsString| -> Result<(), FileError> {
        let Some(stat) = dir.stat(name)? else { return Ok(()) };
        let named = name.to_str().and_then(SnapshotId::parse).map(SnapshotId::seconds);
        let written = u64::try_from(stat.st_mtime).unwrap_or(0);
        let shown = escape(name.as_encoded_bytes());
        match dir.read(name, MAX_MANIFEST) {
            Ok(bytes) => manifests.push(Manifest {
                name: shown,
                seconds: named.unwrap_or(written),
                text: escape(&bytes),
            }),
            Err(error) => notes.push(format!("not imported: {error}")),
        }
        Ok(())
    };
    read(aside, &format!("{user}.tsv").into())?;
    let series = aside.open_dir(SERIES).and_then(|series| series.open_dir(user));
    match series {
        Ok(series) => {
            for name in series.names(MAX_FILES)?.unwrap_or_default() {
                if name.as_encoded_bytes().ends_with(b".tsv") {
                    read(&series, &name)?;
                }
            }
        }
        Err(error) if error.is_not_found() => {}
        Err(error) => notes.push(format!("not imported: {error}")),
    }
    Ok(manifests)
}
