//! Site values, checked as they are read.

pub mod agents;
pub mod code;
pub mod repository;
pub mod values;
