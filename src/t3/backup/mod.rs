//! Backups of the instances' data: consistent copies, made, checked and thinned out by a process that is the user;
//! root hands out the places and keeps a record.

mod error;
mod id;
mod limits;
mod list;
mod manifest;
mod place;
pub mod protocol;
mod record;
mod retention;
mod take;
pub mod user;

pub use error::BackupError;
pub use id::{BackupId, Why};
pub use limits::Limits;
pub use list::{list, place_of};
pub use manifest::{FileFacts, Manifest};
pub use record::{Attempt, Good, Record, RecordReader};
pub use take::{Backup, release, take, take_within};
