//! Directory trees: a user who may not enter the top directory reaches nothing below it, so its mode alone
//! is changed (pure).

use super::{Action, Change, Kind, Plan};
use crate::provision::change::{Cause, Verb};
use crate::provision::host_base::observed::{Observed, Tree};
use crate::provision::host_base::spec::HostSpec;

/// The permission bits of other users.
const OTHERS: u32 = 0o007;

pub(crate) fn trees(spec: &HostSpec, observed: &Observed, plan: &mut Plan) {
    for path in &spec.tighten {
        let id = format!("tree/{path}");
        let change = Change::new(Kind::Tighten, &id, path);
        plan.changes.push(match observed.trees.get(path) {
            None | Some(Tree::Absent) => change.reported(Cause::Drift, "absent"),
            Some(Tree::Refused(why)) => change.refused(Cause::Drift, why),
            Some(Tree::Directory { mode }) if mode & OTHERS == 0 => {
                plan.adopt(id, "closed");
                continue;
            }
            Some(Tree::Directory { mode }) => {
                let after = mode & !OTHERS;
                let cause = super::missing(observed, &id);
                let change = change.from(format!("{mode:04o}")).to(format!("{after:04o}"));
                let change = change.why("other users can enter the directory");
                let action = Action::Close { path: path.clone(), before: *mode, mode: after };
                change.done(Verb::Repair, cause, action)
            }
        });
    }
}
