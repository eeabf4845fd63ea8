//! The generated maps: written whole, and only over what this program wrote or what loses nothing (pure).

use super::Planned;
use super::change::{Action, Cause, Change, Step, Verb};
use super::ports::Ports;
use crate::provision::observe::observed::{File, Observed};
use crate::provision::paths::{ADMINS, CLOSED, DISPATCH, USER_MAP};
use crate::roster::{Roster, maps};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The entries of a map, whatever its form: an identity or a user, and where it leads.
type Entries = BTreeSet<(String, String)>;

/// A map is invalid.
#[derive(Debug, thiserror::Error)]
enum MapError {
    #[error("not UTF-8")]
    NotUtf8(#[from] std::str::Utf8Error),
    #[error("not valid JSON: {0}")]
    NotJson(#[from] serde_json::Error),
}

/// A generated file.
struct Generated {
    file: &'static str,
    text: String,
    read: fn(&[u8]) -> Result<Entries, MapError>,
}

/// What the maps follow from.
pub(super) struct MapInputs<'a> {
    pub(super) roster: &'a Roster,
    /// Users of the roster who are not ready to be in a map.
    pub(super) left_out: &'a BTreeSet<String>,
    /// Users who are cut: only their entries may go.
    pub(super) leaving: &'a BTreeSet<String>,
    /// The identities that users who are cut had.
    pub(super) cut: &'a BTreeSet<String>,
    pub(super) ports: &'a Ports,
    pub(super) needs: &'a [String],
}

pub(super) fn plan(mapped: &MapInputs<'_>, observed: &Observed) -> Planned {
    let roster = mapped.roster.select(|user| !mapped.left_out.contains(user));
    let ports = &mapped.ports.t3;
    let generated = [
        Generated { file: USER_MAP, text: maps::ttyd_user_map(&roster, ports), read: lines },
        Generated { file: ADMINS, text: maps::ttyd_admins(&roster, ports), read: lines },
        Generated {
            file: DISPATCH,
            text: maps::dispatch_text(&maps::dispatch(&roster, ports)),
            read: json,
        },
    ];
    let closed = closed(mapped, observed);
    let mut planned = Planned::default();
    for file in generated.iter().chain(&closed) {
        let of_file = one(file, mapped, observed);
        if !of_file.is_empty() {
            planned.changes.extend(of_file);
        } else if let Some(File::Read { bytes, .. }) = observed.files.get(file.file) {
            planned.adopted.push((file.file.to_owned(), bytes.clone()));
        }
    }
    planned
}

/// The file as it should be. If that is refused, the entries of users who are cut are still removed, and
/// every other byte is kept as a person wrote it.
fn one(generated: &Generated, mapped: &MapInputs<'_>, observed: &Observed) -> Vec<Change> {
    let whole = whole(generated, mapped, observed);
    let kept = whole.as_ref().is_some_and(|change| !change.verb.changes());
    let removed = kept.then(|| remove_cut_users(generated, mapped, observed)).flatten();
    whole.into_iter().chain(removed).collect()
}

/// Who is known and not served. A host on which all are served needs no such file.
fn closed(mapped: &MapInputs<'_>, observed: &Observed) -> Option<Generated> {
    let there = observed.files.get(CLOSED);
    let before = match there {
        Some(File::Read { bytes, .. }) => reasons(bytes).unwrap_or_default(),
        _ => Entries::new(),
    };
    // Of users who were cut long ago nothing else knows the identity.
    let mut cut = mapped.cut.clone();
    cut.extend(before.into_iter().filter(|(_, why)| why == "cut").map(|(identity, _)| identity));
    let closed = maps::closed(mapped.roster, &cut);
    let is_needed = there.is_some() || !closed.is_empty();
    is_needed.then(|| Generated { file: CLOSED, text: maps::dispatch_text(&closed), read: reasons })
}

fn remove_cut_users(
    generated: &Generated,
    mapped: &MapInputs<'_>,
    observed: &Observed,
) -> Option<Change> {
    let Generated { file, read, .. } = generated;
    if *file == CLOSED {
        return None;
    }
    let File::Read { bytes, .. } = observed.files.get(*file)? else { return None };
    let there = read(bytes).ok()?;
    let cut = |entry: &&(String, String)| mapped.leaving.contains(user_of(entry));
    let gone: Entries = there.iter().filter(cut).cloned().collect();
    if gone.is_empty() {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let text = if *file == DISPATCH {
        let mut map: Map<String, Value> = serde_json::from_str(text).ok()?;
        map.retain(|identity, _| !gone.iter().any(|(gone, _)| gone == identity));
        serde_json::to_string_pretty(&map).ok()? + "\n"
    } else {
        let stays = |line: &&str| {
            let entry = lines(line.as_bytes()).unwrap_or_default();
            entry.is_disjoint(&gone)
        };
        text.split_inclusive('\n').filter(stays).collect()
    };
    let change = Change::new(None, Step::Maps, &format!("{file}-cut"), *file);
    let change = Change { lines: difference(&gone, &Entries::new()), ..change };
    let change = change.why("users who are cut are in no map; all other entries are kept");
    let action = Action::RemoveEntries { file: (*file).to_owned(), text };
    Some(change.done(Verb::Repair, Cause::Intent, action))
}

fn whole(generated: &Generated, mapped: &MapInputs<'_>, observed: &Observed) -> Option<Change> {
    let Generated { file, text, read } = generated;
    let wanted = read(text.as_bytes()).unwrap_or_default();
    let recorded = observed.written.hashes.contains_key(*file);
    let action = || Action::WriteFile { file: (*file).to_owned(), text: text.clone() };
    let change = Change::new(None, Step::Maps, file, *file).needs(mapped.needs.iter().cloned());
    let bytes = match observed.files.get(*file) {
        Some(File::Read { bytes, .. }) => bytes,
        Some(File::Unknown(why)) => {
            return Some(change.refused(Cause::Drift, format!("not read: {why}")));
        }
        None => {
            let lines = difference(&Entries::new(), &wanted);
            let change = Change { lines, ..change };
            return Some(if recorded {
                change.why("the file is gone").done(Verb::Repair, Cause::Drift, action())
            } else {
                change.done(Verb::Add, Cause::Intent, action())
            });
        }
    };
    if bytes == text.as_bytes() {
        return None;
    }
    let edited = observed.written.is_ours(file, bytes) == Some(false);
    let cause = if edited { Cause::Edited } else { Cause::Intent };
    let there = match read(bytes) {
        Ok(there) => there,
        Err(why) => return Some(change.refused(cause, format!("not overwritten: {why}"))),
    };
    let change = Change { lines: difference(&there, &wanted), ..change };
    if edited {
        return Some(if there == wanted {
            change.reported(cause, "a person changed its form, not its entries: left as it is")
        } else {
            let change = change.hint("remove the file to have it written again");
            change.refused(cause, "a person changed it: not overwritten")
        });
    }
    if there == wanted {
        return None; // written by another program, in a form of its own
    }
    if *file == CLOSED {
        return Some(change.done(Verb::Repair, Cause::Intent, action()));
    }
    let gone: Vec<&(String, String)> = there.difference(&wanted).collect();
    if let Some(entry) = gone.iter().find(|entry| mapped.left_out.contains(user_of(entry))) {
        let why = format!("it would lose {}, whose changes are refused", user_of(entry));
        return Some(change.refused(cause, why));
    }
    let identities: BTreeSet<&String> = wanted.iter().map(|(identity, _)| identity).collect();
    let explained = |entry: &&&(String, String)| {
        let user = user_of(entry);
        let changed = recorded && mapped.roster.users.contains_key(user);
        let moved = *file == DISPATCH && identities.contains(&entry.0);
        mapped.leaving.contains(user) || changed || moved
    };
    if let Some((identity, _)) = gone.iter().find(|entry| !explained(entry)) {
        let why = if recorded {
            format!(
                "it would lose {identity}, whose user was not cut (is the applied roster gone?)"
            )
        } else {
            format!("not written by this program, and it would lose {identity}")
        };
        return Some(change.refused(Cause::Drift, why));
    }
    Some(change.done(Verb::Repair, Cause::Intent, action()))
}

/// The user that an entry leads to, or names.
fn user_of((left, target): &(String, String)) -> &str {
    let target = if target.is_empty() { left } else { target };
    target.split([':', ' ']).next().unwrap_or_default()
}

/// `identity=user`, or a user alone.
fn lines(text: &[u8]) -> Result<Entries, MapError> {
    let text = std::str::from_utf8(text)?;
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entry = |line: &str| {
        let (left, right) = line.split_once('=').unwrap_or((line, ""));
        (left.to_owned(), right.to_owned())
    };
    Ok(lines.map(entry).collect())
}

/// `{identity: {os_user, port}}`.
fn json(text: &[u8]) -> Result<Entries, MapError> {
    let map: Map<String, Value> = serde_json::from_slice(text)?;
    let entry = |(identity, value): (String, Value)| {
        let user = value.get("os_user").and_then(Value::as_str);
        let port = value.get("port").map(ToString::to_string);
        let plain = value.as_object().is_some_and(|object| object.len() == 2);
        let target = match (user, port, plain) {
            (Some(user), Some(port), true) => format!("{user} port {port}"),
            _ => value.to_string(),
        };
        (identity, target)
    };
    Ok(map.into_iter().map(entry).collect())
}

/// `{identity: reason}`.
fn reasons(text: &[u8]) -> Result<Entries, MapError> {
    let map: BTreeMap<String, String> = serde_json::from_slice(text)?;
    Ok(map.into_iter().collect())
}

fn difference(there: &Entries, wanted: &Entries) -> Vec<String> {
    let line = |sign: char, (left, right): &(String, String)| match right.as_str() {
        "" => format!("{sign} {left}"),
        right => format!("{sign} {left}={right}"),
    };
    let gone = there.difference(wanted).map(|entry| line('-', entry));
    gone.chain(wanted.difference(there).map(|entry| line('+', entry))).collect()
}
