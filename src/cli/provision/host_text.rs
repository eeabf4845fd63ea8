//! The plan of a host's base as a reviewer reads it: by kind, in the order in which it is done.

use super::plan_text::{below, last_lines, line};
use crate::provision::host_base::plan::Plan;
use crate::provision::plan::Tally;

/// The plan's text; the last line counts.
pub(super) fn plan(plan: &Plan, explain: bool) -> String {
    let mut text = String::new();
    let mut kind = None;
    for change in &plan.changes {
        if kind != Some(change.scope.kind) {
            text.push_str(change.scope.kind.name());
            text.push('\n');
            kind = Some(change.scope.kind);
        }
        let values = (change.before.as_deref(), change.after.as_deref());
        text.push_str(&line(change.verb, &change.what, values, change.cause));
        text.push('\n');
        if !change.why.is_empty() && (explain || !change.verb.changes()) {
            text.push_str(&below(&change.why));
        }
        if let Some(hint) = &change.hint {
            text.push_str(&below(&format!("hint: {hint}")));
        }
        change.lines.iter().for_each(|line| text.push_str(&below(line)));
    }
    let lines = last_lines(Tally::of(&plan.changes), !text.is_empty());
    text + &lines
}
