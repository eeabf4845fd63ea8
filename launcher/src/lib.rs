//! What a new pane runs: an agent on an explicit conversation, then a login shell.

pub mod agents;
pub mod freshen;
pub mod options;
pub mod pane;
