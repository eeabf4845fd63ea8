//! How a person has arranged their sessions: kept by the lobby, changed by small operations of several pages at once.

mod apply;
mod document;
mod layouts;
mod parts;

pub use apply::Refused;
pub(crate) use layouts::Shown;
pub use layouts::{ChangeError, Known, Layouts};
