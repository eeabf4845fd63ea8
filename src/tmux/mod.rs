//! tmux: its escapes, formats, layouts and commands, and the client that asks a server.
//!
//! What tmux really does was measured on 3.2a to 3.7c; the rules here name what they rest on.

pub mod attention;
pub mod builder;
pub mod client;
pub mod command;
pub mod configuration;
pub mod control;
pub mod dialect;
pub mod error;
pub mod escape;
pub mod hooks;
pub mod layout;
pub mod marks;
pub mod options;
mod own_session;
pub mod pane_use;
pub mod pane_variables;
pub mod panes;
pub mod program;
pub mod scrollback;
pub mod session_facts;
pub mod socket;
pub mod user_options;

pub use attention::Attention;
pub use builder::Builder;
pub use client::Server;
pub use error::TmuxError;
pub use hooks::held::HeldHooks;
pub use hooks::{HookState, Hooks};
pub use marks::Marks;
pub use pane_variables::CallerPane;
pub use panes::{ExtraFields, Listing, Pane};
pub use session_facts::SessionFacts;
pub use socket::{Refusal, Socket, SocketState};
