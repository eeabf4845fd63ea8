//! The only place with effects beyond reading: processes, files written, locks, accounts, time.
//!
//! Unsafe code and the calls that `clippy.toml` fences live here and nowhere else.
#![allow(clippy::disallowed_methods, reason = "this is the module the fence stands around")]

pub mod accounts;
pub mod asked;
pub mod become_user;
pub mod clock;
pub mod detach;
pub mod exec;
pub mod fetch;
pub mod files;
pub mod http;
pub mod limits;
pub mod locks;
pub mod notify;
pub mod parallel;
pub mod pending;
pub mod place;
pub mod processes;
pub mod replace;
pub mod secret;
pub mod socket_dirs;
mod spawn;
pub mod stragglers;
pub mod timers;
pub mod tool;
pub mod tree;
pub mod walk;
pub mod watch;

pub use accounts::Account;
pub use files::{Dir, FileError};
