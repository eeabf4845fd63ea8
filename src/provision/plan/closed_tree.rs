//! Decrypted trees of administrators that others may not enter (pure).

use super::account_id;
use super::change::{Action, Cause, Change, Step, Verb};
use crate::provision::observe::observed::{HomeView, Observed};
use crate::provision::protocol::closed_tree::TreeTop;
use crate::provision::protocol::{ClosedTreeTask, HomeTask, clip};
use crate::provision::settings::closed_tree::ClosedTree;

pub(super) fn plan(user: &str, observed: &Observed, trees: &[ClosedTree]) -> Vec<Change> {
    let own = trees.iter().filter(|tree| tree.user == user);
    own.filter_map(|tree| one(user, observed, tree)).collect()
}

fn one(user: &str, observed: &Observed, tree: &ClosedTree) -> Option<Change> {
    let shown = if tree.path.starts_with('/') { "" } else { "~/" };
    let part = format!("closed-tree/{}", tree.path);
    let change = Change::new(Some(user), Step::Code, &part, format!("{shown}{}", tree.path));
    let top = match observed.home_view(user) {
        HomeView::Facts(facts) => facts.closed_trees.as_ref()?.0.get(&tree.path)?,
        HomeView::Unknown(why) => {
            let why = format!("the home was not inspected: {}", clip(why));
            return Some(change.refused(Cause::Drift, why));
        }
        HomeView::New | HomeView::NotInspected => return None,
    };
    let (mode, gid) = match top {
        TreeTop::Absent => return None,
        TreeTop::Unusable(why) => return Some(change.refused(Cause::Drift, clip(why))),
        TreeTop::Directory { mode, gid } => (mode & 0o7777, *gid),
    };
    let wanted = match &tree.group {
        None => gid,
        Some(name) => match observed.groups.get(name) {
            Some(group) => group.gid,
            None => return Some(change.refused(Cause::Drift, format!("no group {name}"))),
        },
    };
    let closed = mode & !0o007;
    if (mode, gid) == (closed, wanted) {
        return None;
    }
    let group = |gid: u32| {
        let named = observed.groups.iter().find(|(_, group)| group.gid == gid);
        named.map_or_else(|| format!("gid {gid}"), |(name, _)| name.clone())
    };
    let change = change.from(format!("{mode:04o} {}", group(gid)));
    let change = change.to(format!("{closed:04o} {}", tree.group.clone().unwrap_or(group(wanted))));
    let change = change.why("a decrypted tree is closed to other users").needs([account_id(user)]);
    let gid = tree.group.as_ref().map(|_| wanted);
    let task = HomeTask::ClosedTree(ClosedTreeTask::Close { path: tree.path.clone(), gid });
    Some(change.done(Verb::Repair, Cause::Drift, Action::Home(Box::new(task))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::observe::observed::{Group, HomeReport};
    use crate::provision::plan::tests::host;
    use crate::provision::protocol::{ClosedTreesFacts, HomeFacts};

    #[test]
    fn a_decrypted_tree_is_closed_again_whenever_it_is_open() {
        let tree = |group: Option<&str>| ClosedTree {
            user: "ops".to_owned(),
            path: "infra".to_owned(),
            group: group.map(str::to_owned),
        };
        let add = Some((Verb::Repair, true));
        for (top, group, wanted) in [
            (TreeTop::Directory { mode: 0o755, gid: 5 }, None, add),
            (TreeTop::Directory { mode: 0o2751, gid: 5 }, None, add),
            (TreeTop::Directory { mode: 0o750, gid: 5 }, None, None),
            (TreeTop::Directory { mode: 0o750, gid: 5 }, Some("admins"), add),
            (TreeTop::Directory { mode: 0o700, gid: 27 }, Some("admins"), None),
            (
                TreeTop::Directory { mode: 0o700, gid: 27 },
                Some("none"),
                Some((Verb::Refuse, false)),
            ),
            (TreeTop::Absent, Some("admins"), None),
            (TreeTop::Unusable("a link".into()), None, Some((Verb::Refuse, false))),
        ] {
            let mut observed = host(&["ops", "ann"]);
            observed.groups.insert("admins".to_owned(), Group { gid: 27, ..Group::default() });
            let facts = ClosedTreesFacts([("infra".to_owned(), top.clone())].into());
            let facts = HomeFacts { closed_trees: Some(facts), ..HomeFacts::default() };
            observed.home_reports.insert("ops".to_owned(), HomeReport::Facts(Box::new(facts)));
            let changes = plan("ops", &observed, &[tree(group)]);
            let found = changes.first().map(|change| (change.verb, change.action.is_some()));
            assert_eq!(found, wanted, "{top:?} {group:?}");
            assert!(plan("ann", &observed, &[tree(group)]).is_empty());
        }
    }
}
