//! Deaths of agents and tmux servers that are not settled yet, and what panes say of them.

pub mod explain;
pub mod explanations;
pub mod record;

pub use explanations::Explanations;
pub use record::{Death, Deaths, Kind, OutOfMemory};
