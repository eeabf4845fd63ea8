//! Root's side: which users a task is for, the processes that do it, boot, and root's own records.

pub mod boot;
pub mod config;
pub mod error;
pub mod import;
pub mod keeper;
mod memory_share;
pub mod restore_progress;
pub mod root_activity;
pub mod run;
pub mod session_request;
mod session_restore;
mod socket_dirs;
pub mod state_size;
mod systemd;
pub mod targets;
pub mod task;
mod user_dirs;
pub mod worker;

pub use error::Error;
