//! The roster: the policy table, and everything that follows from it (pure).
//!
//! Text and facts come in as arguments, values and messages go out. Reading files, asking hosts and
//! servers, and changing anything is done elsewhere.

pub mod derive;
mod document;
pub mod edit;
mod fields;
mod former;
pub mod groups;
pub mod identity_source;
mod json;
pub mod maps;
pub mod members;
pub mod membership;
mod parse;
pub mod ports;
mod row;
mod rules;
pub mod tiers;
mod validate;

pub use crate::yaml::problem::{Place, Problem};
pub use crate::yaml::tree::MAX_SIZE;
pub use document::Document;
pub use fields::is_field;
pub use former::former_rows;
pub use parse::{parse, parse_ignoring};
pub use row::{Layout, Roster, Row, Tier};
pub use validate::{HostFacts, uid_max, uid_min, validate, warnings};

#[cfg(test)]
pub(crate) mod tests;
