//! What a new pane runs: updates the user's clones, then runs an agent on one conversation; if the agent
//! fails, a login shell.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests set up files of their own"))]

pub mod agent;
pub mod config;
pub mod files;
pub mod launch;
pub mod options;
pub mod persist;
pub mod process;
pub mod terminal;
#[cfg(test)]
mod test_files;
pub mod tmux_session;
pub mod update_clones;
