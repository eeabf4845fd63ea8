//! `provision membership`.

use super::args::MembershipArgs;
use super::config::Config;
use super::members::{self, MembersError};
use super::output::Output;
use super::roster_input::valid_roster;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{paint, style};
use crate::provision::observe::host_accounts;
use crate::provision::observe::roster_file::problem_lines;
use crate::roster::edit::{Edit, EditError, edit_ignoring};
use crate::roster::former_rows;
use crate::roster::membership::{Context, Membership, compare, spellings};
use crate::sys::{clock, fs};
use crate::text::{escape, shown};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What came of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum MembershipResult {
    Unchanged,
    /// There are differences, which were not written.
    Compared,
    Applied,
    Refused,
    Unknown,
}

/// Compares members with rows, and edits the roster with `--apply`.
pub(super) fn membership(
    output: Output,
    args: &MembershipArgs,
    config: &Config,
) -> Result<Exit, Failure> {
    let path = &args.roster.roster;
    if let Some(note) = args.note.as_ref().filter(|note| note.chars().any(char::is_control)) {
        let message = format!("--note '{}': expected one line of text", shown(note));
        return Err(Failure::usage(message));
    }
    let file = valid_roster(path, &config.ignored_fields)?;
    let (name, roster) = (&file.name, &file.document.roster);
    let members = match members::named(args, &config.membership.identity) {
        Ok(members) => members,
        Err(MembersError::Failure(failure)) => return Err(failure),
        Err(MembersError::Unknown(unknown)) => {
            return Err(cannot_determine(output, name, &unknown.to_string())?);
        }
    };
    let names: Vec<String> = members.iter().flat_map(spellings).collect();
    let names = names.iter().filter(|name| !roster.users.contains_key(*name));
    let host = host_accounts::facts_and_groups(names.map(String::as_str));
    let context = Context {
        former: &former_rows(&file.bytes, &config.ignored_fields),
        host: &host.map_err(Failure::failed)?,
        reserved: &config.membership.reserved,
        max_cut_percent: args.max_cut_percent.unwrap_or(config.max_cut_percent),
    };
    let found = compare(&members, roster, &context);
    let changes = !found.new.is_empty() || !found.leavers.is_empty();
    let result = match (&found.refused, changes) {
        (Some(_), _) => MembershipResult::Refused,
        (None, true) if args.apply => {
            let edited = edit_ignoring(&file.bytes, &edits(&found, args), &config.ignored_fields)
                .map_err(|error| match error {
                EditError::Invalid(problems) => Failure::failed(problem_lines(name, &problems)),
                other => Failure::failed(format!("{name}: {other}"))
                    .with_optional_hint(other.hint().map(str::to_owned)),
            })?;
            fs::replace(path, &file.bytes, &edited)?;
            MembershipResult::Applied
        }
        (None, true) => MembershipResult::Compared,
        (None, false) => MembershipResult::Unchanged,
    };
    output.result(&as_json(name, result, &found), || text(&found, result))?;
    if let Some(why) = &found.refused {
        return Err(Failure::refused(format!("{name}: {why}; nothing was changed"))
            .with_hint("--max-cut-percent PERCENT"));
    }
    if !found.activity_unknown.is_empty() {
        let number = found.activity_unknown.len();
        output.note(&format!("cannot determine whether {number} members are active"));
    }
    // A timer must not count a run as a success that waits for a person.
    Ok(if found.left_to_a_person.is_empty() { Exit::Done } else { Exit::LeftToAPerson })
}

/// Prints the result without members, and gives the error that ends the command.
fn cannot_determine(output: Output, file: &str, why: &str) -> Result<Failure, Failure> {
    if output.json {
        let result = MembershipResult::Unknown;
        output.json(&json!({ "file": file, "result": result, "error": why }))?;
    }
    let why = escape(why.as_bytes());
    Ok(Failure::unknown(format!(
        "cannot determine group members: {why}; no users were added or cut"
    )))
}

/// The edits of the roster: each comment begins with the day.
fn edits(found: &Membership, args: &MembershipArgs) -> Edit {
    let now = i64::try_from(clock::now()).ok();
    let now = now.and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    let day = now.map_or_else(String::new, |time| time.format("%Y-%m-%d").to_string());
    let note = |(user, why): (&String, &String)| {
        (user.clone(), format!("left {day}: {}", args.note.as_ref().unwrap_or(why)))
    };
    let comment_out: BTreeMap<String, String> = found.leavers.iter().map(note).collect();
    Edit { add: found.new.clone(), comment_out }
}

fn as_json(file: &str, result: MembershipResult, found: &Membership) -> Value {
    let mut value = json!({ "file": file, "result": result });
    if let (Value::Object(value), Ok(Value::Object(found))) =
        (&mut value, serde_json::to_value(found))
    {
        value.extend(found);
    }
    value
}

fn text(found: &Membership, result: MembershipResult) -> String {
    let mut text = String::new(); // writing to it cannot fail
    for (user, row) in &found.new {
        let (sign, identity) =
            (paint(style::ADDED, "+ add"), escape(row.authentik_user.as_bytes()));
        let _ = writeln!(text, "{sign} {user}: {identity}, {}", row.tier.name());
    }
    for (user, why) in &found.leavers {
        let _ = writeln!(text, "{} {user}: {why}", paint(style::REMOVED, "- cut"));
    }
    for (user, why) in &found.protected {
        let _ = writeln!(text, "  keep {user}: {why}, but an admin");
    }
    for (identity, why) in &found.left_to_a_person {
        let identity = escape(identity.as_bytes());
        let _ = writeln!(text, "{} {identity}: {why}", paint(style::WARNING, "! unclear"));
    }
    let (new, cut) = (found.new.len(), found.leavers.len());
    let (protected, unclear) = (found.protected.len(), found.left_to_a_person.len());
    let outcome = match result {
        MembershipResult::Applied => "written to the roster",
        MembershipResult::Refused => "refused",
        MembershipResult::Unchanged => "no changes",
        MembershipResult::Compared | MembershipResult::Unknown => "not written; --apply writes it",
    };
    text + &format!(
        "Membership: {new} to add, {cut} to cut, {protected} protected, {unclear} unclear ({outcome}).\n"
    )
}
