//! What the base of a host is to be (pure): the file `host.toml`, checked.

use super::host_toml;
use std::collections::BTreeMap;

/// What is wrong with the file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Wrong {
    /// Counted from 1.
    pub line: usize,
    /// Names the key.
    pub what: String,
}

/// The base of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Debian packages by name, with the version that is wanted, if any one is.
    pub packages: BTreeMap<String, Option<String>>,
    /// Tools from npm by name, with the version.
    pub npm: BTreeMap<String, String>,
    /// Files by hash.
    pub downloads: Vec<Download>,
    /// Files of `/etc/profile.d` and `/etc/skel`, sudoers fragments, secrets and limits.
    pub files: Vec<Placed>,
    /// The Vault that secrets come from.
    pub vault: Option<Vault>,
    /// Trees that others must not read.
    pub tighten: Vec<String>,
}

/// A file that a hash names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Where it comes from.
    pub url: String,
    /// Where it goes.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// `sha256:` and 64 hexadecimal digits.
    pub hash: String,
    /// Its greatest size (bytes).
    pub size: u64,
    /// Whether the way there need not be safe: the hash counts.
    pub insecure: bool,
}

/// What kind of file is put in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// Of `/etc/profile.d` or `/etc/skel`.
    Plain,
    /// Of `/etc/sudoers.d`: checked before.
    Sudoers,
    /// Shown as a hash only.
    Secret,
    /// A drop-in of systemd's, which must be told.
    Limits,
}

/// A file that is put in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its kind.
    pub sort: Sort,
    /// Where it goes.
    pub path: String,
    /// What it says.
    pub content: Content,
    /// Permission bits.
    pub mode: u32,
    /// Its owner.
    pub user: String,
    /// Its group; the owner's own where none is named.
    pub group: Option<String>,
}

/// What a file says, or where that is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// This.
    Inline(String),
    /// What another file of root's says.
    Source(String),
    /// What a field of a secret in Vault says.
    Vault {
        /// `MOUNT/data/NAME`.
        path: String,
        /// Of its fields.
        field: String,
    },
}

/// How Vault is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vault {
    /// `https://...`.
    pub address: String,
    /// A file with the token.
    pub token_file: String,
    /// Authorities that vouch for it; the host's if none.
    pub ca_file: Option<String>,
    /// Whether the token may travel in the clear to another host.
    pub insecure: bool,
    /// How long all answers may take.
    pub deadline_seconds: u64,
}

/// Reads the file.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read(text: &str) -> Result<Wanted, Wrong> {
    host_toml::read(text)
}
