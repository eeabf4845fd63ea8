//! The rows of a roster: each user's policy (pure).

use std::collections::BTreeMap;

/// What a user may do on the host and in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Administers the host.
    Admin,
    /// Reads the whole cluster.
    PowerUser,
    /// Owns namespaces, and nothing else.
    NamespaceOwner,
}

impl Tier {
    pub const ALL: [Self; 3] = [Self::Admin, Self::PowerUser, Self::NamespaceOwner];
    pub const NAMES: [&str; 3] = ["admin", "power-user", "namespace-owner"];

    /// As the roster writes it.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name)
    }
}

/// The layout of a user's clones in `~/code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// `~/code` is the clone of the infrastructure.
    #[default]
    Single,
    /// Each clone is a directory below `~/code`.
    Workspace,
}

impl Layout {
    pub const NAMES: [&str; 2] = ["single", "workspace"];

    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Single, Self::Workspace].into_iter().find(|layout| layout.name() == name)
    }

    /// As the roster writes it.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// A row. Its key is the OS user; the three identities of a user may differ.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// The identity at the login proxy.
    pub authentik_user: String,
    /// The identity in the cluster.
    pub k8s_user: String,
    pub tier: Tier,
    /// Owned namespaces; only of a namespace owner.
    pub namespaces: Vec<String>,
    pub code_layout: Layout,
    /// Repositories beside the infrastructure; only in a workspace.
    pub repos: Vec<String>,
    /// Whether the user's services are stopped.
    pub parked: bool,
}

/// The policy table, in name order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// By OS user.
    pub users: BTreeMap<String, Row>,
}

impl Roster {
    /// The rows for which `is_selected` returns true.
    #[must_use]
    pub fn select(&self, is_selected: impl Fn(&String) -> bool) -> Self {
        let rows = self.users.iter().filter(|(user, _)| is_selected(user));
        Self { users: rows.map(|(user, row)| (user.clone(), row.clone())).collect() }
    }
}
