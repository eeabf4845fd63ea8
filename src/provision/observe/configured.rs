//! What root's files say that the configuration names: facts beside the host's own (values only, pure).

use crate::provision::protocol::SecretText;
use crate::provision::sources::kubeconfig::Cluster;
use std::collections::BTreeMap;

/// Why a fact is not known, as a sentence for the plan. Facts are compared and hashed, so the cause
/// itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

impl Unreadable {
    #[allow(clippy::needless_pass_by_value, reason = "for map_err")]
    pub fn new(reason: impl ToString) -> Self {
        Self(reason.to_string())
    }
}

/// Facts of configured files, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfiguredFiles {
    /// Texts to deploy.
    pub texts: BTreeMap<String, Result<String, Unreadable>>,
    /// Files of root's for all users that no user reaches: the directory on the way, and its mode.
    pub closed: BTreeMap<String, (String, u32)>,
    pub tokens: BTreeMap<String, Result<SecretText, Unreadable>>,
    /// Clusters of administrators' kubeconfigs.
    pub clusters: BTreeMap<String, Result<Cluster, Unreadable>>,
    /// Programs that users run.
    pub programs: BTreeMap<String, Result<(), Unreadable>>,
    /// The targets of links of root's that this program makes.
    pub links: BTreeMap<String, String>,
    /// The program that agents' hooks call; `None` unless a hook is configured.
    pub persist: Option<Result<String, Unreadable>>,
}
