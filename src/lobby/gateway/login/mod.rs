//! Logins of browsers: how they begin, and where they are kept.

pub(super) mod logins;
pub(super) mod oidc;
pub(super) mod provider;
