//! Credentials with which a browser is paired to a user's instance.

pub mod issue;
pub mod program;
pub mod protocol;
pub mod server;
