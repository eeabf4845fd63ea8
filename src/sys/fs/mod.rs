//! Files relative to an open directory: bounded reads that never follow a link, atomic synced
//! writes. Every error names its path.

mod atomic;
mod beneath;
mod copy;
mod dir;
mod error;
mod file_system;
mod links;
mod relocate;
pub mod set_id;
mod staged;
mod tree;
pub mod trusted_path;
pub mod walk;

pub use atomic::{Existing, is_temporary, replace, write_public_hint};
pub use copy::{CopiedFile, hash_open};
pub use dir::{Dir, create_private_dirs, may_enter, may_read, read};
pub use error::FileError;
pub use file_system::{FileSystem, FileSystemKind};
pub use shared::random::random_hex;
pub use staged::{
    Attributes, StagedFile, attributes, hash, set_attributes, set_directory, set_mode,
};
pub use tree::{TreeLimits, copy_tree};
