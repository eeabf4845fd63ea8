//! Files: written where nothing is, rewritten where the last writing is, left alone where a person was.

use super::{Action, Change, Kind, Plan};
use crate::provision::host_base::observed::{Observed, State};
use crate::provision::host_base::wanted::{Download, Placed, Sort, Wanted};
use crate::provision::plan::{Cause, Verb};
use crate::provision::state::digest;
use crate::sys::fs::Attributes;
use std::collections::BTreeSet;

/// The change after which systemd is to read its files again.
const RELOAD: &str = "limits/reload";
/// More lines than these are counted.
const MOST_LINES: usize = 12;
/// As many digits of a hash as tell two apart.
const SHORT: usize = "sha256:".len() + 12;

pub(crate) fn downloads(wanted: &Wanted, observed: &Observed, plan: &mut Plan) {
    for download in &wanted.downloads {
        let Download { path, hash, mode, .. } = download;
        let attributes = Attributes { uid: 0, gid: 0, mode: *mode };
        let wish = Wish { kind: Kind::Downloads, path, hash, attributes };
        let fetch = |expected| Action::Fetch { download: download.clone(), expected };
        wish.plan(fetch, observed, plan);
    }
}

pub(crate) fn files(wanted: &Wanted, observed: &Observed, plan: &mut Plan) {
    for file in &wanted.files {
        let kind = match file.sort {
            Sort::Plain => Kind::Files,
            Sort::Sudoers => Kind::Sudoers,
            Sort::Secret => Kind::Secrets,
            Sort::Limits => Kind::Limits,
        };
        let path = &file.path;
        let change = Change::new(kind, id(kind, path), path);
        let content = match observed.contents.get(path) {
            Some(Ok(content)) => content,
            Some(Err(why)) => {
                let change = change.reported(Cause::Drift, format!("kept as it is: {why}"));
                plan.changes.push(Change { unknown: true, ..change });
                continue;
            }
            None => continue,
        };
        let attributes = match owner(file, observed) {
            Ok((uid, gid)) => Attributes { uid, gid, mode: file.mode },
            Err(why) => {
                plan.changes.push(change.refused(Cause::Intent, why));
                continue;
            }
        };
        let hash = &digest::of(&content.0);
        let write = |expected| Action::Write {
            path: path.clone(),
            content: content.clone(),
            attributes,
            expected,
        };
        let before = plan.changes.len();
        Wish { kind, path, hash, attributes }.plan(write, observed, plan);
        if kind != Kind::Secrets {
            let written =
                |change: &&mut Change| matches!(change.action, Some(Action::Write { .. }));
            let changed = plan.changes[before..].iter_mut().filter(written);
            changed.for_each(|change| change.lines = lines(&content.0));
        }
    }
}

/// What a reviewer reads of a file: comments and empty lines say nothing that counts.
fn lines(content: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(content);
    let says = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let mut lines: Vec<String> =
        text.lines().filter(says).map(|line| format!("+ {line}")).collect();
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!("and {more} more lines"));
    }
    lines
}

/// A kill between a drop-in and the reload leaves this on record.
pub(crate) fn reload(observed: &Observed, plan: &mut Plan) {
    let written = |change: &Change| change.kind == Kind::Limits && change.verb.changes();
    if plan.changes.iter().any(written) || observed.record.unfinished.contains_key(RELOAD) {
        let change = Change::new(Kind::Limits, RELOAD, "systemd's configuration: read again");
        plan.changes.push(change.done(Verb::Repair, Cause::Intent, Action::Reload));
    }
}

/// What was written and is wanted no more is said: nothing is removed here.
pub(crate) fn no_longer_wanted(wanted: &Wanted, observed: &Observed, plan: &mut Plan) {
    let files = wanted.files.iter().map(|file| &file.path);
    let wanted: BTreeSet<&String> =
        files.chain(wanted.downloads.iter().map(|download| &download.path)).collect();
    for path in observed.record.hashes.keys().filter(|path| !wanted.contains(path)) {
        if matches!(observed.files.get(path), None | Some(State::Absent)) {
            plan.record.hashes.remove(path);
            continue;
        }
        let kind = if path.starts_with("/etc/sudoers.d/") { Kind::Sudoers } else { Kind::Files };
        let why = "written by this program, and no longer in the file: remove it if it is to go";
        let change = Change::new(kind, format!("left/{path}"), path);
        plan.changes.push(change.reported(Cause::Intent, why));
    }
}

fn id(kind: Kind, path: &str) -> String {
    let kind = match kind {
        Kind::Downloads => "download",
        Kind::Sudoers => "sudoers",
        Kind::Secrets => "secret",
        Kind::Limits => "limits",
        _ => "file",
    };
    format!("{kind}/{path}")
}

fn owner(file: &Placed, observed: &Observed) -> Result<(u32, u32), String> {
    let unknown = |what: &str, name: &str| format!("this host has no {what} '{name}'");
    let user = observed.users.get(&file.user).copied();
    let (uid, gid) = user.ok_or_else(|| unknown("account", &file.user))?;
    let group = file
        .group
        .as_ref()
        .map(|name| observed.groups.get(name).copied().ok_or_else(|| unknown("group", name)));
    Ok((uid, group.transpose()?.unwrap_or(gid)))
}

/// A file as it is to be.
struct Wish<'a> {
    kind: Kind,
    path: &'a str,
    hash: &'a str,
    attributes: Attributes,
}

impl Wish<'_> {
    fn plan(self, write: impl Fn(Option<String>) -> Action, observed: &Observed, plan: &mut Plan) {
        let Self { kind, path, hash, attributes } = self;
        let id = id(kind, path);
        let change = Change::new(kind, &id, path);
        let (there, found) = match observed.files.get(path) {
            Some(State::File { hash, attributes }) => (hash, *attributes),
            Some(State::Refused(why)) => {
                plan.changes.push(change.refused(Cause::Drift, why));
                return;
            }
            Some(State::Absent) | None => {
                let change = change.to(short(hash));
                plan.changes.push(if observed.record.hashes.contains_key(path) {
                    let change = Change { why: "the file is gone".to_owned(), ..change };
                    change.done(Verb::Repair, Cause::Drift, write(None))
                } else {
                    change.done(Verb::Add, Cause::Intent, write(None))
                });
                return;
            }
        };
        if there == hash {
            plan.record.hashes.insert(path.to_owned(), hash.to_owned());
            if found != attributes {
                let change = change.from(shown(found)).to(shown(attributes));
                let action = Action::Attributes { path: path.to_owned(), attributes };
                plan.changes.push(change.done(Verb::Repair, Cause::Drift, action));
            }
            return;
        }
        let change = change.from(short(there)).to(short(hash));
        plan.changes.push(match observed.record.is_ours(path, &id, there) {
            Some(true) => change.done(Verb::Repair, Cause::Intent, write(Some(there.clone()))),
            Some(false) => change.refused(Cause::Edited, "a person changed it: not overwritten"),
            None => {
                let why =
                    "not written by this program: not overwritten; move it away to have it made";
                change.refused(Cause::Drift, why)
            }
        });
    }
}

fn short(hash: &str) -> &str {
    hash.get(..SHORT).unwrap_or(hash)
}

fn shown(attributes: Attributes) -> String {
    let Attributes { uid, gid, mode } = attributes;
    if (uid, gid) == (0, 0) { format!("{mode:04o}") } else { format!("{mode:04o} {uid}:{gid}") }
}
