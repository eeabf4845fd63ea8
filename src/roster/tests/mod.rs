//! Tables and properties over the whole engine.

mod answers;
mod compare;
mod derived;
mod edits;
mod messages;
mod odd_names;
mod owners;

use super::{Document, Layout, Roster, Row, Tier, parse};
use proptest::prelude::*;

pub(crate) const EXAMPLE: &str = "\
users:
  ops:     {authentik_user: ops.lead,  k8s_user: ops,  tier: admin}
  reader:  {authentik_user: reader.ro, k8s_user: ro,   tier: power-user}
  builder: {authentik_user: builder42, k8s_user: bld,  tier: namespace-owner, namespaces: [builds],
            code_layout: workspace, repos: [webapp], parked: false}
";

pub(crate) fn read(text: &str) -> Document {
    parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
}

pub(crate) fn row(identity: &str, tier: Tier) -> Row {
    let owner = tier == Tier::NamespaceOwner;
    Row {
        authentik_user: identity.to_owned(),
        k8s_user: format!("k-{identity}"),
        tier,
        namespaces: if owner { vec!["space".to_owned()] } else { vec![] },
        code_layout: Layout::Single,
        repos: vec![],
        parked: false,
    }
}

/// A roster of users with identities of their own, of any tier.
pub(crate) fn rosters(most: usize) -> impl Strategy<Value = Roster> {
    let any_row = (0..3_usize, any::<bool>(), any::<bool>(), 0..3_usize);
    proptest::collection::btree_map("[a-z_][a-z0-9_.-]{0,8}", any_row, 0..most).prop_map(|users| {
        let users = users.into_iter().filter(|(user, _)| super::rules::user_name(user).is_ok());
        let rows = users.enumerate().map(|(index, (user, (tier, workspace, parked, repos)))| {
            let mut row = row(&format!("id{index}.x@y"), Tier::ALL[tier]);
            if workspace {
                row.code_layout = Layout::Workspace;
                row.repos = (0..repos).map(|n| format!("repo-{n}")).collect();
            }
            row.parked = parked;
            (user, row)
        });
        Roster { users: rows.collect() }
    })
}
