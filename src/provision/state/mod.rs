//! What is on record of what this program did: state directory, journal, hashes.

pub mod applied;
pub mod digest;
pub mod journal;
pub mod state_dir;
pub mod written;
