//! Carries out a plan. Each change is recorded before and after; if one fails, the others are still carried
//! out.

mod block;
mod files;
mod packages;
mod sudoers;
mod swap;
mod tools;
mod unpack;

use super::observe;
use super::plan::{Action, Change, Kind, Plan};
use super::record::Record;
use super::spec::Download;
use super::{HostApplyError, HostChangeError};
use crate::provision::state::digest;
use crate::provision::state::journal::Journal;
use crate::sys::Dir;
use crate::sys::fs::Existing;
use std::collections::BTreeMap;

/// The name of the record.
const RECORD: &str = "machine.json";

/// The outcomes of the changes, by `id`.
pub type Outcomes = BTreeMap<String, Result<(), HostChangeError>>;

/// Carries out a plan on this host, as root. `progress` takes a line before each change that takes long.
pub fn apply(
    plan: Plan,
    journal: Journal<'_>,
    progress: &mut dyn FnMut(&str),
) -> Result<Outcomes, HostApplyError> {
    let _span = tracing::debug_span!("host apply").entered();
    let Plan { changes, record } = plan;
    let dir = observe::record_dir()?;
    let saved = match dir.read(RECORD, 64 << 20) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let outcomes = Outcomes::new();
    let mut run = ApplyRun { dir, saved, record, journal, progress, outcomes };
    let (packages, others): (Vec<&Change>, Vec<&Change>) =
        changes.iter().filter(|c| c.action.is_some()).partition(|c| c.scope.kind == Kind::Packages);
    // A kill between a drop-in and the reload must not lose the reload, nor the restart of a service.
    let is_owed = |action: &Action| matches!(action, Action::Reload | Action::Restart { .. });
    let owed = others.iter().filter(|change| change.action.as_ref().is_some_and(is_owed));
    for change in owed {
        run.record.unfinished.insert(change.id.clone(), String::new());
    }
    packages::install(&packages, &mut run)?;
    for change in others {
        run.carry_out(change)?;
    }
    run.save()?;
    let ApplyRun { journal, outcomes, .. } = run;
    journal.end("").map_err(HostApplyError::Journal)?;
    Ok(outcomes)
}

/// What a run has done so far.
struct ApplyRun<'a> {
    dir: Dir,
    saved: Vec<u8>,
    record: Record,
    journal: Journal<'a>,
    progress: &'a mut dyn FnMut(&str),
    outcomes: Outcomes,
}

impl ApplyRun<'_> {
    /// Writes the record if it changed.
    fn save(&mut self) -> Result<(), HostApplyError> {
        let empty = self.saved.is_empty() && self.record == Record::default();
        let mut bytes = serde_json::to_vec_pretty(&self.record)?;
        bytes.push(b'\n');
        if !empty && bytes != self.saved {
            self.dir.write(RECORD, &bytes, Existing::Replaced)?;
            self.saved = bytes;
        }
        Ok(())
    }

    /// Puts on record that a change begins, with the hash or version that it will leave.
    fn begin(&mut self, change: &Change, leaves: &str) -> Result<(), HostApplyError> {
        self.record.unfinished.insert(change.id.clone(), leaves.to_owned());
        self.save()?;
        self.journal.before(&change.id, &change.what).map_err(HostApplyError::Journal)
    }

    /// Puts the outcome on record. A change that failed stays unfinished: it may have left something.
    fn end(&mut self, change: &Change, result: Result<(), HostChangeError>) {
        tracing::debug!(id = change.id, ?result, "carried out");
        if result.is_ok() {
            self.record.unfinished.remove(&change.id);
        }
        let why = result.as_ref().err().map(ToString::to_string);
        let outcome = why.as_deref().map_or(Ok(""), Err);
        if let Err(error) = self.journal.after(&change.id, outcome) {
            tracing::warn!("{error}"); // the next run observes what is there
        }
        self.outcomes.insert(change.id.clone(), result);
    }

    fn carry_out(&mut self, change: &Change) -> Result<(), HostApplyError> {
        let (kind, what) = (change.scope.kind.name(), change.what.as_str());
        let _span = tracing::debug_span!("change", kind, what).entered();
        let Some(action) = &change.action else { return Ok(()) };
        let leaves = match action {
            Action::Npm { version, .. } => version.clone(),
            Action::Fetch { download, .. } => download.hash.clone(),
            Action::Write { content, .. } => digest::of(&content.0),
            Action::Block { text, .. } => digest::of(text.as_bytes()),
            Action::Unpack(archive) => archive.download.hash.clone(),
            Action::Link { target, .. } => target.clone(),
            _ => String::new(),
        };
        let unfinished = self.record.unfinished.contains_key(&change.id);
        self.begin(change, &leaves)?;
        let result = match action {
            Action::Npm { name, version, replace } => {
                packages::npm(name, version, unfinished || *replace, self.progress)
            }
            Action::Fetch { download, expected } => {
                self.fetch(&change.id, download, expected.as_deref())
            }
            Action::Write { .. } => files::write(change.scope.kind, action),
            Action::Attributes { path, attributes } => files::set_attributes(path, *attributes),
            Action::Unpack(archive) => unpack::unpack(archive, self.progress),
            Action::Link { path, target } => unpack::link(path, target),
            Action::Block { path, text } => block::write(path, text),
            Action::Reload => tools::reload(),
            Action::Restart { unit } => tools::restart(unit),
            Action::Swap(steps) => swap::set_up(steps, self.progress),
            Action::Close { path, before, mode } => files::close(path, *before, *mode),
            Action::Package { .. } => {
                Err(HostChangeError::Internal("packages are installed together"))
            }
        };
        if result.is_ok() {
            self.note(change, action, leaves);
        }
        self.end(change, result);
        self.save()
    }

    /// Downloads and installs a file. The hash of a member is known only once it is unpacked: it is put on record
    /// before it is installed, so that after a kill it counts as written by this program.
    fn fetch(
        &mut self,
        id: &str,
        download: &Download,
        expected: Option<&str>,
    ) -> Result<(), HostChangeError> {
        (self.progress)(&format!("downloading {}", download.path));
        let hash = files::fetch(download, expected, &mut |hash| {
            if download.member.is_some() {
                self.record.unfinished.insert(id.to_owned(), hash.to_owned());
                self.save().map_err(|error| HostChangeError::Record(Box::new(error)))?;
            }
            Ok(())
        })?;
        self.record.hashes.insert(download.path.clone(), hash);
        match download.pinned_member() {
            Some(pin) => self.record.made.insert(id.to_owned(), pin),
            None => self.record.made.remove(id),
        };
        Ok(())
    }

    fn note(&mut self, change: &Change, action: &Action, leaves: String) {
        match action {
            Action::Write { path, .. } => {
                self.record.hashes.insert(path.clone(), leaves);
            }
            Action::Npm { .. } | Action::Block { .. } | Action::Unpack(_) | Action::Link { .. } => {
                self.record.made.insert(change.id.clone(), leaves);
            }
            Action::Swap(steps) => {
                self.record.made.insert(change.id.clone(), steps.size.to_string());
            }
            Action::Close { .. } => {
                self.record.made.insert(change.id.clone(), "closed".to_owned());
            }
            Action::Attributes { .. }
            | Action::Fetch { .. }
            | Action::Reload
            | Action::Restart { .. }
            | Action::Package { .. } => {}
        }
    }
}
