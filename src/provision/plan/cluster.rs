//! A user's access to the cluster.

use super::change::Change;
use crate::provision::home::cluster::Look;
use crate::provision::observed::Observed;
use crate::roster::Row;

/// Site values: the table `[provision.cluster]`.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {}

/// What to look at in a user's home; nothing when the site asks for nothing.
pub(in crate::provision) fn look(_user: &str, _row: &Row, _settings: &Settings) -> Option<Look> {
    None
}

/// What a user lacks.
pub(super) fn plan(
    _user: &str,
    _row: &Row,
    _observed: &Observed,
    _settings: &Settings,
) -> Vec<Change> {
    Vec::new()
}
