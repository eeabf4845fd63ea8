//! Trees: nobody gets past a directory that he may not search, so its mode alone closes all below it.

use super::{Action, Change, Kind, Plan};
use crate::provision::host_base::observed::{Observed, Tree};
use crate::provision::host_base::wanted::Wanted;
use crate::provision::plan::{Cause, Verb};

/// What others may do.
const OTHERS: u32 = 0o007;

pub(crate) fn trees(wanted: &Wanted, observed: &Observed, plan: &mut Plan) {
    for path in &wanted.tighten {
        let id = format!("tree/{path}");
        let change = Change::new(Kind::Tighten, &id, path);
        plan.changes.push(match observed.trees.get(path) {
            None | Some(Tree::Absent) => change.reported(Cause::Drift, "nothing is there"),
            Some(Tree::Refused(why)) => change.refused(Cause::Drift, why),
            Some(Tree::Directory { mode }) if mode & OTHERS == 0 => {
                plan.adopt(id, "closed");
                continue;
            }
            Some(Tree::Directory { mode }) => {
                let after = mode & !OTHERS;
                let cause = super::missing(observed, &id);
                let change = change.from(format!("{mode:04o}")).to(format!("{after:04o}"));
                let change = Change {
                    why: "its top directory lets others in; closed there, nothing below is reached"
                        .to_owned(),
                    ..change
                };
                let action = Action::Close { path: path.clone(), before: *mode, mode: after };
                change.done(Verb::Repair, cause, action)
            }
        });
    }
}
