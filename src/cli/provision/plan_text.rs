//! A plan as a reviewer reads it: by person, then in the order of dependencies; cuts apart.

use crate::offboard::steps::Step;
use crate::provision::plan::{Cause, Change, Plan, Tally, Verb};
use crate::text::table::shown;
use std::fmt::Write;

/// More names than these say less than their number.
const MOST_NEEDS: usize = 4;

/// The plan's text; the last line counts.
pub(super) fn render(plan: &Plan, explain: bool) -> String {
    let mut text = String::new(); // writing to it cannot fail
    let (destructive, others): (Vec<&Change>, Vec<&Change>) =
        plan.changes.iter().partition(|change| change.verb.takes_away());
    let mut whose = None;
    for change in others {
        if whose != Some(&change.scope.user) {
            let heading = change.scope.user.as_deref().unwrap_or("the host");
            let _ = writeln!(text, "{}", shown(heading));
            whose = Some(&change.scope.user);
        }
        one(&mut text, change, plan, explain);
    }
    if !destructive.is_empty() {
        text.push_str("\nTakes something away; a cut can be undone, and deletes nothing:\n");
        for change in destructive {
            one(&mut text, change, plan, explain);
        }
    }
    text.push_str(&last_lines(Tally::of(&plan.changes), !text.is_empty()));
    text
}

/// The lines that count, after an empty one where something precedes them.
pub(super) fn last_lines(tally: Tally, after_others: bool) -> String {
    let Tally { add, repair, cut, remove, refused, report } = tally;
    let mut text = if after_others { "\n".to_owned() } else { String::new() };
    if report > 0 {
        let _ = writeln!(text, "{report} only reported.");
    }
    let _ = writeln!(
        text,
        "Plan: {add} to add, {repair} to repair, {cut} to cut, {remove} to remove, {refused} refused."
    );
    text
}

/// One change on a line: sign, word, what, how it is and will be, why.
pub(super) fn line(
    verb: Verb,
    what: &str,
    (before, after): (Option<&str>, Option<&str>),
    cause: Cause,
) -> String {
    let (sign, word) = verb.shown();
    let mut line = format!("  {sign} {word:<7}  {what}");
    match (before, after) {
        (Some(before), Some(after)) => drop(write!(line, ": {before} -> {after}")),
        (None, Some(after)) => drop(write!(line, ": {after}")),
        (Some(before), None) => drop(write!(line, ": {before}")),
        (None, None) => {}
    }
    let _ = write!(line, "  [{}]", cause.name());
    shown(&line)
}

/// A line that explains the one above.
pub(super) fn below(line: &str) -> String {
    format!("             {}\n", shown(line))
}

fn one(text: &mut String, change: &Change, plan: &Plan, explain: bool) {
    let values = (change.before.as_deref(), change.after.as_deref());
    text.push_str(&line(change.verb, &change.what, values, change.cause));
    text.push('\n');
    let mut below = |line: &str| text.push_str(&below(line));
    if !change.why.is_empty() && (explain || !change.verb.changes()) {
        below(&change.why);
    }
    if explain && !change.scope.needs.is_empty() {
        let before = plan.changes.iter().filter(|other| change.scope.needs.contains(&other.id));
        let needs: Vec<&str> = before.map(|other| other.what.as_str()).collect();
        if needs.len() > MOST_NEEDS {
            below(&format!("after: {} changes above", needs.len()));
        } else {
            below(&format!("after: {}", needs.join(", ")));
        }
    }
    for line in &change.lines {
        below(line);
    }
    for step in &change.scope.steps {
        below(step.summary());
    }
}
