//! The generated maps: written whole, and only over what we wrote or what loses nothing by it.

use super::change::{Action, Cause, Change, Step, Verb};
use super::ports::Ports;
use crate::provision::observe::observed::{ADMINS, DISPATCH, File, Observed, USER_MAP};
use crate::roster::{Roster, maps};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What a map says, whatever its form: an identity or a user, and where it leads.
type Entries = BTreeSet<(String, String)>;

/// A generated file.
struct Generated {
    file: &'static str,
    text: String,
    read: fn(&[u8]) -> Result<Entries, String>,
}

/// The maps of a roster's users, those left out excepted, who are not ready for one.
pub(super) struct Mapped<'a> {
    pub(super) roster: &'a Roster,
    pub(super) left_out: &'a BTreeSet<String>,
    /// Those who are being cut: only they lose their entries without having been asked for.
    pub(super) leaving: &'a BTreeSet<String>,
    pub(super) ports: &'a Ports,
    pub(super) needs: &'a [String],
}

/// The changes; the second value is what is there as it should be, for the record.
pub(super) fn plan(
    mapped: &Mapped<'_>,
    observed: &Observed,
) -> (Vec<Change>, Vec<(String, Vec<u8>)>) {
    let rows = mapped.roster.users.iter().filter(|(user, _)| !mapped.left_out.contains(*user));
    let roster = Roster { users: rows.map(|(user, row)| (user.clone(), row.clone())).collect() };
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
    let (mut changes, mut adopted) = (Vec::new(), Vec::new());
    for file in &generated {
        let of_file = one(file, mapped, observed);
        if !of_file.is_empty() {
            changes.extend(of_file);
        } else if let Some(File::Read { bytes, .. }) = observed.files.get(file.file) {
            adopted.push((file.file.to_owned(), bytes.clone()));
        }
    }
    (changes, adopted)
}

/// The file as it must be; and where that is refused, it still loses those who are cut: their entries
/// are taken out, and every other byte stays as a person wrote it.
fn one(generated: &Generated, mapped: &Mapped<'_>, observed: &Observed) -> Vec<Change> {
    let whole = whole(generated, mapped, observed);
    let kept = whole.as_ref().is_some_and(|change| !change.verb.changes());
    let taken_out = kept.then(|| take_out(generated, mapped, observed)).flatten();
    whole.into_iter().chain(taken_out).collect()
}

fn take_out(generated: &Generated, mapped: &Mapped<'_>, observed: &Observed) -> Option<Change> {
    let Generated { file, read, .. } = generated;
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
    let change = change.why("who is cut is in no map, whoever wrote it; all else in it stays");
    let action = Action::TakeOut { file: (*file).to_owned(), text };
    Some(change.done(Verb::Repair, Cause::Intent, action))
}

fn whole(generated: &Generated, mapped: &Mapped<'_>, observed: &Observed) -> Option<Change> {
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
            change.reported(cause, "a person changed its form and not what it says: left as it is")
        } else {
            change.refused(cause, "a person changed what was written: not overwritten; hint: remove the file, and it is \
                 written anew")
        });
    }
    if there == wanted {
        return None; // written by another program, in a form of its own
    }
    let gone: Vec<&(String, String)> = there.difference(&wanted).collect();
    if let Some(entry) = gone.iter().find(|entry| mapped.left_out.contains(user_of(entry))) {
        let why = format!("it would lose {}, whose part of this plan is refused", user_of(entry));
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
            format!("it would lose {identity}, whom nobody cut: is the applied roster gone?")
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
fn lines(text: &[u8]) -> Result<Entries, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8")?;
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entry = |line: &str| {
        let (left, right) = line.split_once('=').unwrap_or((line, ""));
        (left.to_owned(), right.to_owned())
    };
    Ok(lines.map(entry).collect())
}

/// `{identity: {os_user, port}}`.
fn json(text: &[u8]) -> Result<Entries, String> {
    let map: Map<String, Value> =
        serde_json::from_slice(text).map_err(|error| error.to_string())?;
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

fn difference(there: &Entries, wanted: &Entries) -> Vec<String> {
    let line = |sign: char, (left, right): &(String, String)| match right.as_str() {
        "" => format!("{sign} {left}"),
        right => format!("{sign} {left}={right}"),
    };
    let gone = there.difference(wanted).map(|entry| line('-', entry));
    gone.chain(wanted.difference(there).map(|entry| line('+', entry))).collect()
}
