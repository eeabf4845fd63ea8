//! The only place with effects beyond reading: processes, files written, locks, accounts, time.
//!
//! Unsafe code and the calls that `clippy.toml` fences live here and nowhere else.
#![allow(clippy::disallowed_methods, reason = "this is the module the fence stands around")]

pub mod accounts;
pub mod clock;
pub mod fs;
pub mod locks;
pub mod net;
pub mod notify;
pub mod process;
pub mod timers;

pub use accounts::Account;
pub use fs::{Dir, FileError};
