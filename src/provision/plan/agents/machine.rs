//! What the machine's agents are told by root, and what new homes begin with.

use super::{Settings, Source};
use crate::agent::machine::{self, DROP_IN, DROP_INS, MANAGED};
use crate::provision::edit::marked_block;
use crate::provision::observe::observed::{File, Observed};
use crate::provision::plan::change::{Action, Cause, Change, Installed, Step, Verb};
use crate::provision::plan::deployed::{self, Planned, join, only};
use serde_json::{Map, Value};
use std::path::Path;

/// What new homes are copies of.
const SKEL: &str = "/etc/skel";

/// The path of an entry.
pub(in crate::provision) fn skel_path(entry: &super::SkelEntry) -> String {
    format!("{SKEL}/{}", entry.path.as_str())
}

/// The path of our own file beside the managed settings.
pub(in crate::provision) fn drop_in() -> String {
    format!("{DROP_INS}/{DROP_IN}")
}

/// What the machine lacks, whoever works on it.
pub(in crate::provision::plan) fn machine(observed: &Observed, settings: &Settings) -> Planned {
    let mut planned = sources(observed, settings);
    if let Some(source) = &settings.managed_settings {
        join(&mut planned, managed(source.as_str(), observed));
    }
    if settings.wants_hook() {
        join(&mut planned, hook(observed));
    }
    for entry in settings.skel.entries() {
        let path = skel_path(entry);
        let change = host(&path, path.clone());
        join(
            &mut planned,
            match &entry.source {
                Source::Link(target) => deployed::link(change, &path, target.as_str(), observed),
                Source::Copy(source) => match text(source.as_str(), observed) {
                    Ok(text) => deployed::file(change, &path, text, observed),
                    Err(why) => only(change.refused(Cause::Drift, format!("left as it is: {why}"))),
                },
            },
        );
    }
    planned
}

fn host(part: &str, what: String) -> Change {
    Change::new(None, Step::Agents, part, what)
}

/// The text of a configured file; without looking, nothing can be said.
fn text<'a>(path: &str, observed: &'a Observed) -> Result<&'a str, String> {
    match observed.site.texts.get(path) {
        Some(Ok(text)) => Ok(text),
        Some(Err(why)) => Err(why.clone()),
        None => Err(format!("{path} was not read")),
    }
}

/// What is wrong with what is for every user: said once.
fn sources(observed: &Observed, settings: &Settings) -> Planned {
    let mut planned = Planned::default();
    if let Some(path) = &settings.instructions {
        let path = path.as_str();
        let fit = text(path, observed).and_then(|text| {
            marked_block::fit(text.as_bytes()).map_err(|why| format!("{path}: {why}"))
        });
        if let Err(why) = fit {
            let change = host("instructions", "everybody's ~/.codex/AGENTS.md".to_owned());
            join(&mut planned, only(change.refused(Cause::Drift, format!("left as it is: {why}"))));
        }
    }
    let token = settings.token_file.as_ref();
    if let Some(Err(why)) = token.and_then(|path| observed.site.tokens.get(path.as_str())) {
        let change = host("token", "the shared token".to_owned());
        join(&mut planned, only(change.refused(Cause::Drift, format!("given to nobody: {why}"))));
    }
    planned
}

/// Managed settings: a file that does not parse would silently enforce nothing.
fn managed(source: &str, observed: &Observed) -> Planned {
    let change = host("managed-settings", MANAGED.to_owned());
    let parsed = text(source, observed).and_then(|text| match object(text) {
        Ok(settings) => Ok((text, settings)),
        Err(why) => Err(format!("{source} {why}: it would silently enforce nothing")),
    });
    let (text, wanted) = match parsed {
        Ok(parsed) => parsed,
        Err(why) => {
            let why = format!("what is there stays: {why}");
            return only(change.refused(Cause::Drift, why));
        }
    };
    let there = match observed.files.get(MANAGED) {
        Some(File::Read { bytes, .. }) => {
            std::str::from_utf8(bytes).ok().and_then(|t| object(t).ok())
        }
        _ => None,
    };
    let mut planned = deployed::file(change, MANAGED, text, observed);
    for change in
        planned.0.iter_mut().filter(|change| !matches!(change.action, Some(Action::SetMode { .. })))
    {
        change.lines = difference(&there.clone().unwrap_or_default(), &wanted);
    }
    planned
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("is no JSON object".to_owned()),
        Err(error) => Err(format!("does not parse: {error}")),
    }
}

/// The names of what comes, goes and changes; values may be secret.
fn difference(there: &Map<String, Value>, wanted: &Map<String, Value>) -> Vec<String> {
    let gone = there.keys().filter(|key| !wanted.contains_key(*key)).map(|key| format!("- {key}"));
    let other = wanted.iter().filter(|(key, value)| there.get(*key) != Some(value));
    let other = other.map(|(key, _)| {
        let sign = if there.contains_key(key) { '~' } else { '+' };
        format!("{sign} {key}")
    });
    gone.chain(other).collect()
}

/// Our hook: the same file, byte for byte, as `persist hook --install --scope machine` makes.
fn hook(observed: &Observed) -> Planned {
    let path = drop_in();
    let change = host("hook", path.clone());
    let program = match &observed.site.persist {
        Some(Ok(program)) => program,
        Some(Err(why)) => return only(change.refused(Cause::Drift, why.clone())),
        None => return Planned::default(),
    };
    let before = match observed.files.get(&path) {
        None => None,
        Some(File::Read { bytes, .. }) => match std::str::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(_) => return only(change.refused(Cause::Drift, "left as it is: not UTF-8")),
        },
        Some(File::Unknown(why)) => {
            return only(change.refused(Cause::Drift, format!("not read: {why}")));
        }
    };
    let ensured = machine::command(Path::new(program), "claude", &[])
        .and_then(|command| machine::ensured(before, &command).map_err(|why| why.to_string()));
    let wanted = match ensured {
        Ok(wanted) => wanted,
        Err(why) => return only(change.refused(Cause::Drift, format!("left as it is: {why}"))),
    };
    let Some(before) = before.filter(|before| *before != wanted) else {
        return deployed::file(change, &path, &wanted, observed);
    };
    if observed.written.is_ours(&path, before.as_bytes()) == Some(false) {
        return only(change.refused(Cause::Edited, "a person changed it: not overwritten"));
    }
    // Whatever else is in it stays: this inserts.
    let what = Installed::File { text: wanted, mode: 0o644 };
    let action = Action::Install { path, what };
    only(change.why("our hook is missing in it").done(Verb::Repair, Cause::Drift, action))
}
