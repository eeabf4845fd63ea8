//! Files: written if absent, rewritten if this program wrote them last, otherwise left as they are (pure).

use super::{Action, Change, Kind, Plan, Scope};
use crate::provision::change::{Cause, Verb};
use crate::provision::host_base::observed::{Observed, State};
use crate::provision::host_base::spec::{Download, FileKind, FileSpec, HostSpec};
use crate::provision::state::digest;
use crate::sys::fs::Attributes;
use std::collections::BTreeSet;

/// The `id` of the change that has systemd reload its configuration.
const RELOAD: &str = "limits/reload";
/// Maximum number of lines of a file that a plan shows.
const MAX_LINES: usize = 12;
/// The length to which hashes are shortened in a plan.
const SHORT: usize = "sha256:".len() + 12;

pub(crate) fn downloads(spec: &HostSpec, observed: &Observed, plan: &mut Plan) {
    for download in &spec.downloads {
        let Download { path, hash, mode, .. } = download;
        let attributes = Attributes { uid: 0, gid: 0, mode: *mode };
        let id = id(Kind::Downloads, path);
        let label = match &download.member {
            Some(member) => format!("{member} of {}", short(hash)),
            None => short(hash).to_owned(),
        };
        // The hash of a member is known once it was installed; until then nothing there can have it.
        let hash = match download.pinned_member() {
            Some(pin) if observed.record.made.get(&id) == Some(&pin) => {
                observed.record.hashes.get(path).unwrap_or(hash)
            }
            Some(_) => hash,
            None => {
                plan.record.made.remove(&id);
                hash
            }
        };
        let desired = DesiredFile { kind: Kind::Downloads, path, hash, label, attributes };
        let fetch = |expected| Action::Fetch { download: download.clone(), expected };
        desired.plan(fetch, observed, plan);
    }
}

pub(crate) fn files(spec: &HostSpec, observed: &Observed, plan: &mut Plan) {
    for file in &spec.files {
        let kind = match file.kind {
            FileKind::Plain => Kind::Files,
            FileKind::Sudoers => Kind::Sudoers,
            FileKind::Secret => Kind::Secrets,
            FileKind::Limits => Kind::Limits,
        };
        let path = &file.path;
        let change = Change::new(kind, id(kind, path), path);
        let content = match observed.contents.get(path) {
            Some(Ok(content)) => content,
            Some(Err(why)) => {
                let change = change.reported(Cause::Drift, format!("left as it is: {why}"));
                let scope = Scope { unknown: true, ..change.scope.clone() };
                plan.changes.push(Change { scope, ..change });
                continue;
            }
            None => continue,
        };
        let attributes = match owner(file, observed) {
            Ok((uid, gid)) => Attributes { uid, gid, mode: file.mode },
            Err(why) => {
                plan.changes.push(change.refused(Cause::Intent, why.to_string()));
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
        let label = short(hash).to_owned();
        DesiredFile { kind, path, hash, label, attributes }.plan(write, observed, plan);
        if kind != Kind::Secrets {
            let written =
                |change: &&mut Change| matches!(change.action, Some(Action::Write { .. }));
            let changed = plan.changes[before..].iter_mut().filter(written);
            changed.for_each(|change| change.lines = lines(&content.0));
        }
    }
}

/// The lines of a file that a plan shows: neither comments nor empty ones.
fn lines(content: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(content);
    let is_shown = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let mut lines: Vec<String> =
        text.lines().filter(is_shown).map(|line| format!("+ {line}")).collect();
    if lines.len() > MAX_LINES {
        let more = lines.len() - MAX_LINES;
        lines.truncate(MAX_LINES);
        lines.push(format!("and {more} more lines"));
    }
    lines
}

/// A reload is due after a new drop-in, and after a run that was killed before its reload.
pub(crate) fn reload(observed: &Observed, plan: &mut Plan) {
    let written = |change: &Change| change.scope.kind == Kind::Limits && change.verb.changes();
    if plan.changes.iter().any(written) || observed.record.unfinished.contains_key(RELOAD) {
        let change = Change::new(Kind::Limits, RELOAD, "systemd's configuration: reload");
        plan.changes.push(change.done(Verb::Repair, Cause::Intent, Action::Reload));
    }
}

/// Files that were written and are no longer in the spec are reported: nothing is removed here.
pub(crate) fn no_longer_wanted(spec: &HostSpec, observed: &Observed, plan: &mut Plan) {
    let files = spec.files.iter().map(|file| &file.path);
    let wanted: BTreeSet<&String> =
        files.chain(spec.downloads.iter().map(|download| &download.path)).collect();
    for path in observed.record.hashes.keys().filter(|path| !wanted.contains(path)) {
        if matches!(observed.files.get(path), None | Some(State::Absent)) {
            plan.record.hashes.remove(path);
            continue;
        }
        let kind = if path.starts_with("/etc/sudoers.d/") { Kind::Sudoers } else { Kind::Files };
        let why = "written by this program, and no longer in host.toml: remove it by hand if it is not needed";
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

/// Why the owner of a file is not known.
#[derive(Debug, thiserror::Error)]
#[error("this host has no {kind} '{name}'")]
struct UnknownOwner {
    kind: &'static str,
    name: String,
}

/// The uid and gid of a file.
fn owner(file: &FileSpec, observed: &Observed) -> Result<(u32, u32), UnknownOwner> {
    let unknown = |kind, name: &String| UnknownOwner { kind, name: name.clone() };
    let user = observed.users.get(&file.user).copied();
    let (uid, gid) = user.ok_or_else(|| unknown("account", &file.user))?;
    let Some(name) = &file.group else { return Ok((uid, gid)) };
    let gid = observed.groups.get(name).copied().ok_or_else(|| unknown("group", name))?;
    Ok((uid, gid))
}

/// A file as it should be.
struct DesiredFile<'a> {
    kind: Kind,
    path: &'a str,
    hash: &'a str,
    /// How a plan shows the content.
    label: String,
    attributes: Attributes,
}

impl DesiredFile<'_> {
    fn plan(self, write: impl Fn(Option<String>) -> Action, observed: &Observed, plan: &mut Plan) {
        let Self { kind, path, hash, label, attributes } = self;
        let id = id(kind, path);
        let change = Change::new(kind, &id, path);
        let (there, found) = match observed.files.get(path) {
            Some(State::File { hash, attributes }) => (hash, *attributes),
            Some(State::Refused(why)) => {
                plan.changes.push(change.refused(Cause::Drift, why));
                return;
            }
            Some(State::Absent) | None => {
                let change = change.to(label);
                plan.changes.push(if observed.record.hashes.contains_key(path) {
                    change.why("the file is gone").done(Verb::Repair, Cause::Drift, write(None))
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
        let change = change.from(short(there)).to(label);
        plan.changes.push(match observed.record.is_ours(path, &id, there) {
            Some(true) => change.done(Verb::Repair, Cause::Intent, write(Some(there.clone()))),
            Some(false) => change.refused(Cause::Edited, "a person changed it: not overwritten"),
            None => {
                let change = change.hint("move it away to have it written");
                change.refused(Cause::Drift, "not written by this program: not overwritten")
            }
        });
    }
}

pub(super) fn short(hash: &str) -> &str {
    hash.get(..SHORT).unwrap_or(hash)
}

fn shown(attributes: Attributes) -> String {
    let Attributes { uid, gid, mode } = attributes;
    if (uid, gid) == (0, 0) { format!("{mode:04o}") } else { format!("{mode:04o} {uid}:{gid}") }
}
