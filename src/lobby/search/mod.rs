//! Searching all conversations of the user: an index of what was said, and who reads transcripts for it.

mod answer;
mod connection;
mod error;
mod index;
mod reader;
mod resume;
mod service;
mod words;

pub use connection::serve;
pub use error::SearchError;
pub use resume::{Resumable, resumable};
pub use service::Search;
