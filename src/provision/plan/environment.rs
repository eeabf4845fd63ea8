//! The environment files of a user's services: one key each, in a file of root's (pure).

use super::Planned;
use super::account_id;
use super::change::{Action, Cause, Change, Step, Verb};
use super::ports::Ports;
use super::service::{Service, shown_port};
use crate::provision::edit::environment_file;
use crate::provision::observe::observed::{File, Observed};
use crate::provision::state::written::key_place;

/// The mode of environment files: they may hold secrets.
pub const MODE: u32 = 0o600;

/// Both files of a user.
pub(super) fn plan(user: &str, observed: &Observed, ports: &Ports) -> Planned {
    let mut planned = Planned::default();
    for service in [Service::Terminal, Service::Playwright] {
        match key(user, service, observed, ports) {
            Some(change) => planned.changes.push(change),
            None => planned.adopted.extend(adopt(user, service, observed)),
        }
        planned.changes.extend(mode(user, service, observed));
    }
    planned
}

fn adopt(user: &str, service: Service, observed: &Observed) -> Option<(String, Vec<u8>)> {
    let file = service.file(user);
    let File::Read { bytes, .. } = observed.files.get(&file)? else { return None };
    Some((key_place(&file, service.key()), environment_file::get(bytes, service.key())?))
}

fn key(user: &str, service: Service, observed: &Observed, ports: &Ports) -> Option<Change> {
    let (file, key) = (service.file(user), service.key());
    let change = Change::new(Some(user), Step::Environment, key, format!("{file} {key}"));
    let place = key_place(&file, key);
    let recorded = observed.written.hashes.get(&place);
    if let Some(why) = ports.refused(user, service) {
        return Some(change.refused(Cause::Drift, why));
    }
    let wanted = ports.of(user, service)?.to_string();
    let action = Action::SetKey { file: file.clone(), key, value: wanted.clone() };
    let by_hand = format!("write {key}={wanted} into {file}");
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
            change.hint(by_hand).refused(Cause::Edited, "a person removed it: not restored")
        } else {
            change.why("all other lines are kept").done(Verb::Add, Cause::Intent, action)
        });
    };
    if value == wanted.as_bytes() {
        return None;
    }
    let change = change.from(shown_port(&value));
    Some(match observed.written.is_ours(&place, &value) {
        Some(true) => change.done(Verb::Repair, Cause::Intent, action),
        Some(false) => {
            change.hint(by_hand).refused(Cause::Edited, "a person changed it: not overwritten")
        }
        None => {
            let why = format!("port {wanted} is on record for this user: not overwritten");
            change.refused(Cause::Drift, why)
        }
    })
}

fn mode(user: &str, service: Service, observed: &Observed) -> Option<Change> {
    let file = service.file(user);
    let File::Read { mode, .. } = observed.files.get(&file)? else { return None };
    let part = format!("{}-mode", service.key());
    let change = Change::new(Some(user), Step::Environment, &part, format!("{file} mode"));
    let change = change.from(format!("{mode:04o}")).to(format!("{MODE:04o}"));
    let change = change.why("readable only by root and the service");
    let action = Action::SetMode { file, mode: MODE };
    (*mode != MODE).then(|| change.done(Verb::Repair, Cause::Drift, action))
}
