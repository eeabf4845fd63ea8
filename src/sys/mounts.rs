//! Mounts that may hang, as `start-claude` knows them, too.

pub use shared::mounts::{has_remote, unanswered};
