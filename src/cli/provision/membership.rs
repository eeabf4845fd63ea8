//! `provision membership`.

use super::args::MembershipArgs;
use super::config::Config;
use super::output::Output;
use super::{ask, read};
use crate::cli::exit::{Exit, Failure};
use crate::provision::observe::host_accounts;
use crate::provision::sources::authentik;
use crate::roster::edit::{Edit, EditError, edit};
use crate::roster::members::{self, Member, MembersUnknown};
use crate::roster::membership::{Membership, compare, os_user};
use crate::sys::clock;
use crate::sys::fs;
use crate::text::escape;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Compares members with rows, and edits the roster when asked to.
pub(super) fn membership(
    output: Output,
    args: &MembershipArgs,
    config: &Config,
) -> Result<Exit, Failure> {
    let path = &args.roster.roster;
    if let Some(note) = args.note.as_ref().filter(|note| note.chars().any(char::is_control)) {
        let note = note.escape_debug();
        return Err(Failure::usage(format!("--note '{note}': expected one line of text")));
    }
    let (loaded, document) = read::sound(path)?;
    let members = match members(args)? {
        Ok(members) => members,
        Err(MembersUnknown(why)) => return unknown(output, &loaded.name, &why),
    };
    let names: Vec<String> = members.iter().map(os_user).collect();
    let names = names.iter().filter(|name| !document.roster.users.contains_key(*name));
    let host = host_accounts::facts(names.map(String::as_str))
        .map_err(|error| Failure::failed(error.to_string()))?;
    let most = args.max_cut_percent.unwrap_or(config.max_cut_percent);
    let found = compare(&members, &document.roster, &host, most);
    let changes = !found.new.is_empty() || !found.leavers.is_empty();
    let mut result = if changes { "compared" } else { "unchanged" };
    if found.refused.is_some() {
        result = "refused";
    } else if args.apply && changes {
        let edited = edit(&loaded.bytes, &wanted(&found, args)).map_err(|error| match error {
            EditError::Invalid(problems) => {
                Failure::failed(read::messages(&loaded.name, &problems))
            }
            other => Failure::failed(format!("{}: {other}", loaded.name))
                .with_optional_hint(other.hint().map(str::to_owned)),
        })?;
        fs::replace(path, &loaded.bytes, &edited)
            .map_err(|error| Failure::failed(error.to_string()))?;
        result = "applied";
    }
    output.result(&as_json(&loaded.name, result, &found), || human(&found, result))?;
    if let Some(why) = &found.refused {
        return Err(Failure::refused(format!(
            "{}: {why}; nothing is changed; hint: --max-cut-percent allows more",
            loaded.name
        )));
    }
    if !found.activity_unknown.is_empty() {
        let number = found.activity_unknown.len();
        output.note(&format!("of {number} members it is not known whether they are active"));
    }
    Ok(Exit::Done)
}

/// The members, or why they are not known. An error is the caller's own to mend.
pub(super) fn members(
    args: &MembershipArgs,
) -> Result<Result<Vec<Member>, MembersUnknown>, Failure> {
    let Some(address) = &args.authentik_url else {
        let path = args.members.as_deref().unwrap_or_else(|| "".as_ref());
        let bytes = fs::read(path, read::MAX_JSON);
        return Ok(bytes
            .map_err(|error| MembersUnknown(error.to_string()))
            .and_then(|bytes| members::read(&bytes)));
    };
    let group = args.group.as_deref().unwrap_or_default();
    if group.is_empty() {
        return Err(Failure::usage("--group: expected the name of a group"));
    }
    let option = ("--authentik-url", address.as_str());
    let client = ask::client(&args.server, option, "authorization", "Bearer ")?;
    let get = |url: &str| ask::get(&client, url, authentik::MAX_PAGE);
    Ok(authentik::members(address, group, get))
}

fn unknown(output: Output, file: &str, why: &str) -> Result<Exit, Failure> {
    if output.json {
        output.json(&json!({ "file": file, "result": "unknown", "error": why }))?;
    }
    let why = escape(why.as_bytes());
    Err(Failure::unknown(format!("the members are not known: {why}; nobody is added or cut")))
}

/// The edit: each comment begins with the day.
fn wanted(found: &Membership, args: &MembershipArgs) -> Edit {
    let now = i64::try_from(clock::now()).ok();
    let now = now.and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    let day = now.map_or_else(String::new, |time| time.format("%Y-%m-%d").to_string());
    let note = |(user, why): (&String, &String)| {
        (user.clone(), format!("left {day}: {}", args.note.as_ref().unwrap_or(why)))
    };
    let comment_out: BTreeMap<String, String> = found.leavers.iter().map(note).collect();
    Edit { add: found.new.clone(), comment_out }
}

fn as_json(file: &str, result: &str, found: &Membership) -> Value {
    let mut value = json!({ "file": file, "result": result });
    if let (Value::Object(value), Ok(Value::Object(found))) =
        (&mut value, serde_json::to_value(found))
    {
        value.extend(found);
    }
    value
}

fn human(found: &Membership, result: &str) -> String {
    let mut text = String::new(); // writing to it cannot fail
    for (user, row) in &found.new {
        let identity = escape(row.authentik_user.as_bytes());
        let _ = writeln!(text, "+ add {user}: {identity}, {}", row.tier.name());
    }
    for (user, why) in &found.leavers {
        let _ = writeln!(text, "- cut {user}: {why}");
    }
    for (user, why) in &found.protected {
        let _ = writeln!(text, "  keep {user}: {why}, but an admin");
    }
    for (identity, why) in &found.left_to_a_person {
        let _ = writeln!(text, "! left to a person: {}: {why}", escape(identity.as_bytes()));
    }
    let (new, cut) = (found.new.len(), found.leavers.len());
    let (protected, left) = (found.protected.len(), found.left_to_a_person.len());
    let how = match result {
        "applied" => "written into the roster",
        "refused" => "refused",
        "unchanged" => "nothing to do",
        _ => "not written: --apply does",
    };
    text + &format!(
        "Membership: {new} to add, {cut} to cut, {protected} protected, {left} left to a person \
         ({how}).\n"
    )
}
