//! The only place with effects beyond reading: processes, files written, locks, accounts, time.
//!
//! Unsafe code and the calls that `clippy.toml` disallows are here and nowhere else. Nothing here knows
//! what this program is for.
#![allow(clippy::disallowed_methods, reason = "the calls are disallowed everywhere else")]

pub mod accounts;
pub mod clock;
pub mod fs;
pub mod locks;
pub mod mounts;
pub mod net;
pub mod notify;
pub mod process;
pub mod terminal;
pub mod timers;

pub use accounts::Account;
pub use fs::{Dir, FileError};
