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
pub mod forget;
pub mod history;
pub mod hooked;
pub mod job;
pub mod list;
pub mod lost;
mod names;
mod on_change;
mod ourselves;
pub mod plan;
mod prune;
mod remember;
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
pub mod wiring;

pub use hooked::{HookCall, Witness};
pub use job::{Ended, Job, Request, World};
pub use report::Report;
pub use wiring::{Scope, Wire};
