//! Text as people and programs read it (pure): what every room may use, and that uses none.

pub mod hex;
pub mod shell_quote;
pub mod suggest;
pub mod table;
pub mod time;
pub mod tsv;
pub mod wildcard;

pub use hex::hex;
pub use shared::escape::{self, *};
