//! Facts that others hold: the identity provider, Vault, the cluster, the roster's clone.

pub mod authentik;
pub mod kubeconfig;
pub mod origin;
pub mod roster_repository;
pub mod vault;

/// Status and body of an answer over HTTP.
pub type HttpAnswer = (u16, Vec<u8>);

/// Why there is no answer over HTTP.
pub type RequestError = Box<dyn std::error::Error + Send + Sync>;
