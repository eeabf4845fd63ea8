//! YAML whose nodes know where they stand: for the roster and for kubeconfigs (pure).

pub(crate) mod hidden;
pub mod problem;
pub mod scalar;
pub mod tree;
