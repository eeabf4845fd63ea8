//! Conversations as text, from the transcripts of their agents.

mod appended;
mod connection;

pub use appended::Appends;
pub use connection::serve;
