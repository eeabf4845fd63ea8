//! What is asked of servers, and the secrets that takes.

pub mod download;
pub mod http;
pub mod secret;
