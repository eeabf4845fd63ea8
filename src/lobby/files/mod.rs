//! Files that a person gives to a session, and gets from it.

mod bounds;
mod clean;
mod error;
mod fetch;
mod list;
mod names;
mod routes;
mod store;
mod upload;
mod uploads;

pub use error::FilesError;
pub use routes::{Fetch, Files, List};
pub use upload::serve;
