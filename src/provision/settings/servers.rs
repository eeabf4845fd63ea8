//! Servers that the runs of the timer ask: `[provision.vault]` and `[provision.authentik]` (pure).

use crate::roster::identity_source::IdentitySource;
use crate::text::shown;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
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

/// How members are compared with rows: `[provision.membership]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Membership {
    /// The attribute of the provider's user that `authentik_user` names.
    #[serde(deserialize_with = "identity_source")]
    pub identity: IdentitySource,
    /// Names that no new user or namespace gets.
    pub reserved: Vec<String>,
}

fn identity_source<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IdentitySource, D::Error> {
    let name = String::deserialize(deserializer)?;
    IdentitySource::of_name(&name)
        .map_err(|error| D::Error::custom(format!("invalid attribute '{}': {error}", shown(&name))))
}

fn k8s_users_path() -> String {
    "secret/data/k8s-users".to_owned()
}
