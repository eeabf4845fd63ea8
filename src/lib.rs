//! Keeps the tmux sessions and agent conversations of a shared development host.
//!
//! Where things live, and which module may use which, is in `docs/architecture.md`.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests set up files of their own"))]

pub mod agent;
pub mod cli;
pub mod events;
pub mod identity;
pub mod offboard;
pub mod persist;
pub mod process;
pub mod provision;
pub mod roster;
pub mod snapshot;
pub mod supervisor;
pub mod sys;
pub mod t3;
pub mod text;
pub mod tmux;
pub mod yaml;
