//! `import`: root moves the state of the older suite aside, where it stays, and hands each user's
//! part to a process of that user's.

use super::config::Config;
use super::error::Error;
use super::targets::{self, Target, Targets};
use super::task::{Task, TaskResult, UserReport};
use super::worker;
use crate::identity::is_user_name;
use crate::persist::{Forgotten, Manifest, OlderState, Request, time_in_name};
use crate::sys::accounts;
use crate::sys::fs::{Dir, Existing, FileError, trusted_path};
use crate::text::escape;
use rustix::fs::{FileType, Stat};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

/// Where the older suite's files stay; not a valid user name.
const ASIDE: &str = ".predecessor";
/// Its series of snapshots, by user.
const SERIES: &str = "snapshots";
/// What the older suite's records of closed sessions end in, beside a user's name or alone.
const FORGOTTEN: &str = "forgotten.tsv";
/// Maximum size of a manifest, in bytes: one of 1,000 sessions is 100 KB.
const MAX_MANIFEST: u64 = 1 << 20;
/// Maximum number of files in one of its directories.
const MAX_FILES: usize = 100_000;

/// What was imported, and what was not without making the import fail.
#[derive(Debug)]
pub struct ImportResult {
    pub task: Task,
    pub result: TaskResult,
    /// What was left out, with the user it belongs to.
    pub warnings: Vec<(Option<String>, String)>,
}

/// Imports for every user of the map who was not imported yet. `None` without older state.
pub fn import(config: &Config) -> Result<Option<ImportResult>, Error> {
    if !accounts::is_root() {
        return Err(Error::NotRoot("'persist import'"));
    }
    let path = config.site_state_dir();
    let state = match trusted_path::open_dir(&path) {
        Ok(state) => state,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut warnings = Vec::new();
    let Some(aside) = move_aside(&state, &mut warnings)? else { return Ok(None) };
    let (names, problems) = match targets::find(config, &Target::AllUsers)? {
        Targets::Users { names, problems, .. } => (names, problems),
        Targets::Caller { .. } => (Vec::new(), Vec::new()),
    };
    let task = Task { target: Target::AllUsers, request: Request::Import };
    let mut reports = Vec::new();
    for name in names {
        let done = format!("{name}.imported");
        if aside.stat(&done)?.is_some() {
            continue;
        }
        let _span = tracing::info_span!("user", name).entered();
        let mut notes = Vec::new();
        let older = read_state(&aside, &name, &mut notes)?;
        warnings.extend(notes.into_iter().map(|note| (Some(name.clone()), note)));
        if older.is_empty() {
            continue;
        }
        tracing::info!(manifests = older.manifests.len(), "importing");
        let input = serde_json::to_vec(&older).map_err(Error::Encode)?;
        let job =
            worker::job(config, &task.request, path.clone(), false, None, config.restore.clone());
        match worker::run_as_user(config, &name, Some(&state), &job, Some(input)) {
            Ok(report) => {
                if report.problem().is_none() {
                    aside.write(&done, b"", Existing::Replaced)?;
                }
                reports.push(UserReport::new(name, report));
            }
            Err(error) => reports.push(worker::failed(&name, &task.request, &error)),
        }
    }
    let result = TaskResult { reports, problems, single: false, by_root: true, state_dir: path };
    Ok(Some(ImportResult { task, result, warnings }))
}

/// Renames what the older suite left, within the state directory, which only root can write:
/// nothing is opened, and nothing below it is followed. `None` when it never left anything.
fn move_aside(
    state: &Dir,
    warnings: &mut Vec<(Option<String>, String)>,
) -> Result<Option<Dir>, FileError> {
    let is = |stat: &Stat, kind: FileType| {
        stat.st_uid == 0 && FileType::from_raw_mode(stat.st_mode) == kind
    };
    let mut found: Vec<OsString> = Vec::new();
    for name in state.names(MAX_FILES)?.unwrap_or_default() {
        let text = name.to_str().unwrap_or_default();
        let kind = match text.strip_suffix(".tsv") {
            // Of a series, the name of a user is a link to the newest: it would lead nowhere.
            Some(user) if is_user_name(user) && leads_into_series(state, text)? => {
                FileType::Symlink
            }
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
            warnings.push((None, format!("left where it is: {error}")));
        }
    }
    Ok(Some(aside))
}

/// Whether a name is a link to one of the series' snapshots. The link is read, not followed.
fn leads_into_series(state: &Dir, name: &str) -> Result<bool, FileError> {
    let Some(target) = state.link_target(name)? else { return Ok(false) };
    let target = Path::new(&target);
    let target = target.strip_prefix(state.path()).unwrap_or(target);
    let target = target.strip_prefix(".").unwrap_or(target);
    Ok(target.starts_with(SERIES))
}

/// All that the older suite kept of a user; `notes` names what cannot be read.
fn read_state(aside: &Dir, user: &str, notes: &mut Vec<String>) -> Result<OlderState, FileError> {
    let mut older = OlderState::default();
    let series = match aside.open_dir(SERIES).and_then(|series| series.open_dir(user)) {
        Ok(series) => Some(series),
        Err(error) if error.is_not_found() => None,
        Err(error) => {
            notes.push(format!("not imported: {error}"));
            None
        }
    };
    if let Some(series) = &series {
        for name in series.names(MAX_FILES)?.unwrap_or_default() {
            if name.as_encoded_bytes().ends_with(b".tsv") {
                read(series, &name, &mut older, notes)?;
            }
        }
    }
    // The newest of a series, whose time is in its name there: here it has that of the last copy.
    let of_series: BTreeSet<String> =
        older.manifests.iter().map(|manifest| manifest.text.clone()).collect();
    let manifest = format!("{user}.tsv");
    let is_link = aside.link_target(&manifest)?.is_some();
    if !is_link {
        read(aside, &manifest.into(), &mut older, notes)?;
    }
    if !of_series.is_empty() {
        let copied = |manifest: &Manifest| {
            manifest.name == format!("{user}.tsv") && of_series.contains(&manifest.text)
        };
        older.manifests.retain(|manifest| !copied(manifest));
    }
    read(aside, &format!("{user}.{FORGOTTEN}").into(), &mut older, notes)?;
    Ok(older)
}

/// Reads one file, if it is there: a manifest, or a record of closed sessions.
fn read(
    dir: &Dir,
    name: &OsString,
    older: &mut OlderState,
    notes: &mut Vec<String>,
) -> Result<(), FileError> {
    let Some(stat) = dir.stat(name)? else { return Ok(()) };
    let shown = escape(name.as_encoded_bytes());
    let text = match dir.read(name, MAX_MANIFEST) {
        Ok(bytes) => escape(&bytes),
        Err(error) => {
            notes.push(format!("not imported: {error}"));
            return Ok(());
        }
    };
    if name.as_encoded_bytes().ends_with(FORGOTTEN.as_bytes()) {
        older.forgotten.push(Forgotten { name: shown, text });
    } else {
        let written = u64::try_from(stat.st_mtime).unwrap_or(0);
        let seconds = name.to_str().and_then(time_in_name).unwrap_or(written);
        older.manifests.push(Manifest { name: shown, seconds, text });
    }
    Ok(())
}
