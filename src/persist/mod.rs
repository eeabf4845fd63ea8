//! Saving and restoring one user's tmux sessions, always as that user.

mod arrange;
pub mod build;
pub mod capture;
pub mod closings;
pub mod conversation;
pub mod diff;
pub mod ended;
pub mod facts;
mod fate;
mod finish;
pub mod forget;
pub mod history;
mod groups;
pub mod job;
pub mod keep;
mod links;
pub mod list;
pub mod lost;
mod names;
pub mod plan;
mod prune;
mod remember;
mod program;
pub mod report;
pub mod restore;
pub mod save;
mod selection;
pub mod show;
mod source;
mod spawn;
mod start;
pub mod status;
mod unfinished;

pub use job::{Ended, Job, Request, World};
pub use keep::Keep;
pub use report::Report;
