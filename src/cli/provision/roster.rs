//! `provision roster show|check`.

use super::args::CheckArgs;
use super::cluster_users::{Comparison, compare};
use super::config::Config;
use super::output::Output;
use super::roster_input::{checked_roster, valid_roster};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{error, warning};
use crate::provision::observe::roster_file::{RosterFile, problem_lines};
use crate::roster::{self, Document, Problem, Roster, Tier};
use crate::text::table::{align, count};
use serde_json::{Value, json};

/// What there is to say about a roster.
#[derive(Default)]
struct Findings {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    notes: Vec<String>,
}

impl Findings {
    /// Those of a roster without problems of its own.
    fn of(args: &CheckArgs, document: &Document) -> Result<Self, Failure> {
        let mut findings = match compare(args, document)? {
            Comparison::Compared(check) => {
                Self { problems: check.errors, warnings: check.warnings, notes: Vec::new() }
            }
            Comparison::Skipped(reason) => {
                Self { notes: vec![Comparison::note(&reason)], ..Self::default() }
            }
        };
        findings.warnings.extend(document.warnings.iter().cloned());
        findings.warnings.extend(roster::warnings(document));
        findings.warnings.sort();
        findings.notes.extend(empty_note(document));
        Ok(findings)
    }

    fn print(&self, file: &str) {
        error(&problem_lines(file, &self.problems));
        self.warnings.iter().for_each(|problem| warning(&problem.in_file(file)));
        self.notes.iter().for_each(|note| warning(&format!("{file}: {note}")));
    }

    fn exit(&self) -> Exit {
        if self.problems.is_empty() { Exit::Done } else { Exit::Failed }
    }
}

/// Reports the problems of a roster.
pub(super) fn check(output: Output, args: &CheckArgs, config: &Config) -> Result<Exit, Failure> {
    let RosterFile { name, document, .. } = checked_roster(&args.roster.roster, config)?;
    let findings = match &document {
        Ok(document) => Findings::of(args, document)?,
        Err(problems) => Findings { problems: problems.clone(), ..Findings::default() },
    };
    let roster = document.as_ref().ok().map(|document| &document.roster);
    let place = |problem: &Problem| {
        json!({
            "file": name, "line": problem.place.line, "column": problem.place.column,
            "message": problem.what, "hint": problem.hint,
        })
    };
    let value = json!({
        "file": name,
        "ok": findings.problems.is_empty(),
        "users": roster.map(|roster| roster.users.len()),
        "problems": findings.problems.iter().map(place).collect::<Vec<_>>(),
        "warnings": findings.warnings.iter().map(place).collect::<Vec<_>>(),
        "notes": findings.notes,
    });
    if findings.problems.is_empty() {
        let text =
            || roster.map_or(String::new(), |roster| format!("{name}: valid, {}\n", tally(roster)));
        output.result(&value, text)?;
    } else if output.json {
        output.json(&value)?;
    }
    findings.print(&name);
    Ok(findings.exit())
}

/// Prints the rows.
pub(super) fn show(output: Output, args: &CheckArgs, config: &Config) -> Result<Exit, Failure> {
    let file = valid_roster(&args.roster.roster, config)?;
    let (name, document) = (&file.name, &file.document);
    let findings = Findings::of(args, document)?;
    let groups = |tier: Tier| config.groups.of(tier);
    let users = document.roster.users.iter().map(|(user, row)| {
        let mut object = json!({ "user": user });
        if let (Value::Object(object), Ok(Value::Object(row_object))) =
            (&mut object, serde_json::to_value(row))
        {
            object.extend(row_object);
            object.insert("groups".to_owned(), groups(row.tier).into());
        }
        object
    });
    let value = json!({ "file": name, "users": users.collect::<Vec<_>>() });
    output.result(&value, || rows(&document.roster))?;
    findings.print(name);
    Ok(findings.exit())
}

/// An empty roster is valid, but it cuts no users.
fn empty_note(document: &Document) -> Option<String> {
    let reason = if document.has_users() { "no users" } else { "no key 'users'" };
    let empty = document.roster.users.is_empty();
    empty.then(|| format!("{reason}: an empty roster is not applied"))
}

fn tally(roster: &Roster) -> String {
    let of = |tier: Tier| roster.users.values().filter(|row| row.tier == tier).count();
    let tiers = Tier::ALL.into_iter().filter(|tier| of(*tier) > 0);
    let tiers: Vec<String> = tiers.map(|tier| format!("{} {}", of(tier), tier.name())).collect();
    let users = count(roster.users.len(), "user");
    if tiers.is_empty() { users } else { format!("{users}: {}", tiers.join(", ")) }
}

fn rows(roster: &Roster) -> String {
    let titles = ["USER", "AUTHENTIK", "K8S", "TIER", "LAYOUT", "NAMESPACES", "REPOS", ""];
    let mut cells = vec![titles.map(str::to_owned)];
    cells.extend(roster.users.iter().map(|(user, row)| {
        let parked = if row.parked { "parked" } else { "" };
        let list = |names: &[String]| names.join(" ");
        [
            user.clone(),
            row.authentik_user.clone(),
            row.k8s_user.clone(),
            row.tier.name().to_owned(),
            row.code_layout.name().to_owned(),
            list(&row.namespaces),
            list(&row.repos),
            parked.to_owned(),
        ]
    }));
    align(&cells)
}
