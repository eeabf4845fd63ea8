//! Saving and restoring one user's tmux sessions, always as that user.

mod arrange;
pub mod build;
pub mod capture;
pub mod closings;
pub mod conversation;
pub mod ended;
pub mod facts;
pub mod forget;
pub mod import;
pub mod job;
pub mod list;
mod names;
pub mod plan;
pub mod report;
pub mod restore;
pub mod save;
pub mod show;
mod source;
mod spawn;
mod unfinished;

pub use import::Manifest;
pub use job::{Ended, Job, Request, World};
pub use report::Report;
