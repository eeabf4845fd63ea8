//! The only place with effects beyond reading: processes, files written, locks, accounts, time.
//!
//! Unsafe code and the calls that `clippy.toml` disallows are here and nowhere else. Nothing here knows
//! what this program is for.
#![allow(clippy::disallowed_methods, reason = "the calls are disallowed everywhere else")]

pub mod accounts;
pub mod clock;
pub mod file_changes;
pub mod fs;
pub mod journal;
pub mod locks;
pub mod memory;
pub mod mounts;
pub mod net;
pub mod notify;
pub mod passed;
pub mod pressure;
pub mod process;
pub mod terminal;
pub mod timers;
pub mod wakeups;

pub use accounts::Account;
pub use fs::{Dir, FileError};
