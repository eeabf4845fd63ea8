//! What the gateway has for T3 Code.

use super::names::Names;
use super::pairing::flights::Pairings;
use super::pool::Pool;
use super::probe::Probes;
use super::section::T3Settings;
use super::tables::Tables;
use crate::auth::Origins;
use axum::http::HeaderMap;

/// All of it.
#[derive(Debug)]
pub(crate) struct T3 {
    pub(crate) settings: T3Settings,
    pub(super) origins: Origins,
    pub(crate) tables: Tables,
    pub(super) names: Names,
    pub(super) pairings: Pairings,
    pub(super) pool: Pool,
    pub(super) probes: Probes,
}

impl T3 {
    /// Reads the tables.
    pub(crate) fn new(settings: T3Settings) -> Self {
        Self {
            origins: settings.site.origins(),
            tables: Tables::read(settings.dispatch.clone(), settings.closed.clone()),
            names: Names::default(),
            pairings: Pairings::default(),
            pool: Pool::default(),
            probes: Probes::default(),
            settings,
        }
    }

    /// Whether a request is for the name of T3 Code.
    pub(crate) fn is_for(&self, headers: &HeaderMap) -> bool {
        self.origins.is_our_host(headers)
    }
}
