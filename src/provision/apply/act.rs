//! One change: on record before it is made, made, on record afterwards.

use super::{Progress, Run, account, files, install, units, writes};
use crate::offboard::{CutTarget, ProgressOnly, cut};
use crate::provision::plan::{Action, Change, Plan, Step, Verb};
use crate::provision::state::digest;
use crate::provision::state::journal::Journal;
use crate::provision::state::receipt::{Outcome, Receipt, What};
use crate::provision::state::written::Written;
use std::collections::{BTreeMap, BTreeSet};

/// The host while a plan is carried out.
pub(super) struct Host<'a> {
    run: &'a Run<'a>,
    pub(super) journal: Journal<'a>,
    pub(super) written: Written,
    progress: &'a mut Progress<'a>,
    outcomes: Vec<Outcome>,
    freshened: BTreeMap<String, Vec<String>>,
    /// What was not done, by the name of the change: why.
    failed: BTreeMap<String, String>,
}

/// The lines of a change that was made, or why it was not.
pub(super) type Made = Result<Vec<String>, String>;

impl<'a> Host<'a> {
    pub(super) fn new(
        run: &'a Run<'a>,
        journal: Journal<'a>,
        written: Written,
        progress: &'a mut Progress<'_>,
    ) -> Self {
        Self {
            run,
            journal,
            written,
            progress,
            outcomes: Vec::new(),
            freshened: BTreeMap::new(),
            failed: BTreeMap::new(),
        }
    }

    /// Makes one change of root's.
    ///
    /// # Errors
    /// When it cannot be put on record.
    pub(super) fn one(&mut self, change: &Change) -> Result<(), String> {
        let change = &match with_secret(change) {
            Ok(change) => change,
            Err(why) => {
                let done = self.begin(change)?;
                return if done { self.end(change, Err(why)) } else { Ok(()) };
            }
        };
        if !self.begin(change)? {
            return Ok(());
        }
        let made = self.make(change);
        self.end(change, made)
    }

    /// Puts on record that a change is about to be made; whether it may be.
    pub(super) fn begin(&mut self, change: &Change) -> Result<bool, String> {
        let failed = change.needs.iter().find(|id| self.failed.contains_key(*id));
        if let Some(id) = failed {
            let why = format!("not tried: {id} failed");
            self.note(change, What::Skipped, why, Vec::new());
            return Ok(false);
        }
        let user = change.user.as_deref().unwrap_or_default();
        let place = change.action.as_ref().and_then(|action| writes(action, user));
        let place = place.map(|(place, bytes)| (place, digest::of(&bytes)));
        let what = format!("{} {}", change.verb.shown().1, change.what);
        self.journal.before_writing(&change.id, &what, place).map_err(|error| error.to_string())?;
        Ok(true)
    }

    /// Puts on record what came of a change.
    pub(super) fn end(&mut self, change: &Change, made: Made) -> Result<(), String> {
        let outcome = made.as_ref().map(|lines| lines.join("; "));
        let text = outcome.as_ref().map(String::as_str).map_err(|why| why.as_str());
        let user = change.user.as_deref().unwrap_or_default();
        let place = change.action.as_ref().and_then(|action| writes(action, user));
        if let Some((place, bytes)) = place.filter(|_| made.is_ok()) {
            self.written.note(&place, &bytes);
            self.run.state.written(&self.written)?;
        }
        self.journal.after(&change.id, text).map_err(|error| error.to_string())?;
        match made {
            Ok(lines) => self.note(change, What::Done, String::new(), lines),
            Err(why) => self.note(change, What::Failed, why, Vec::new()),
        }
        Ok(())
    }

