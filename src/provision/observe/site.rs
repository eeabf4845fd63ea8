//! What configured files of root's say: facts beside the host's own (values only).

use crate::provision::home::Sealed;
use crate::provision::sources::kubeconfig::Cluster;
use std::collections::BTreeMap;

/// Facts of files that the configuration names, by path; `Err` says why one cannot be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// Texts to deploy.
    pub texts: BTreeMap<String, Result<String, String>>,
    /// Tokens.
    pub tokens: BTreeMap<String, Result<Sealed, String>>,
    /// Clusters of administrators' kubeconfigs.
    pub clusters: BTreeMap<String, Result<Cluster, String>>,
    /// Programs that users run.
    pub programs: BTreeMap<String, Result<(), String>>,
    /// Where links of root's lead that we make.
    pub links: BTreeMap<String, String>,
    /// The program that agents' hooks call; `None` while no hook is asked for.
    pub persist: Option<Result<String, String>>,
}
