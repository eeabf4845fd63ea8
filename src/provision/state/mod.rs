//! What provision keeps of its own runs.

pub mod applied;
pub mod digest;
pub mod journal;
pub mod receipt;
pub mod saved;
pub mod state_dir;
pub mod written;
