//! The list of sessions, which follows tmux and the agents by events: nothing is polled, and without an open
//! page or a browser to notify nothing is done.

mod changes;
mod create;
mod follow;
pub mod guard;
mod hooks;
mod installed;
pub mod name;
mod sessions;
mod starting;

pub use follow::{follow, remove_hooks};
pub use sessions::{Listing, Sessions, Watching};
