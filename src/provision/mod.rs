//! What the host, the identity provider and the cluster say: the facts beside the roster.

pub mod authentik;
pub mod host;
pub mod vault;
