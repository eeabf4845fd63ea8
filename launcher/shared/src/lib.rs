//! Code that `start-claude`, `persist` and `provision` share; few dependencies, since every new pane starts
//! `start-claude`.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests set up files of their own"))]

pub mod agent_options;
pub mod atomic;
pub mod child;
pub mod conversation_id;
pub mod escape;
pub mod memory;
pub mod mounts;
pub mod pane_variables;
mod pipe;
pub mod random;
