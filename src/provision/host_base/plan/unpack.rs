//! Archives that are unpacked as a whole, and the commands of theirs that all users get (pure).

use super::{Action, Change, Kind, Plan, missing};
use crate::provision::change::{Cause, Verb};
use crate::provision::host_base::observed::{LinkState, Observed, Tree};
use crate::provision::host_base::record::UNPACK_ID;
use crate::provision::host_base::spec::{HostSpec, Unpack};

/// The beginning of the `id` of a change that makes a link; its path follows.
const LINK_ID: &str = "link/";

pub(crate) fn unpacked(spec: &HostSpec, observed: &Observed, plan: &mut Plan) {
    for unpack in &spec.unpacks {
        if tree(unpack, observed, plan) {
            unpack.links().for_each(|(path, target)| link(path, target, observed, plan));
        }
    }
    no_longer_wanted(spec, observed, plan);
}

/// Plans the directory; whether its links are wanted.
fn tree(unpack: &Unpack, observed: &Observed, plan: &mut Plan) -> bool {
    let (path, hash) = (&unpack.download.path, &unpack.download.hash);
    let id = format!("{UNPACK_ID}{path}");
    let change = Change::new(Kind::Downloads, &id, path).to(super::file::short(hash));
    let refused = match observed.unpacked.get(path) {
        None | Some(Tree::Absent) => {
            let cause = missing(observed, &id);
            let verb = if cause == Cause::Drift { Verb::Repair } else { Verb::Add };
            plan.changes.push(change.done(verb, cause, Action::Unpack(unpack.clone())));
            return true;
        }
        Some(Tree::Refused(why)) => change.refused(Cause::Drift, why),
        Some(Tree::Directory { .. }) => match observed.record.made.get(&id) {
            Some(made) if made == hash => return true,
            // After a kill between the directory and the record of it.
            None if observed.record.unfinished.get(&id) == Some(hash) => {
                plan.adopt(id, hash);
                return true;
            }
            Some(_) => change
                .refused(Cause::Intent, "another archive is unpacked there: it stays as it is")
                .hint("name another directory, such as one with the version"),
            None => change
                .refused(Cause::Drift, "not unpacked by this program: not overwritten")
                .hint("move it away, or name another directory"),
        },
    };
    plan.changes.push(refused);
    false
}

fn link(path: String, target: String, observed: &Observed, plan: &mut Plan) {
    let id = format!("{LINK_ID}{path}");
    let change = Change::new(Kind::Downloads, &id, &path).to(&target);
    let last = observed.record.made.get(&id);
    let change = match observed.links.get(&path) {
        None | Some(LinkState::Absent) => {
            let cause = missing(observed, &id);
            let verb = if cause == Cause::Drift { Verb::Repair } else { Verb::Add };
            change.done(verb, cause, Action::Link { path, target })
        }
        Some(LinkState::To(found)) if *found == target => return plan.adopt(id, &target),
        Some(LinkState::To(found)) if last == Some(found) => {
            change.from(found).done(Verb::Repair, Cause::Intent, Action::Link { path, target })
        }
        Some(LinkState::To(found)) => {
            change.from(found).refused(Cause::Edited, "not a link of this program: it stays")
        }
        Some(LinkState::Other) => {
            let change = change.hint("move it away to have it linked");
            change.refused(Cause::Drift, "not a link of this program: not replaced")
        }
        Some(LinkState::Refused(why)) => change.refused(Cause::Drift, why),
    };
    plan.changes.push(change);
}

/// A directory of another version is reported as long as it is there.
fn no_longer_wanted(spec: &HostSpec, observed: &Observed, plan: &mut Plan) {
    let made = observed.record.made.keys().filter_map(|id| id.strip_prefix(UNPACK_ID));
    let is_wanted = |path: &str| spec.unpacks.iter().any(|unpack| unpack.download.path == path);
    for path in made.filter(|path| !is_wanted(path)) {
        if !observed.left.contains(path) {
            plan.record.made.remove(&format!("{UNPACK_ID}{path}"));
            continue;
        }
        let why = "unpacked by this program, and no longer in host.toml: remove it by hand if it is not needed";
        let change = Change::new(Kind::Downloads, format!("left/{path}"), path);
        plan.changes.push(change.reported(Cause::Intent, why));
    }
}
