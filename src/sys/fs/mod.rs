//! Files relative to an open directory: bounded reads that never follow a link, atomic synced
//! writes. Every error names its path.

mod atomic;
mod dir;
mod error;
mod links;
mod relocate;
pub mod set_id;
mod staged;
pub mod trusted_path;
pub mod walk;

pub use atomic::{Existing, is_temporary, replace, write_public_hint};
pub use dir::{Dir, create_private_dirs, may_enter, may_read, read};
pub use error::FileError;
pub use shared::random::random_hex;
pub use staged::{
    Attributes, StagedFile, attributes, hash, set_attributes, set_directory, set_mode,
};
