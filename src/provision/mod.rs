//! Makes the host agree with the roster and with its own file: facts, plan, apply.

pub mod apply;
pub mod backup;
pub mod change;
pub mod edit;
pub mod home;
pub mod host_base;
pub mod observe;
pub mod paths;
pub mod plan;
pub mod protocol;
pub mod settings;
pub mod sources;
pub mod state;
pub mod worker;
