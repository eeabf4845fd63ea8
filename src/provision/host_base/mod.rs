//! The base of the host, which all users share, from one file (`host.toml`): packages, pinned tools and
//! downloads, files, sudoers fragments, secrets, limits, earlyoom, zsh, swap, and directories that other users
//! must not read.
//!
//! `host_toml` reads the file into a `spec`, `observe` reads the host once, `plan` compares them, `apply`
//! carries out the plan. Nothing is removed or upgraded, and nothing that a person wrote is overwritten.

pub mod apply;
mod archive;
mod archive_tree;
mod dpkg;
mod error;
pub mod host_toml;
mod names;
pub mod observe;
mod observe_swap;
pub mod observed;
pub mod plan;
pub mod record;
pub mod spec;

pub use error::{HostApplyError, HostChangeError};

/// The default path of the file.
pub const HOST_FILE: &str = "/etc/terminal-lobby/host.toml";
/// The path of the record of what was written last.
pub const RECORD: &str = "/var/lib/terminal-lobby/applied/machine.json";
