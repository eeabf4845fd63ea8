//! A plan as text: by user, then in the order of dependencies, and cuts last.

use crate::cli::output::{paint, style};
use crate::offboard::steps::Step;
use crate::provision::plan::{Cause, Change, Plan, Tally, Verb};
use crate::text::table::shown;
use anstyle::Style;
use std::fmt::Write;

/// Maximum number of changes that a change is said to depend on by name.
const MAX_NEEDS: usize = 4;

/// The text of a plan; the last line counts the changes.
pub(super) fn render(plan: &Plan, explain: bool) -> String {
    let mut text = String::new(); // writing to it cannot fail
    let (destructive, others): (Vec<&Change>, Vec<&Change>) =
        plan.changes.iter().partition(|change| change.verb.takes_away());
    let mut section = None;
    for change in others {
        if section != Some(&change.scope.user) {
            let heading = change.scope.user.as_deref().unwrap_or("the host");
            let _ = writeln!(text, "{}", paint(style::HEADING, &shown(heading)));
            section = Some(&change.scope.user);
        }
        render_change(&mut text, change, plan, explain);
    }
    if !destructive.is_empty() {
        text.push_str("\nUsers who are cut; this can be undone, and deletes nothing:\n");
        for change in destructive {
            render_change(&mut text, change, plan, explain);
        }
    }
    text.push_str(&last_lines(Tally::of(&plan.changes), !text.is_empty()));
    text
}

/// The lines that count the changes, after an empty one if changes precede them.
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

/// The sign and the word of a change, in colour.
pub(super) fn sign(verb: Verb) -> String {
    let (sign, word) = verb.shown();
    paint(style_of(verb), &format!("{sign} {word:<7}"))
}

fn style_of(verb: Verb) -> Style {
    match verb {
        Verb::Add => style::ADDED,
        Verb::Repair => style::CHANGED,
        Verb::Cut | Verb::Remove => style::REMOVED,
        Verb::Refuse => style::WARNING,
        Verb::Report => style::NOTE,
    }
}

/// A change on a line: its sign and word, object, values before and after, and cause.
pub(super) fn line(
    verb: Verb,
    what: &str,
    (before, after): (Option<&str>, Option<&str>),
    cause: Cause,
) -> String {
    let mut line = what.to_owned();
    match (before, after) {
        (Some(before), Some(after)) => drop(write!(line, ": {before} -> {after}")),
        (None, Some(after)) => drop(write!(line, ": {after}")),
        (Some(before), None) => drop(write!(line, ": {before}")),
        (None, None) => {}
    }
    let cause = paint(style::FAINT, &format!("[{}]", cause.name()));
    format!("  {}  {}  {cause}", sign(verb), shown(&line))
}

/// A line that explains the change above.
pub(super) fn below(line: &str) -> String {
    format!("             {}\n", shown(line))
}

fn render_change(text: &mut String, change: &Change, plan: &Plan, explain: bool) {
    let values = (change.before.as_deref(), change.after.as_deref());
    text.push_str(&line(change.verb, &change.what, values, change.cause));
    text.push('\n');
    let mut below = |line: &str| text.push_str(&below(line));
    if !change.why.is_empty() && (explain || !change.verb.changes()) {
        below(&change.why);
    }
    if let Some(hint) = &change.hint {
        below(&format!("hint: {hint}"));
    }
    if explain && !change.scope.needs.is_empty() {
        let before = plan.changes.iter().filter(|other| change.scope.needs.contains(&other.id));
        let needs: Vec<&str> = before.map(|other| other.what.as_str()).collect();
        if needs.len() > MAX_NEEDS {
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
