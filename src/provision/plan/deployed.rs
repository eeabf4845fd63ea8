//! Files and links of root's that are made from configured ones, whole: over what we wrote, and over
//! nothing else.

use super::change::{Action, Cause, Change, Installed, Verb};
use crate::provision::observe::observed::{File, Observed};

/// Changes, and what is there as it should be, for the record.
pub(super) type Planned = (Vec<Change>, Vec<(String, Vec<u8>)>);

/// For all to read, as what reads it runs as every user.
const MODE: u32 = 0o644;

/// A file. `change` has its name; what it says is from `wanted`.
pub(super) fn file(change: Change, path: &str, wanted: &str, observed: &Observed) -> Planned {
    let what = Installed::File { text: wanted.to_owned(), mode: MODE };
    let action = Action::Install { path: path.to_owned(), what };
    let recorded = observed.written.hashes.contains_key(path);
    let (bytes, mode) = match observed.files.get(path) {
        Some(File::Read { bytes, mode }) => (bytes, *mode),
        Some(File::Unknown(why)) => {
            return only(change.refused(Cause::Drift, format!("not read: {why}")));
        }
        None => return only(missing(change, recorded, action)),
    };
    if bytes == wanted.as_bytes() {
        let adopted = vec![(path.to_owned(), bytes.clone())];
        let readable = mode & 0o444 == 0o444 && mode & 0o022 == 0;
        let change = change.from(format!("{mode:04o}")).to(format!("{MODE:04o}"));
        let change = change.why("all must be able to read it, and only root to write it");
        let action = Action::SetMode { file: path.to_owned(), mode: MODE };
        let change = (!readable).then(|| change.done(Verb::Repair, Cause::Drift, action));
        return (change.into_iter().collect(), adopted);
    }
    only(other(change, observed.written.is_ours(path, bytes), action))
}

/// A link.
pub(super) fn link(change: Change, path: &str, target: &str, observed: &Observed) -> Planned {
    let what = Installed::Link { target: target.to_owned() };
    let action = Action::Install { path: path.to_owned(), what };
    let recorded = observed.written.hashes.contains_key(path);
    let change = change.to(format!("link to {target}"));
    match (observed.site.links.get(path), observed.files.get(path)) {
        (Some(there), _) if there == target => {
            (Vec::new(), vec![(path.to_owned(), target.as_bytes().to_vec())])
        }
        (Some(there), _) => {
            let change = change.from(format!("link to {there}"));
            only(other(change, observed.written.is_ours(path, there.as_bytes()), action))
        }
        (None, Some(_)) => {
            let why = "something that is no link is there: not overwritten";
            let cause = if recorded { Cause::Edited } else { Cause::Drift };
            only(change.refused(cause, why))
        }
        (None, None) => only(missing(change, recorded, action)),
    }
}

/// Something that should be there and is not.
pub(super) fn missing(change: Change, recorded: bool, action: Action) -> Change {
    if recorded {
        change.why("it is gone").done(Verb::Repair, Cause::Drift, action)
    } else {
        change.done(Verb::Add, Cause::Intent, action)
    }
}

/// Something else than what is wanted is there; `ours`: whether it is what we wrote last.
pub(super) fn other(change: Change, ours: Option<bool>, action: Action) -> Change {
    match ours {
        Some(true) => change.done(Verb::Repair, Cause::Intent, action),
        Some(false) => change.refused(Cause::Edited, "a person changed it: not overwritten"),
        None => {
            let why = "not written by this program, and something else: not overwritten";
            change.refused(Cause::Drift, why)
        }
    }
}

pub(super) fn only(change: Change) -> Planned {
    (vec![change], Vec::new())
}

/// Puts two plans together.
pub(super) fn join(planned: &mut Planned, more: Planned) {
    planned.0.extend(more.0);
    planned.1.extend(more.1);
}
