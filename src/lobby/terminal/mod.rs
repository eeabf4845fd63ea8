//! Terminals in the page: a tmux client in a pseudo-terminal for each view, which outlives a broken connection
//! and, where a service manager keeps it, this process.

mod client;
mod connection;
mod heartbeat;
mod input;
mod output;
mod stored;
mod view;
mod views;

pub use connection::serve;
pub use heartbeat::{Beat, Heartbeat, LOST};
pub use stored::Store;
pub use views::Views;
