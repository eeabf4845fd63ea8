//! Carries out one change: it is put on record before and after.

use super::receipt::{Outcome, OutcomeKind, Receipt};
use super::{
    ApplyError, ChangeError, Progress, Run, account, codex_login, files, install, units, writes,
};
use crate::offboard::{CutTarget, ProgressOnly, cut};
use crate::provision::plan::{Action, Change, Plan, Step, Verb};
use crate::provision::state::digest;
use crate::provision::state::journal::Journal;
use crate::provision::state::written::Written;
use std::collections::{BTreeMap, BTreeSet};

/// What a run has done so far.
pub(super) struct Executor<'a> {
    run: &'a Run<'a>,
    pub(super) journal: Journal<'a>,
    pub(super) written: Written,
    progress: &'a mut Progress<'a>,
    outcomes: Vec<Outcome>,
    freshened: BTreeMap<String, Vec<String>>,
    /// The `id`s of changes that failed or were skipped.
    failed: BTreeSet<String>,
}

/// The notes of a change that was carried out, or why it failed.
pub(super) type ChangeResult = Result<Vec<String>, ChangeError>;

impl<'a> Executor<'a> {
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
            failed: BTreeSet::new(),
        }
    }

    /// Carries out one change of root's.
    ///
    /// # Errors
    /// It cannot be put on record. A change that fails is an outcome.
    pub(super) fn carry_out(&mut self, change: &Change) -> Result<(), ApplyError> {
        let _span = tracing::debug_span!(
            "change",
            user = change.owner(),
            step = change.scope.step.name(),
            what = change.what
        )
        .entered();
        let change = &match with_secret(change) {
            Ok(change) => change,
            Err(error) => {
                let begun = self.begin(change)?;
                return if begun { self.end(change, Err(error)) } else { Ok(()) };
            }
        };
        if !self.begin(change)? {
            return Ok(());
        }
        let result = self.perform(change);
        self.end(change, result)
    }

    /// Puts on record that a change is about to be carried out. `false` if a change that it needs failed:
    /// then it is skipped.
    pub(super) fn begin(&mut self, change: &Change) -> Result<bool, ApplyError> {
        let failed = change.scope.needs.iter().find(|id| self.failed.contains(*id));
        if let Some(id) = failed {
            let why = format!("needs {id}, which failed");
            self.note(change, OutcomeKind::Skipped, why, Vec::new());
            return Ok(false);
        }
        let place = change.action.as_ref().and_then(|action| writes(action, user_of(change)));
        let place = place.map(|(place, bytes)| (place, digest::of(&bytes)));
        let what = format!("{} {}", change.verb.shown().1, change.what);
        self.journal.before_writing(&change.id, &what, place).map_err(ApplyError::Journal)?;
        Ok(true)
    }

    /// Puts the outcome of a change on record.
    pub(super) fn end(&mut self, change: &Change, result: ChangeResult) -> Result<(), ApplyError> {
        let place = change.action.as_ref().and_then(|action| writes(action, user_of(change)));
        if let Some((place, bytes)) = place.filter(|_| result.is_ok()) {
            self.written.note(&place, &bytes);
            self.run.state.written(&self.written)?;
        }
        let result = result.map_err(|error| {
            tracing::debug!(id = change.id, %error, "failed");
            error.to_string()
        });
        let text = result.as_ref().map(|lines| lines.join("; "));
        self.journal
            .after(&change.id, text.as_deref().map_err(|why| why.as_str()))
            .map_err(ApplyError::Journal)?;
        match result {
            Ok(lines) => self.note(change, OutcomeKind::Done, String::new(), lines),
            Err(why) => self.note(change, OutcomeKind::Failed, why, Vec::new()),
        }
        Ok(())
    }

    fn perform(&mut self, change: &Change) -> ChangeResult {
        let user = user_of(change);
        match &change.action {
            None => {}
            Some(Action::MakeAccount { home, shell }) => {
                let before = self.written.accounts.get(user).cloned();
                account::record_planned(&mut self.written, user, home, shell);
                self.run.state.written(&self.written)?;
                let made = account::make(user, home, shell, &self.written, self.run.settings);
                match &made {
                    Ok(uid) => account::record_made(&mut self.written, user, *uid),
                    Err(_) => account::forget(&mut self.written, user, before),
                }
                self.run.state.written(&self.written)?;
                return made.map(|uid| account::made_lines(user, uid));
            }
            Some(Action::FinishAccount { home }) => {
                let uid = account::finish(user, home)?;
                account::record_made(&mut self.written, user, uid);
                self.run.state.written(&self.written)?;
                return Ok(account::made_lines(user, uid));
            }
            Some(Action::AddToGroup(group)) => {
                account::add_to_group(user, group)?;
                let groups = self.written.groups.entry(user.to_owned()).or_default();
                groups.insert(group.clone());
                self.run.state.written(&self.written)?;
            }
            Some(Action::SetKey { file, key, value }) => files::set_key(file, key, value)?,
            Some(Action::SetMode { file, mode }) => files::set_mode(file, *mode)?,
            Some(Action::WriteFile { file, text } | Action::RemoveEntries { file, text }) => {
                files::write(file, text, self.run.observed.files.get(file))?;
            }
            Some(Action::Unit { unit, enabled }) => {
                let lines = units::set(unit, *enabled)?;
                self.written.units.insert(unit.clone(), *enabled);
                self.run.state.written(&self.written)?;
                return Ok(lines);
            }
            Some(Action::Home(_)) => {
                return Err(ChangeError::Internal("a task in a home is not root's"));
            }
            Some(Action::Install { path, what }) => {
                let observed = self.run.observed;
                let link = observed.configured.links.get(path).map(String::as_str);
                files::install(path, what, observed.files.get(path), link)?;
            }
            Some(Action::ShareLogin { directory, gid, staged, .. }) => {
                return codex_login::share(directory, *gid, staged.as_ref());
            }
            Some(Action::SetSecret { .. }) => {
                return Err(ChangeError::Internal("the secret has no value yet"));
            }
            Some(Action::Cut) => return self.cut(user),
        }
        Ok(Vec::new())
    }

    fn cut(&mut self, user: &str) -> ChangeResult {
        let row = self.run.observed.applied.as_ref().and_then(|roster| roster.users.get(user));
        let source = &self.run.roster;
        let reason = format!("no row in {}", source.file);
        let roster = source.commit.clone().unwrap_or_else(|| source.hash.clone());
        let mut target = CutTarget::new(user, row, reason, Some(roster));
        target.added_groups = self.written.groups.get(user).cloned().unwrap_or_default();
        let (state, settings) = (self.run.state.dir(), &self.run.settings.offboard);
        let mut progress = |what: &str| (self.progress)(what);
        Ok(cut::cut(state, &target, settings, &mut ProgressOnly(&mut progress))?.lines)
    }

    fn note(&mut self, change: &Change, outcome: OutcomeKind, why: String, lines: Vec<String>) {
        let word = match outcome {
            OutcomeKind::Done => "done",
            OutcomeKind::Failed => "FAILED",
            OutcomeKind::Skipped => "skipped",
        };
        let (sign, verb) = change.verb.shown();
        let (owner, what) = (change.owner(), &change.what);
        let reason = if why.is_empty() { String::new() } else { format!(": {why}") };
        (self.progress)(&format!("{sign} {verb} {owner}: {what}: {word}{reason}"));
        if outcome != OutcomeKind::Done {
            self.failed.insert(change.id.clone());
        }
        self.outcomes.push(Outcome {
            id: change.id.clone(),
            user: change.scope.user.clone(),
            step: change.scope.step,
            verb: change.verb,
            cause: change.cause,
            what: change.what.clone(),
            outcome,
            why,
            lines,
        });
    }

    /// Notes what happened to a user's clones when they were brought up to date.
    pub(super) fn freshened(&mut self, user: &str, lines: Vec<String>) {
        if !lines.is_empty() {
            self.freshened.insert(user.to_owned(), lines);
        }
    }

    /// Users who must not be in a map yet, since their account or their environment failed.
    pub(super) fn failed_users(&self) -> BTreeSet<String> {
        let kept = |outcome: &&Outcome| {
            outcome.outcome != OutcomeKind::Done
                && matches!(outcome.step, Step::Account | Step::Environment)
        };
        self.outcomes.iter().filter(kept).filter_map(|outcome| outcome.user.clone()).collect()
    }

    /// Users whose cut failed or was skipped.
    pub(super) fn uncut(&self) -> BTreeSet<String> {
        let failed = self.outcomes.iter().filter(|outcome| outcome.outcome != OutcomeKind::Done);
        failed
            .filter(|outcome| outcome.verb == Verb::Cut)
            .filter_map(|outcome| outcome.user.clone())
            .collect()
    }

    pub(super) fn receipt(&self, plan: &Plan) -> Receipt {
        let (outcomes, freshened) = (self.outcomes.clone(), self.freshened.clone());
        Receipt { freshened, ..Receipt::of(self.run, outcomes, &plan.changes) }
    }
}

fn user_of(change: &Change) -> &str {
    change.scope.user.as_deref().unwrap_or_default()
}

/// A change that sets a secret, with its value: it must be known before the journal records what is
/// written. If the key has a value that is kept, there is nothing to write. Any other change as it is.
fn with_secret(change: &Change) -> Result<Change, ChangeError> {
    let Some(Action::SetSecret { file, key, value }) = &change.action else {
        return Ok(change.clone());
    };
    let text = files::text(file)?;
    let value = install::resolve_secret(value, key, &text, files::text)?;
    let action = value.map(|value| Action::SetKey { file: file.clone(), key, value: value.0 });
    Ok(Change { action, ..change.clone() })
}
