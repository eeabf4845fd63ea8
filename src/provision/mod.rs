//! What the host, the identity provider and the cluster say: the facts beside the roster; and what
//! must change so that the host agrees with it.

pub mod apply;
pub mod authentik;
pub mod digest;
pub mod environment_file;
pub mod ground;
pub mod home;
pub mod host;
pub mod install;
pub mod journal;
pub mod kubeconfig;
pub mod machine;
pub mod marked_block;
pub mod observe;
pub mod observed;
pub mod origin;
pub mod plan;
pub mod repository;
pub mod saved;
pub mod site;
pub mod vault;
pub mod worker;
pub mod written;
