//! Whether an agent rests: what it does by its own account, and what its input line holds (pure).

pub mod screen;

pub use screen::Screen;

use super::status::Doing;

/// What an agent records of what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnAccount {
    pub doing: Doing,
    /// Since when, in seconds since the epoch.
    pub since: Option<u64>,
}

/// What an agent's input line holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    Empty,
    /// Text that was not sent.
    Unsent,
    /// The input line is not on the screen, or looks different from what we know.
    Unknown,
}
