//! The base of the host as it was found (values only, pure).

use super::record::Record;
use crate::provision::edit::fstab::FstabEntry;
use crate::provision::observe::Unreadable;
use crate::sys::fs::Attributes;
use std::collections::{BTreeMap, BTreeSet};
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
    /// Files that lines are put into, by path, and those that lines were put into before.
    pub blocks: BTreeMap<String, BlockFile>,
    pub swap: Option<SwapFacts>,
    /// What is at the paths that archives are unpacked at.
    pub unpacked: BTreeMap<String, Tree>,
    /// What is at the paths of links to programs in them.
    pub links: BTreeMap<String, LinkState>,
    /// Paths of swap files and unpacked archives that were made and still exist.
    pub left: BTreeSet<String>,
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

/// What is at the path of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkState {
    Absent,
    /// A link, with its target.
    To(String),
    /// No link.
    Other,
    /// It must not be read or made: why.
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

/// A file that lines are put into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockFile {
    /// `directory` says whether the one that it would be in is there.
    Absent {
        directory: bool,
    },
    Content(Vec<u8>),
    /// It must not be read or written: why.
    Refused(String),
}

/// A swap file, and what there is for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwapFacts {
    pub file: SwapFile,
    /// Whether the kernel uses it.
    pub is_active: bool,
    pub fstab: Result<FstabEntry, Unreadable>,
    /// Why it can be neither made nor switched on here.
    pub obstacle: Option<String>,
}

/// What is at the path of a swap file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwapFile {
    Absent,
    File {
        size: u64,
        attributes: Attributes,
        /// Whether mkswap(8) made it.
        has_signature: bool,
    },
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
