//! `provision roster show|check`.

use super::args::CheckArgs;
use super::ask;
use super::config::Config;
use super::output::{self, Output, complain, shown};
use super::read::{self, Loaded, messages};
use crate::cli::exit::{Exit, Failure};
use crate::provision::sources::vault;
use crate::roster::tiers::{self, K8sUsers, TierCheck};
use crate::roster::{Document, Problem, Roster, Tier};
use crate::sys::fs;
use crate::text::table::{align, count};
use serde_json::{Value, json};

/// What a roster is to its cluster, or why that is not known.
pub(super) type Compared = Result<TierCheck, String>;

/// Says what is wrong with a roster.
pub(super) fn check(output: Output, args: &CheckArgs) -> Result<Exit, Failure> {
    let loaded = read::load(&args.roster.roster)?;
    let name = &loaded.name;
    let (problems, warnings, mut notes) = match &loaded.document {
        Err(problems) => (problems.clone(), Vec::new(), Vec::new()),
        Ok(document) => match compare(args, document)? {
            Ok(check) => (check.errors, check.warnings, Vec::new()),
            Err(why) => (Vec::new(), Vec::new(), vec![skipped(&why)]),
        },
    };
    let roster = loaded.document.as_ref().ok().map(|document| &document.roster);
    notes.extend(empty(&loaded));
    let place = |problem: &Problem| {
        json!({
            "file": name, "line": problem.place.line, "column": problem.place.column,
            "message": problem.what, "hint": problem.hint,
        })
    };
    let value = json!({
        "file": name,
        "ok": problems.is_empty(),
        "users": roster.map(|roster| roster.users.len()),
        "problems": problems.iter().map(place).collect::<Vec<_>>(),
        "warnings": warnings.iter().map(place).collect::<Vec<_>>(),
        "notes": notes,
    });
    if problems.is_empty() {
        let human =
            || roster.map_or(String::new(), |roster| format!("{name}: sound: {}\n", tally(roster)));
        output.result(&value, human)?;
    } else if output.json {
        output.json(&value)?;
    }
    complain(&messages(name, &problems));
    warn(name, &warnings, &notes);
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Prints the rows.
pub(super) fn show(output: Output, args: &CheckArgs, config: &Config) -> Result<Exit, Failure> {
    let (loaded, document) = read::sound(&args.roster.roster)?;
    let name = &loaded.name;
    let compared = compare(args, &document)?;
    let (errors, warnings, mut notes) = match compared {
        Ok(check) => (check.errors, check.warnings, Vec::new()),
        Err(why) => (Vec::new(), Vec::new(), vec![skipped(&why)]),
    };
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
    let no_users = Loaded { document: Ok(document), ..loaded };
    notes.extend(empty(&no_users));
    complain(&messages(&no_users.name, &errors));
    warn(&no_users.name, &warnings, &notes);
    Ok(if errors.is_empty() { Exit::Done } else { Exit::Failed })
}

fn warn(name: &str, warnings: &[Problem], notes: &[String]) {
    for warning in warnings {
        output::warn(&warning.in_file(name));
    }
    for note in notes {
        output::warn(&format!("{name}: {note}"));
    }
}

pub(super) fn skipped(why: &str) -> String {
    format!("tiers not compared with the cluster's: {why}")
}

/// An empty roster is sound, and yet no reason to cut everybody.
fn empty(loaded: &Loaded) -> Option<String> {
    let document = loaded.document.as_ref().ok()?;
    let why = if document.has_users() { "no users in it" } else { "no key 'users' in it" };
    let empty = document.roster.users.is_empty();
    empty.then(|| format!("{why}: an empty roster, from which nothing is applied"))
}

/// Compares with the cluster, when it is named: nothing to compare with is nothing wrong.
pub(super) fn compare(args: &CheckArgs, document: &Document) -> Result<Compared, Failure> {
    // The reason is printed as a note; nothing depends on which error it is.
    let users: Result<K8sUsers, String> = if let Some(address) = &args.vault_addr {
        let option = ("--vault-addr", address.as_str());
        let client = ask::client(&args.server, option, "x-vault-token", "")?;
        vault::k8s_users(address, &args.vault_path, |url| ask::get(&client, url, vault::MAX_SECRET))
            .map_err(|error| error.to_string())
    } else if let Some(path) = &args.k8s_users {
        match fs::read(path, read::MAX_JSON) {
            Ok(bytes) => Ok(tiers::read(&bytes)
                .map_err(|error| Failure::failed(format!("{}: {error}", shown(path))))?),
            Err(error) => Err(error.to_string()),
        }
    } else {
        return Ok(Ok(TierCheck::default()));
    };
    Ok(users.map(|users| tiers::check(document, &users)))
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
