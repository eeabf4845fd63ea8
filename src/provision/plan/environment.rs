//! The environments of a user's services: one key each, in a file of root's.

use super::account_id;
use super::change::{Action, Cause, Change, Step, Verb};
use super::ports::Ports;
use crate::provision::edit::environment_file;
use crate::provision::observe::observed::{File, Observed, playwright_file, service_file};
use crate::provision::state::digest;
use crate::provision::state::written::key_place;

/// No other mode: what else is in the file may be secret.
const MODE: u32 = 0o600;

/// Whose environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The terminal service's.
    Service,
    /// The browser tool's.
    Playwright,
}

impl Kind {
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Service => "T3_PORT",
            Self::Playwright => "PLAYWRIGHT_PORT",
        }
    }

    pub(super) fn file(self, user: &str) -> String {
        match self {
            Self::Service => service_file(user),
            Self::Playwright => playwright_file(user),
        }
    }

    /// The name of the change that sets the key.
    pub(super) fn id(self, user: &str) -> String {
        format!("{user}/{}", self.key())
    }
}

/// Both files of a user; the second value is what is there as it should be, for the record.
pub(super) fn plan(
    user: &str,
    observed: &Observed,
    ports: &Ports,
) -> (Vec<Change>, Vec<(String, Vec<u8>)>) {
    let (mut changes, mut adopted) = (Vec::new(), Vec::new());
    for kind in [Kind::Service, Kind::Playwright] {
        match key(user, kind, observed, ports) {
            Some(change) => changes.push(change),
            None => adopted.extend(adopt(user, kind, observed)),
        }
        changes.extend(mode(user, kind, observed));
    }
    (changes, adopted)
}

fn adopt(user: &str, kind: Kind, observed: &Observed) -> Option<(String, Vec<u8>)> {
    let file = kind.file(user);
    let File::Read { bytes, .. } = observed.files.get(&file)? else { return None };
    Some((key_place(&file, kind.key()), environment_file::get(bytes, kind.key())?))
}

fn key(user: &str, kind: Kind, observed: &Observed, ports: &Ports) -> Option<Change> {
    let (file, key) = (kind.file(user), kind.key());
    let change = Change::new(Some(user), Step::Environment, key, format!("{file} {key}"));
    let place = key_place(&file, key);
    let recorded = observed.written.hashes.get(&place);
    if let Some(why) = ports.refused(user, kind) {
        return Some(change.refused(Cause::Drift, why));
    }
    let wanted = ports.of(user, kind)?.to_string();
    let action = Action::SetKey { file: file.clone(), key, value: wanted.clone() };
    let by_hand = format!("write {key}={wanted} there");
    let change = change.to(wanted.clone()).needs([account_id(user)]);
    let bytes = match observed.files.get(&file) {
        Some(File::Read { bytes, .. }) => bytes,
        Some(File::Unknown(why)) => {
            return Some(change.refused(Cause::Drift, format!("not read: {why}")));
        }
        None if recorded.is_some() => {
            let change = change.why("the file is gone");
            return Some(change.done(Verb::Repair, Cause::Drift, action));
        }
        None => return Some(change.done(Verb::Add, Cause::Intent, action)),
    };
    let Some(value) = environment_file::get(bytes, key) else {
        return Some(if recorded.is_some() {
            change.refused(
                Cause::Edited,
                format!("a person took out what was written: not put back; hint: {by_hand}"),
            )
        } else {
            change.why("the other lines stay").done(Verb::Add, Cause::Intent, action)
        });
    };
    if value == wanted.as_bytes() {
        return None;
    }
    let change = change.from(shown(&value));
    Some(match observed.written.is_ours(&place, &value) {
        Some(true) => change.done(Verb::Repair, Cause::Intent, action),
        Some(false) => change.refused(
            Cause::Edited,
            format!("a person changed it: not overwritten; hint: {by_hand}"),
        ),
        None => {
            let why = format!("the ports on record say {wanted}: not overwritten");
            change.refused(Cause::Drift, why)
        }
    })
}

/// A port as it is, everything else as its hash: somebody may have put a secret there.
pub(super) fn shown(value: &[u8]) -> String {
    let port = std::str::from_utf8(value).ok().and_then(|text| text.parse::<u16>().ok());
    port.map_or_else(|| digest::short(value), |port| port.to_string())
}

fn mode(user: &str, kind: Kind, observed: &Observed) -> Option<Change> {
    let file = kind.file(user);
    let File::Read { mode, .. } = observed.files.get(&file)? else { return None };
    let part = format!("{}-mode", kind.key());
    let change = Change::new(Some(user), Step::Environment, &part, format!("{file} mode"));
    let change = change.from(format!("{mode:04o}")).to(format!("{MODE:04o}"));
    let change = change.why("it holds what only root and the service may know");
    let action = Action::SetMode { file, mode: MODE };
    (*mode != MODE).then(|| change.done(Verb::Repair, Cause::Drift, action))
}
