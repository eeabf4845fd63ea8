//! Servers that the runs of the timer ask: `[provision.vault]` and `[provision.authentik]` (pure).

use serde::Deserialize;
use std::path::PathBuf;

/// The Vault with the cluster's users.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    pub address: String,
    /// The path below /v1/, in a key-value store of version 2.
    #[serde(default = "k8s_users_path")]
    pub path: String,
    pub token_file: PathBuf,
    pub ca_file: Option<PathBuf>,
}

/// The Authentik with the group of the members.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authentik {
    pub url: String,
    pub group: String,
    pub token_file: PathBuf,
    pub ca_file: Option<PathBuf>,
}

fn k8s_users_path() -> String {
    "secret/data/k8s-users".to_owned()
}
