//! Backups of homes with restic: made, verified and restored by root, who follows nothing that a user
//! controls (docs/backup.md).

mod error;
pub mod homes;
pub mod record;
mod restic;
pub mod restore;

pub use error::BackupError;
pub use restic::{Backup, Restic, Snapshot};
