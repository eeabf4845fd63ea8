//! What a new pane runs: the user's clones brought up to date, then an agent on an explicit
//! conversation, then, when the agent fails, a login shell.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests set up files of their own"))]

pub mod agents;
pub mod child;
pub mod config;
pub mod environment;
pub mod files;
pub mod freshen;
pub mod freshening;
pub mod guard;
pub mod launch;
pub mod memory;
pub mod options;
pub mod persist;
mod pipe;
mod process;
mod program;
pub mod say;
pub mod shell;
mod show;
pub mod signals;
pub mod terminal;
#[cfg(test)]
mod test_files;
pub mod tmux_session;
mod turn;
pub mod wait;
