//! What the host, the identity provider and the cluster say: the facts beside the roster; and what
//! must change so that the host agrees with it.

pub mod apply;
pub mod edit;
pub mod home;
pub mod host_base;
pub mod observe;
pub mod plan;
pub mod settings;
pub mod sources;
pub mod state;
pub mod worker;
