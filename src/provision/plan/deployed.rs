//! Files and links of root's that are copies of configured ones (pure).
//!
//! They are written whole, and only over what this program wrote.

use super::Planned;
use super::change::{Action, Cause, Change, Installed, Verb};
use crate::provision::observe::observed::{File, Observed};

/// Readable by all users: every user's programs read it.
const MODE: u32 = 0o644;

/// Plans a file with the text `wanted`.
pub(super) fn file(change: Change, path: &str, wanted: &str, observed: &Observed) -> Planned {
    let what = Installed::File { text: wanted.to_owned(), mode: MODE };
    let action = Action::Install { path: path.to_owned(), what };
    let recorded = observed.written.hashes.contains_key(path);
    let (bytes, mode) = match observed.files.get(path) {
        Some(File::Read { bytes, mode }) => (bytes, *mode),
        Some(File::Unknown(why)) => {
            return change.refused(Cause::Drift, format!("not read: {why}")).into();
        }
        None => return missing(change, recorded, action).into(),
    };
    if bytes == wanted.as_bytes() {
        let adopted = vec![(path.to_owned(), bytes.clone())];
        let readable = mode & 0o444 == 0o444 && mode & 0o022 == 0;
        let change = change.from(format!("{mode:04o}")).to(format!("{MODE:04o}"));
        let change = change.why("readable by all users, writable only by root");
        let action = Action::SetMode { file: path.to_owned(), mode: MODE };
        let change = (!readable).then(|| change.done(Verb::Repair, Cause::Drift, action));
        return Planned { changes: change.into_iter().collect(), adopted };
    }
    replacing(change, observed.written.is_ours(path, bytes), action).into()
}

pub(super) fn link(change: Change, path: &str, target: &str, observed: &Observed) -> Planned {
    let what = Installed::Link { target: target.to_owned() };
    let action = Action::Install { path: path.to_owned(), what };
    let recorded = observed.written.hashes.contains_key(path);
    let change = change.to(format!("link to {target}"));
    match (observed.configured.links.get(path), observed.files.get(path)) {
        (Some(there), _) if there == target => {
            Planned::adopted(path.to_owned(), target.as_bytes().to_vec())
        }
        (Some(there), _) => {
            let change = change.from(format!("link to {there}"));
            let ours = observed.written.is_ours(path, there.as_bytes());
            replacing(change, ours, action).into()
        }
        (None, Some(_)) => {
            let why = "not a link: not overwritten";
            let cause = if recorded { Cause::Edited } else { Cause::Drift };
            change.refused(cause, why).into()
        }
        (None, None) => missing(change, recorded, action).into(),
    }
}

/// Makes something that is absent.
pub(super) fn missing(change: Change, recorded: bool, action: Action) -> Change {
    if recorded {
        change.why("it is gone").done(Verb::Repair, Cause::Drift, action)
    } else {
        change.done(Verb::Add, Cause::Intent, action)
    }
}

/// Replaces something that differs from what is wanted. `ours` is whether this program wrote it.
pub(super) fn replacing(change: Change, ours: Option<bool>, action: Action) -> Change {
    match ours {
        Some(true) => change.done(Verb::Repair, Cause::Intent, action),
        Some(false) => change.refused(Cause::Edited, "a person changed it: not overwritten"),
        None => change.refused(Cause::Drift, "not written by this program: not overwritten"),
    }
}
