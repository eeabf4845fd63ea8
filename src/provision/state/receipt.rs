//! What a run did, for whoever asks later.

use crate::provision::apply::Run;
use crate::provision::plan::{Cause, Change, Step, Verb};
use crate::sys::clock;
use serde::Serialize;
use std::collections::BTreeMap;

/// The form of a receipt.
const FORMAT: u32 = 1;

/// Where the applied roster came from: the committed state may be another than the file's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RosterSource {
    /// The file.
    pub file: String,
    /// The hash of its bytes.
    pub hash: String,
    /// The commit that the clone around it is at; `None` outside of a clone of root's.
    pub commit: Option<String>,
    /// Whether the file is not as that commit has it.
    pub edited: Option<bool>,
}

/// What came of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It was made.
    Done,
    /// It was tried.
    Failed,
    /// Something that it needs had failed.
    Skipped,
}

/// A change, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Its name in the plan.
    pub id: String,
    /// Whose; `None` is the host's.
    pub user: Option<String>,
    /// The kind of work.
    pub step: Step,
    /// What was to be done.
    pub verb: Verb,
    /// Why.
    pub cause: Cause,
    /// To what.
    pub what: String,
    /// What came of it.
    pub outcome: What,
    /// Why it failed.
    pub why: String,
    /// What there is to say besides.
    pub lines: Vec<String>,
}

/// How many there are of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Made.
    pub added: usize,
    /// Set right.
    pub repaired: usize,
    /// Shut out.
    pub cut: usize,
    /// Gone.
    pub removed: usize,
    /// Refused by the plan.
    pub refused: usize,
    /// Failed, or not tried since another one had failed.
    pub failed: usize,
}

/// `/var/lib/terminal-lobby/receipts/RUN.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Of this form.
    pub format: u32,
    /// Which run.
    pub run: String,
    /// Seconds since 1970.
    pub time: u64,
    /// The roster.
    pub roster: RosterSource,
    /// In the order in which they were made.
    pub changes: Vec<Outcome>,
    /// What there was to say of users' clones when they were brought up to date.
    pub freshened: BTreeMap<String, Vec<String>>,
    /// What the plan refused: name and reason.
    pub refused: Vec<(String, String)>,
    /// Counted.
    pub tally: Tally,
}

impl Receipt {
    pub(crate) fn of(run: &Run<'_>, changes: Vec<Outcome>, planned: &[Change]) -> Self {
        let refused = planned.iter().filter(|change| change.verb == Verb::Refuse);
        let refused: Vec<_> =
            refused.map(|change| (change.id.clone(), change.why.clone())).collect();
        let mut tally = Tally { refused: refused.len(), ..Tally::default() };
        for change in &changes {
            *match (change.outcome, change.verb) {
                (What::Failed | What::Skipped, _) => &mut tally.failed,
                (_, Verb::Add) => &mut tally.added,
                (_, Verb::Repair) => &mut tally.repaired,
                (_, Verb::Cut) => &mut tally.cut,
                (_, Verb::Remove) => &mut tally.removed,
                (_, Verb::Refuse | Verb::Report) => continue,
            } += 1;
        }
        let (name, roster) = (run.run.to_owned(), run.roster.clone());
        let (format, time, freshened) = (FORMAT, clock::now(), BTreeMap::new());
        Self { format, run: name, time, roster, changes, freshened, refused, tally }
    }

    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The last line for a person.
    pub fn last_line(&self) -> String {
        let Tally { added, repaired, cut, removed, refused, failed } = self.tally;
        format!(
            "Applied: {added} added, {repaired} repaired, {cut} cut, {removed} removed, \
             {refused} refused, {failed} failed."
        )
    }
}
