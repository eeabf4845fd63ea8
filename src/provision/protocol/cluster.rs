//! The cluster's configuration in a home: query, facts, task (pure).

use crate::provision::settings::cluster::Settings;
use serde::{Deserialize, Serialize};

/// The user's kubeconfig, relative to the home.
pub const CONFIG_FILE: &str = ".kube/config";

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterQuery {}

impl ClusterQuery {
    pub(super) fn new(settings: &Settings) -> Option<Self> {
        settings.access.as_ref().map(|_| Self {})
    }
}

/// What is at [`CONFIG_FILE`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClusterFacts {
    #[default]
    Absent,
    /// Something: it is the user's, whatever it is.
    Present,
    /// It cannot be read or written: why.
    Unusable(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClusterTask {
    /// Writes [`CONFIG_FILE`] unless something is there.
    Config { text: String },
}
