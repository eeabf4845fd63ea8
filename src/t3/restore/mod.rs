//! Restores an instance's data from a backup: prepared beside the present data by a process that is the user, then
//! exchanged with it in one step while the instance is stopped. A run that was killed at any moment is finished by the
//! next one, and until then the instance does not start.

mod error;
mod journal;
pub mod protocol;
mod run;
pub mod user;

pub use error::RestoreError;
pub use journal::{hold_directory, unfinished};
pub use protocol::What;
pub use run::{Restored, restore, resume, undo};
