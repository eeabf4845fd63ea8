//! Saving and restoring one user's tmux sessions, always as that user.

pub mod capture;
pub mod commands;
pub mod job;
mod ourselves;
pub mod report;
pub mod restore;
pub mod restore_pending;
pub mod save;

pub use crate::persist::capture::extras::Keep;
pub use crate::persist::commands::hook_event::{HookCall, Witness};
pub use crate::persist::commands::hook_install::{Scope, Wire};
pub use crate::persist::commands::import::Manifest;
pub use job::{Ended, Job, Request, World};
pub use report::Report;
