//! Processes and signals: the agent as a child, programs that outlive the launcher, the login shell
//! that it becomes.

pub mod agent;
pub(crate) mod apart;
pub mod login_environment;
pub mod login_shell;
pub(crate) mod mounts;
pub(crate) mod program;
pub(crate) mod scope;
pub mod signals;
