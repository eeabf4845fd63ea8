//! Saving and restoring one user's tmux sessions, always as that user.

mod arrange;
pub mod build;
pub mod capture;
pub mod closings;
pub mod conversation;
pub mod doctor;
pub mod ended;
pub mod facts;
mod fate;
pub mod forget;
pub mod job;
pub mod list;
pub mod lost;
mod names;
pub mod plan;
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
pub use report::Report;
