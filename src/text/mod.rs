//! Text as people and programs read it (pure): what every room may use, and that uses none.

pub mod escape;
pub mod shell_quote;
pub mod suggest;
pub mod table;

pub use escape::*;
