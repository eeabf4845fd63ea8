//! Doing what a plan says. Each change is recorded before and after; one that fails does not keep the
//! others from being done.

mod files;
mod packages;
mod tools;

use super::observe;
use super::plan::{Action, Change, Kind, Plan};
use super::record::Record;
use crate::provision::state::journal::Journal;
use crate::sys::Dir;
use crate::sys::fs::Existing;
use std::collections::BTreeMap;

const MACHINE: &str = "machine.json";

/// How the changes went, by their names.
pub type Outcomes = BTreeMap<String, Result<(), String>>;

/// Does it, on this host, as root. `progress` hears of what takes long.
///
/// # Errors
/// What ended everything: nothing could be put on record.
pub fn apply(
    plan: Plan,
    journal: Journal<'_>,
    progress: &mut dyn FnMut(&str),
) -> Result<Outcomes, String> {
    let Plan { changes, record } = plan;
    let dir = observe::record_dir().map_err(|error| error.to_string())?;
    let saved = match dir.read(MACHINE, 64 << 20) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => Vec::new(),
        Err(error) => return Err(error.to_string()),
    };
    let outcomes = Outcomes::new();
    let mut work = Work { dir, saved, record, journal, progress, outcomes };
    let (packages, others): (Vec<&Change>, Vec<&Change>) =
        changes.iter().filter(|c| c.action.is_some()).partition(|c| c.kind == Kind::Packages);
    // A kill between a drop-in and the reload must not lose the reload.
    let reload = others.iter().filter(|change| change.action == Some(Action::Reload));
    for change in reload {
        work.record.unfinished.insert(change.id.clone(), String::new());
    }
    packages::install(&packages, &mut work)?;
    for change in others {
        work.one(change)?;
    }
    work.save()?;
    let Work { journal, outcomes, .. } = work;
    journal.end("").map_err(|error| error.to_string())?;
    Ok(outcomes)
}

/// What is being done.
struct Work<'a> {
    dir: Dir,
    saved: Vec<u8>,
    record: Record,
    journal: Journal<'a>,
    progress: &'a mut dyn FnMut(&str),
    outcomes: Outcomes,
}

impl Work<'_> {
    /// Writes the record when it is another one.
    fn save(&mut self) -> Result<(), String> {
        let empty = self.saved.is_empty() && self.record == Record::default();
        let mut bytes = serde_json::to_vec_pretty(&self.record).map_err(|e| e.to_string())?;
        bytes.push(b'\n');
        if !empty && bytes != self.saved {
            let written = self.dir.write(MACHINE, &bytes, Existing::Replaced);
            written.map_err(|error| error.to_string())?;
            self.saved = bytes;
        }
        Ok(())
    }

    /// Puts on record that a change begins, with what it will leave.
    fn begin(&mut self, change: &Change, leaves: &str) -> Result<(), String> {
        self.record.unfinished.insert(change.id.clone(), leaves.to_owned());
        self.save()?;
        self.journal.before(&change.id, &change.what).map_err(|error| error.to_string())
    }

    /// Puts on record how it went. What failed stays begun: it may have left something.
    fn end(&mut self, change: &Change, result: Result<(), String>) {
        if result.is_ok() {
            self.record.unfinished.remove(&change.id);
        }
        let told = result.as_ref().map(|()| "").map_err(String::as_str);
        if let Err(error) = self.journal.after(&change.id, told) {
            tracing::warn!("{error}"); // the next run looks at what is there
        }
        self.outcomes.insert(change.id.clone(), result);
    }

    fn one(&mut self, change: &Change) -> Result<(), String> {
        let Some(action) = &change.action else { return Ok(()) };
        let leaves = match action {
            Action::Npm { version, .. } => version.clone(),
            Action::Fetch { download, .. } => download.hash.clone(),
            Action::Write { content, .. } => crate::provision::state::digest::of(&content.0),
            _ => String::new(),
        };
        let unfinished = self.record.unfinished.contains_key(&change.id);
        self.begin(change, &leaves)?;
        let result = match action {
            Action::Npm { name, version } => {
                packages::npm(name, version, unfinished, self.progress)
            }
            Action::Fetch { download, expected } => {
                files::fetch(download, expected.as_deref(), self.progress)
            }
            Action::Write { .. } => files::write(change.kind, action),
            Action::Attributes { path, attributes } => files::set_attributes(path, *attributes),
            Action::Reload => tools::reload(),
            Action::Close { path, before, mode } => files::close(path, *before, *mode),
            Action::Package { .. } => Err("not one by one".to_owned()), // `packages::install` does
        };
        if result.is_ok() {
            self.note(change, action, leaves);
        }
        self.end(change, result);
        self.save()
    }

    fn note(&mut self, change: &Change, action: &Action, leaves: String) {
        match action {
            Action::Fetch { download, .. } => {
                self.record.hashes.insert(download.path.clone(), leaves);
            }
            Action::Write { path, .. } => {
                self.record.hashes.insert(path.clone(), leaves);
            }
            Action::Npm { .. } => {
                self.record.made.insert(change.id.clone(), leaves);
            }
            Action::Close { .. } => {
                self.record.made.insert(change.id.clone(), "closed".to_owned());
            }
            Action::Attributes { .. } | Action::Reload | Action::Package { .. } => {}
        }
    }
}
