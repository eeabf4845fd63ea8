//! Decrypted trees of a user's that others may not enter: query, facts, task (pure).

use crate::provision::settings::closed_tree::ClosedTree;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The paths of the trees, relative to the home or absolute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedTreesQuery {
    pub paths: Vec<String>,
}

impl ClosedTreesQuery {
    pub(super) fn new(user: &str, trees: &[ClosedTree]) -> Option<Self> {
        let own = trees.iter().filter(|tree| tree.user == user);
        let paths: Vec<String> = own.map(|tree| tree.path.clone()).collect();
        (!paths.is_empty()).then_some(Self { paths })
    }
}

/// What is at each path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClosedTreesFacts(pub BTreeMap<String, TreeTop>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TreeTop {
    Absent,
    Directory {
        /// Permission bits.
        mode: u32,
        gid: u32,
    },
    /// It must be left as it is: why.
    Unusable(String),
}

impl ClosedTreesFacts {
    pub(super) fn restrict_to(&mut self, query: Option<&ClosedTreesQuery>) {
        let asked = |path: &String| query.is_some_and(|query| query.paths.contains(path));
        self.0.retain(|path, _| asked(path));
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClosedTreeTask {
    /// Gives the top directory this group and takes every right of others from it.
    Close { path: String, gid: Option<u32> },
}
