//! Root's side: whose work it is, the processes that do it, boot, and what root keeps of it.

pub mod boot;
pub mod config;
pub mod import;
pub mod keeper;
pub mod root_activity;
pub mod session_request;
pub mod session_restore;
pub mod socket_dirs;
pub mod targets;
pub mod worker;
