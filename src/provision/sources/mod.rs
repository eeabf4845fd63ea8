//! Facts that others hold: the identity provider, Vault, the cluster, the roster's clone.

pub mod authentik;
pub mod kubeconfig;
pub mod origin;
pub mod vault;
