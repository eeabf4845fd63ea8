//! The managed settings of this host's agents, and the files of new homes (pure).

use super::codex_login;
use super::source::{self, object, text};
use crate::agent::machine::{self, MANAGED};
use crate::provision::observe::Unreadable;
use crate::provision::observe::observed::{File, Observed};
use crate::provision::paths::{drop_in, skel_path};
use crate::provision::plan::Planned;
use crate::provision::plan::change::{Action, Cause, Change, Installed, Step, Verb};
use crate::provision::plan::deployed;
use crate::provision::settings::agents::{Settings, SkelSource};
use serde_json::{Map, Value};
use std::path::Path;

/// What the host lacks, for all users.
pub(in crate::provision::plan) fn plan_host(observed: &Observed, settings: &Settings) -> Planned {
    let mut planned = sources(observed, settings);
    if let Some(login) = &settings.codex_login {
        planned.join(codex_login::plan_host(observed, login));
    }
    if let Some(source) = &settings.managed_settings {
        planned.join(managed(source.as_str(), observed));
    }
    if settings.wants_hook() {
        planned.join(hook(observed));
    }
    for (path, (directory, mode)) in &observed.configured.closed {
        let change = host(&format!("closed/{path}"), format!("{path}: for all users"));
        let why = format!("users cannot reach it: {directory} has mode {mode:04o}");
        let change = change.hint(format!("chmod 755 {directory}"));
        planned.changes.push(change.refused(Cause::Drift, why));
    }
    for entry in settings.skel.entries() {
        let path = skel_path(entry);
        let change = host(&path, path.clone());
        planned.join(match &entry.source {
            SkelSource::Link(target) => deployed::link(change, &path, target.as_str(), observed),
            SkelSource::Copy(source) => match text(source.as_str(), observed) {
                Ok(text) => deployed::file(change, &path, text, observed),
                Err(why) => change.refused(Cause::Drift, format!("left as it is: {why}")).into(),
            },
        });
    }
    planned
}

fn host(part: &str, what: String) -> Change {
    Change::new(None, Step::Agents, part, what)
}

/// Errors in what is deployed to all users: reported once, for the host.
fn sources(observed: &Observed, settings: &Settings) -> Planned {
    let mut planned = Planned::default();
    if let Some(Err(why)) = source::instructions(observed, settings) {
        let change = host("instructions", "~/.codex/AGENTS.md of all users".to_owned());
        let why = format!("left as it is: {why}");
        planned.changes.push(change.refused(Cause::Drift, why));
    }
    for (kind, entries) in &observed.configured.shared {
        let refused = |part: &str, what: String, why: &Unreadable| {
            let change = host(&format!("shared/{part}"), what);
            change.refused(Cause::Drift, format!("linked for no users: {why}"))
        };
        let name = kind.name();
        match entries {
            Err(why) => planned.changes.push(refused(name, format!("shared {name}"), why)),
            Ok(entries) => planned.changes.extend(entries.iter().filter_map(|(entry, usable)| {
                let why = usable.as_ref().err()?;
                Some(refused(&format!("{name}/{entry}"), format!("shared {name}/{entry}"), why))
            })),
        }
    }
    let token = settings.token_file.as_ref();
    if let Some(Err(why)) = token.and_then(|path| observed.configured.tokens.get(path.as_str())) {
        let change = host("token", "the shared token".to_owned());
        planned.changes.push(change.refused(Cause::Drift, format!("given to no users: {why}")));
    }
    planned
}

/// Managed settings: an invalid file would silently enforce nothing.
fn managed(source: &str, observed: &Observed) -> Planned {
    let change = host("managed-settings", MANAGED.to_owned());
    let parsed = text(source, observed).and_then(|text| match object(text) {
        Ok(settings) => Ok((text, settings)),
        Err(why) => Err(Unreadable(format!("{source} {why}: it would enforce nothing"))),
    });
    let (text, wanted) = match parsed {
        Ok(parsed) => parsed,
        Err(why) => {
            let why = format!("left as it is: {why}");
            return change.refused(Cause::Drift, why).into();
        }
    };
    let there = match observed.files.get(MANAGED) {
        Some(File::Read { bytes, .. }) => {
            std::str::from_utf8(bytes).ok().and_then(|t| object(t).ok())
        }
        _ => None,
    };
    let mut planned = deployed::file(change, MANAGED, text, observed);
    for change in planned
        .changes
        .iter_mut()
        .filter(|change| !matches!(change.action, Some(Action::SetMode { .. })))
    {
        change.lines = difference(&there.clone().unwrap_or_default(), &wanted);
    }
    planned
}

/// The keys that are added, removed and changed. Values may be secret.
fn difference(there: &Map<String, Value>, wanted: &Map<String, Value>) -> Vec<String> {
    let gone = there.keys().filter(|key| !wanted.contains_key(*key)).map(|key| format!("- {key}"));
    let other = wanted.iter().filter(|(key, value)| there.get(*key) != Some(value));
    let other = other.map(|(key, _)| {
        let sign = if there.contains_key(key) { '~' } else { '+' };
        format!("{sign} {key}")
    });
    gone.chain(other).collect()
}

/// The session hook: the same file, byte for byte, as `persist hook --install --scope machine` makes.
fn hook(observed: &Observed) -> Planned {
    let path = drop_in();
    let change = host("hook", path.clone());
    let program = match &observed.configured.persist {
        Some(Ok(program)) => program,
        Some(Err(why)) => return change.refused(Cause::Drift, why.to_string()).into(),
        None => return Planned::default(),
    };
    let before = match observed.files.get(&path) {
        None => None,
        Some(File::Read { bytes, .. }) => match std::str::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(_) => return change.refused(Cause::Drift, "left as it is: not UTF-8").into(),
        },
        Some(File::Unknown(why)) => {
            return change.refused(Cause::Drift, format!("not read: {why}")).into();
        }
    };
    let ensured = machine::command(Path::new(program), "claude", &[])
        .map_err(|why| why.to_string())
        .and_then(|command| machine::ensured(before, &command).map_err(|why| why.to_string()));
    let wanted = match ensured {
        Ok(wanted) => wanted,
        Err(why) => {
            return change.refused(Cause::Drift, format!("left as it is: {why}")).into();
        }
    };
    let Some(before) = before.filter(|before| *before != wanted) else {
        return deployed::file(change, &path, &wanted, observed);
    };
    if observed.written.is_ours(&path, before.as_bytes()) == Some(false) {
        return change.refused(Cause::Edited, "a person changed it: not overwritten").into();
    }
    // Everything else in it is kept: this inserts.
    let what = Installed::File { text: wanted, mode: 0o644 };
    let action = Action::Install { path, what };
    change.why("the session hook is missing in it").done(Verb::Repair, Cause::Drift, action).into()
}
