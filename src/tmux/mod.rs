//! tmux: its escapes, formats, layouts and commands, and the client that asks a server.
//!
//! What tmux really does was measured on 3.2a to 3.7c; the rules here name what they rest on.

pub mod builder;
pub mod client;
pub mod command;
pub mod control;
pub mod dialect;
pub mod escape;
pub mod hooks;
pub mod layout;
pub mod marks;
pub mod options;
pub mod panes;
pub mod program;
pub mod scrollback;
pub mod socket;

pub use builder::Builder;
pub use client::{Server, TmuxError};
pub use hooks::Hooks;
pub use marks::Marks;
pub use panes::{Listing, Pane, Wanted};
pub use socket::{Socket, SocketState};
