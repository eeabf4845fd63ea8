//! Edits of files that keep every other byte (pure).

pub mod environment_file;
pub mod fstab;
pub mod marked_block;
