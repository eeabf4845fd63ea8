//! The receipt of a run: what it did, and what the plan refused.

use super::Run;
use crate::provision::plan::{Cause, Change, Step, Verb};
use crate::provision::sources::origin::RosterSource;
use crate::sys::clock;
use serde::Serialize;
use std::collections::BTreeMap;

/// The format of a receipt.
const FORMAT: u32 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    Done,
    Failed,
    /// A change that it needs had failed.
    Skipped,
}

/// A change and its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The `id` of the change in the plan.
    pub id: String,
    /// The user; `None` for the host's own changes.
    pub user: Option<String>,
    pub step: Step,
    pub verb: Verb,
    pub cause: Cause,
    /// The object of the verb.
    pub what: String,
    pub outcome: OutcomeKind,
    /// Why it failed or was skipped.
    pub why: String,
    pub lines: Vec<String>,
}

/// How many there are of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub added: usize,
    pub repaired: usize,
    pub cut: usize,
    pub removed: usize,
    /// Refused by the plan.
    pub refused: usize,
    /// Failed or skipped.
    pub failed: usize,
}

/// `/var/lib/terminal-lobby/receipts/RUN.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    pub format: u32,
    /// The name of the run.
    pub run: String,
    /// Seconds since 1970.
    pub time: u64,
    pub roster: RosterSource,
    /// In the order in which they were carried out.
    pub changes: Vec<Outcome>,
    /// What happened to users' clones when they were brought up to date.
    pub freshened: BTreeMap<String, Vec<String>>,
    /// What the plan refused: `id` and reason.
    pub refused: Vec<(String, String)>,
    pub tally: Tally,
}

impl Receipt {
    pub(crate) fn of(run: &Run<'_>, changes: Vec<Outcome>, planned: &[Change]) -> Self {
        let refused = planned.iter().filter(|change| change.verb == Verb::Refuse);
        let refused: Vec<_> = refused.map(|change| (change.id.clone(), change.reason())).collect();
        let mut tally = Tally { refused: refused.len(), ..Tally::default() };
        for change in &changes {
            *match (change.outcome, change.verb) {
                (OutcomeKind::Failed | OutcomeKind::Skipped, _) => &mut tally.failed,
                (_, Verb::Add) => &mut tally.added,
                (_, Verb::Repair) => &mut tally.repaired,
                (_, Verb::Cut) => &mut tally.cut,
                (_, Verb::Remove) => &mut tally.removed,
                (_, Verb::Refuse | Verb::Report) => continue,
            } += 1;
        }
        let (name, roster) = (run.name.to_owned(), run.roster.clone());
        let (format, time, freshened) = (FORMAT, clock::now(), BTreeMap::new());
        Self { format, run: name, time, roster, changes, freshened, refused, tally }
    }

    /// Whether no change was carried out.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The closing line of the text output.
    pub fn last_line(&self) -> String {
        let Tally { added, repaired, cut, removed, refused, failed } = self.tally;
        format!(
            "Applied: {added} added, {repaired} repaired, {cut} cut, {removed} removed, \
             {refused} refused, {failed} failed."
        )
    }
}
