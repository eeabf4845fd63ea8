//! Runs the steps of a stage independently, and journals each one before and after it.

use super::error::{OffboardError, StepFailure, StepFailures};
use super::steps::Step;
use crate::sys::FileError;

/// What a step reports: lines for the receipt, or its error.
pub(super) type StepResult = Result<Vec<String>, OffboardError>;

/// Where steps are put on record.
pub trait StepLog {
    /// Called before a step. `id` is `USER/STEP`, `what` a line about it.
    ///
    /// # Errors
    /// When it cannot be put on record: then the step is not done.
    fn before(&mut self, id: &str, what: &str) -> Result<(), FileError>;
    /// Called after the step with its lines, or with its error.
    ///
    /// # Errors
    /// When it cannot be put on record.
    fn after(&mut self, id: &str, outcome: Result<&str, &str>) -> Result<(), FileError>;
}

/// A log that only passes on what is being done: for a caller with a journal line for the whole stage.
pub struct ProgressOnly<'a>(pub &'a mut dyn FnMut(&str));

impl StepLog for ProgressOnly<'_> {
    fn before(&mut self, _: &str, what: &str) -> Result<(), FileError> {
        (self.0)(what);
        Ok(())
    }

    fn after(&mut self, _: &str, _: Result<&str, &str>) -> Result<(), FileError> {
        Ok(())
    }
}

/// A stage that came to its end.
#[derive(Debug, PartialEq, Eq)]
pub struct StageReport {
    /// Lines for the receipt.
    pub lines: Vec<String>,
    /// How many steps were done.
    pub steps: usize,
}

/// The steps of one user, and their results so far.
pub(super) struct StepRunner<'a> {
    user: String,
    log: &'a mut dyn StepLog,
    lines: Vec<String>,
    steps: usize,
    failed: Vec<StepFailure>,
}

impl<'a> StepRunner<'a> {
    pub(super) fn new(user: &str, log: &'a mut dyn StepLog) -> Self {
        Self { user: user.to_owned(), log, lines: Vec::new(), steps: 0, failed: Vec::new() }
    }

    /// Runs a step. Its error is kept, and ends this step alone.
    pub(super) fn run(&mut self, step: impl Step, act: impl FnOnce() -> StepResult) {
        let id = format!("{}/{}", self.user, step.id());
        let _span = tracing::info_span!("step", user = self.user, id = step.id()).entered();
        tracing::info!("{}", step.summary());
        if let Err(error) = self.log.before(&id, &format!("{}: {}", self.user, step.summary())) {
            return self.fail(step, error.into());
        }
        let result = act();
        let logged = match &result {
            Ok(lines) => self.log.after(&id, Ok(&lines.join("; "))),
            Err(error) => self.log.after(&id, Err(&error.to_string())),
        };
        match result {
            Ok(lines) => {
                tracing::debug!(?lines, "done");
                self.steps += 1;
                self.lines.extend(lines);
            }
            Err(error) => self.fail(step, error),
        }
        if let Err(error) = logged {
            self.fail(step, error.into());
        }
    }

    fn fail(&mut self, step: impl Step, error: OffboardError) {
        self.failed.push(StepFailure { step: step.summary(), error });
    }

    /// Whether a step failed so far.
    pub(super) fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    pub(super) fn finish(self) -> Result<StageReport, StepFailures> {
        if self.failed.is_empty() {
            Ok(StageReport { lines: self.lines, steps: self.steps })
        } else {
            let (failed, done, steps_done) = (self.failed, self.lines, self.steps);
            Err(StepFailures { failed, done, steps_done })
        }
    }
}