    fn make(&mut self, change: &Change) -> Made {
        let user = change.user.as_deref().unwrap_or_default();
        let none = |()| Vec::new();
        match &change.action {
            None => Ok(Vec::new()),
            Some(Action::MakeAccount { home, shell }) => {
                let before = self.written.accounts.get(user).cloned();
                account::note(&mut self.written, user, home, shell);
                self.run.state.written(&self.written)?;
                let made = account::make(user, home, shell, &self.written, self.run.settings);
                match &made {
                    Ok(uid) => account::made(&mut self.written, user, *uid),
                    Err(_) => account::forget(&mut self.written, user, before),
                }
                self.run.state.written(&self.written)?;
                made.map(|uid| vec![format!("uid {uid}")])
            }
            Some(Action::FinishAccount { home }) => {
                let uid = account::finish(user, home)?;
                account::made(&mut self.written, user, uid);
                self.run.state.written(&self.written).map(none)
            }
            Some(Action::AddToGroup(group)) => {
                account::add_to_group(user, group)?;
                let groups = self.written.groups.entry(user.to_owned()).or_default();
                groups.insert(group.clone());
                self.run.state.written(&self.written).map(none)
            }
            Some(Action::SetKey { file, key, value }) => files::set_key(file, key, value).map(none),
            Some(Action::SetMode { file, mode }) => files::set_mode(file, *mode).map(none),
            Some(Action::WriteFile { file, text } | Action::TakeOut { file, text }) => {
                files::write(file, text, self.run.observed.files.get(file)).map(none)
            }
            Some(Action::Unit { unit, enabled }) => {
                let lines = units::set(unit, *enabled)?;
                self.written.units.insert(unit.clone(), *enabled);
                self.run.state.written(&self.written)?;
                Ok(lines)
            }
            Some(Action::Home(_)) => Err("a home's work is not root's".to_owned()),
            Some(Action::Install { path, what }) => {
                let observed = self.run.observed;
                let link = observed.site.links.get(path).map(String::as_str);
                files::install(path, what, observed.files.get(path), link).map(none)
            }
            Some(Action::SetSecret { .. }) => Err("its value was not found out".to_owned()),
            Some(Action::Cut) => self.cut(user),
        }
    }

    fn cut(&mut self, user: &str) -> Made {
        let row = self.run.observed.applied.as_ref().and_then(|roster| roster.users.get(user));
        let source = &self.run.roster;
        let reason = format!("no row in {}", source.file);
        let roster = source.commit.clone().unwrap_or_else(|| source.hash.clone());
        let mut target = CutTarget::new(user, row, reason, Some(roster));
        target.added_groups = self.written.groups.get(user).cloned().unwrap_or_default();
        let (state, settings) = (self.run.state.dir(), &self.run.settings.offboard);
        let mut progress = |what: &str| (self.progress)(what);
        let report = cut::cut(state, &target, settings, &mut ProgressOnly(&mut progress));
        report.map(|report| report.lines).map_err(|error| error.to_string())
    }

    fn note(&mut self, change: &Change, outcome: What, why: String, lines: Vec<String>) {
        let word = match outcome {
            What::Done => "done",
            What::Failed => "FAILED",
            What::Skipped => "skipped",
        };
        let (sign, verb) = change.verb.shown();
        let whose = change.user.as_deref().unwrap_or("the host");
        let what = &change.what;
        let reason = if why.is_empty() { String::new() } else { format!(": {why}") };
        (self.progress)(&format!("{sign} {verb} {whose}: {what}: {word}{reason}"));
        if outcome != What::Done {
            self.failed.insert(change.id.clone(), why.clone());
        }
        let (id, user, step, verb) =
            (change.id.clone(), change.user.clone(), change.step, change.verb);
        let (what, cause) = (change.what.clone(), change.cause);
        self.outcomes.push(Outcome { id, user, step, verb, cause, what, outcome, why, lines });
    }

    /// Notes what there is to say of a user's clones after they were brought up to date.
    pub(super) fn freshened(&mut self, user: &str, lines: Vec<String>) {
        if !lines.is_empty() {
            self.freshened.insert(user.to_owned(), lines);
        }
    }

    /// Users who must not be in a map yet: their account or their environment failed.
    pub(super) fn failed_users(&self) -> BTreeSet<String> {
        let kept = |outcome: &&Outcome| {
            outcome.outcome != What::Done
                && matches!(outcome.step, Step::Account | Step::Environment)
        };
        self.outcomes.iter().filter(kept).filter_map(|outcome| outcome.user.clone()).collect()
    }

    /// Users whose cut did not come to its end.
    pub(super) fn uncut(&self) -> BTreeSet<String> {
        let failed = self.outcomes.iter().filter(|outcome| outcome.outcome != What::Done);
        failed
            .filter(|outcome| outcome.verb == Verb::Cut)
            .filter_map(|outcome| outcome.user.clone())
            .collect()
    }

    /// The receipt.
    pub(super) fn receipt(&self, plan: &Plan) -> Receipt {
        let (outcomes, freshened) = (self.outcomes.clone(), self.freshened.clone());
        Receipt { freshened, ..Receipt::of(self.run, outcomes, &plan.changes) }
    }
}

/// A change of a secret with its value, which is drawn before the journal says what is written; the
/// change itself otherwise. Where the key has a value that stays, there is nothing to write.
fn with_secret(change: &Change) -> Result<Change, String> {
    let Some(Action::SetSecret { file, key, value }) = &change.action else {
        return Ok(change.clone());
    };
    let there = files::text(file)?;
    let value = install::secret(value, key, &there, files::text)?;
    let action = value.map(|value| Action::SetKey { file: file.clone(), key, value: value.0 });
    Ok(Change { action, ..change.clone() })
}
