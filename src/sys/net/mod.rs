//! Requests to servers, and the secrets for them.

pub mod download;
pub mod http;
pub mod listener;
pub mod probe;
pub mod secret;
