//! The base that everybody on the host stands on, from one file (`host.toml`): packages, pinned tools
//! and downloads, files, sudoers fragments, secrets, limits, and a tree that others must not read.
//!
//! `wanted` is what the file says, `observe` looks at the host once, `plan` compares (pure), `apply`
//! does it. Nothing is removed or upgraded, and nothing that a person wrote is overwritten.

pub mod apply;
mod dpkg;
pub mod host_toml;
mod names;
pub mod observe;
pub mod observed;
pub mod plan;
pub mod record;
pub mod wanted;

/// Where the file is.
pub const HOST_FILE: &str = "/etc/terminal-lobby/host.toml";
/// What was written last.
pub const RECORD: &str = "/var/lib/terminal-lobby/applied/machine.json";
