//! Keeps the tmux sessions and agent conversations of a shared development host.
//!
//! Where things live, and which module may use which, is in `docs/architecture.md`.

pub mod agent;
pub mod cli;
pub mod identity;
pub mod persist;
pub mod process;
pub mod snapshot;
pub mod sys;
pub mod tmux;
