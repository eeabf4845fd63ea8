//! T3 Code on a host: an instance for each user, credentials for them, the version that all run, and backups.
//!
//! Facts about the program that we rely on stand beside the code that needs them, as measured on 0.0.24, 0.0.26
//! and the main branch of August 2026.

pub mod backup;
pub mod enforce;
pub mod instance;
pub mod lock;
pub mod mint;
pub mod paths;
pub mod restore;
pub mod served;
pub mod settings;
pub mod state_dir;
pub mod status;
pub mod table;
pub mod units;
pub mod user_process;
pub mod watchdog;
