//! The base of the host as it was found (values only, pure).

use super::record::Record;
use crate::provision::observe::Unreadable;
use crate::sys::fs::Attributes;
use std::collections::BTreeMap;
use std::fmt;

/// Facts of the host, all read at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// By name and by `name:arch`; `None` on a host without dpkg.
    pub packages: Option<BTreeMap<String, Package>>,
    /// The tools that are installed for all users, by name.
    pub npm: BTreeMap<String, Tool>,
    /// What is at the paths that files are installed at.
    pub files: BTreeMap<String, State>,
    /// The content that they should have, by path.
    pub contents: BTreeMap<String, Result<SecretBytes, Unreadable>>,
    /// Accounts by name: uid and primary gid.
    pub users: BTreeMap<String, (u32, u32)>,
    /// Gids by name.
    pub groups: BTreeMap<String, u32>,
    pub trees: BTreeMap<String, Tree>,
    pub record: Record,
}

/// A package as dpkg has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    pub version: String,
    /// Whether it is completely installed.
    pub installed: bool,
}

/// A tool from npm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tool {
    /// Its version and the directory that it is in.
    Version(String, &'static str),
    /// It exists and cannot be read: why.
    Broken(String),
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Absent,
    File {
        hash: String,
        attributes: Attributes,
    },
    /// It must not be read or written: why.
    Refused(String),
}

/// The top directory of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    Absent,
    /// A directory of root's.
    Directory {
        /// Permission bits.
        mode: u32,
    },
    /// It must not be changed: why.
    Refused(String),
}

/// Content that may be secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretBytes(pub Vec<u8>);

impl fmt::Debug for SecretBytes {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("SecretBytes(...)")
    }
}
