//! The host as it was found: values only. What reads them is `observe`.

use super::record::Record;
use crate::sys::fs::Attributes;
use std::collections::BTreeMap;
use std::fmt;

/// Facts of the host, all read at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// By name and by `name:arch`; `None` on a host without dpkg.
    pub packages: Option<BTreeMap<String, Package>>,
    /// Versions of tools that the system has, by name.
    pub npm: BTreeMap<String, Tool>,
    /// What is at the places that files go to.
    pub files: BTreeMap<String, State>,
    /// What they are to say, or why that is not known.
    pub contents: BTreeMap<String, Result<Bytes, String>>,
    /// Accounts and their primary groups.
    pub users: BTreeMap<String, (u32, u32)>,
    /// Groups.
    pub groups: BTreeMap<String, u32>,
    /// Trees.
    pub trees: BTreeMap<String, Tree>,
    /// What was written last.
    pub record: Record,
}

/// A package as dpkg has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its version.
    pub version: String,
    /// Whether it is there whole.
    pub installed: bool,
}

/// A tool of npm's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tool {
    /// Its version, and where it is.
    Version(String, &'static str),
    /// It is there, and cannot be read: why.
    Broken(String),
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Absent,
    /// A regular file.
    File {
        /// Of its content.
        hash: String,
        /// Its owner and mode.
        attributes: Attributes,
    },
    /// It may not be looked at, or written to: why.
    Refused(String),
}

/// The top of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// Nothing is there.
    Absent,
    /// A directory of root's.
    Directory {
        /// Permission bits.
        mode: u32,
    },
    /// It is not for root to change: why.
    Refused(String),
}

/// Content that may be secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Bytes(...)")
    }
}
