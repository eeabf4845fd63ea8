//! Agents that are started before they are asked for, if the person wants some: a new session takes one, and its first
//! prompt is read at once instead of after the start of an agent.

mod owner;
mod pool;

pub use pool::{Kind, MAX_SPARES, Spares};
