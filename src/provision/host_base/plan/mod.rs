//! What must change so that the base of the host is as its file says (pure).

mod block;
mod file;
mod packages;
mod swap;
mod tree;
mod unpack;

use super::observed::{Observed, SecretBytes};
use super::record::Record;
use super::spec::{Download, HostSpec, Unpack};
use crate::provision::change::{self, Cause};
use crate::sys::fs::Attributes;
use serde::Serialize;
use std::collections::BTreeSet;

/// The part of the plan that a change belongs to, in the order in which they are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Packages,
    /// Tools from npm.
    Npm,
    Downloads,
    /// Of `/etc/profile.d` and `/etc/skel`.
    Files,
    /// Of `/etc/sudoers.d`.
    Sudoers,
    /// Files that only their owner can read.
    Secrets,
    Limits,
    Earlyoom,
    Zsh,
    Swap,
    /// Directories that other users must not enter.
    Tighten,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Packages => "packages",
            Self::Npm => "tools from npm",
            Self::Downloads => "downloads",
            Self::Files => "files",
            Self::Sudoers => "sudoers",
            Self::Secrets => "secrets",
            Self::Limits => "limits",
            Self::Earlyoom => "earlyoom",
            Self::Zsh => "zsh",
            Self::Swap => "swap",
            Self::Tighten => "trees",
        }
    }
}

/// How a change is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// apt-get(8).
    Package {
        name: String,
        version: Option<String>,
    },
    /// npm(1).
    Npm {
        name: String,
        version: String,
        /// Whether an incomplete one must be removed first.
        replace: bool,
    },
    /// Downloads and installs a file. `expected` is the hash of the present one.
    Fetch {
        download: Download,
        expected: Option<String>,
    },
    /// Downloads an archive and unpacks it.
    Unpack(Unpack),
    /// Links a program, or points a link of ours to it.
    Link {
        path: String,
        target: String,
    },
    /// Installs a file. `expected` is the hash of the present one.
    Write {
        path: String,
        content: SecretBytes,
        attributes: Attributes,
        expected: Option<String>,
    },
    /// Sets owner and mode of a file.
    Attributes {
        path: String,
        attributes: Attributes,
    },
    /// Puts lines into a file, every other byte of which stays.
    Block {
        path: String,
        text: String,
    },
    /// `systemctl daemon-reload`.
    Reload,
    /// `systemctl restart`, and `enable`.
    Restart {
        unit: String,
    },
    Swap(SwapSteps),
    /// Sets the mode of a directory from `before` to `mode`.
    Close {
        path: String,
        before: u32,
        mode: u32,
    },
}

/// What is missing of a swap file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwapSteps {
    pub path: String,
    /// In bytes.
    pub size: u64,
    pub makes_file: bool,
    /// Whether swapon(8) is called.
    pub switches_on: bool,
    /// Whether `/etc/fstab` gets its line.
    pub adds_line: bool,
}

/// One change of the host's base.
pub type Change = change::Change<Scope, Action>;

/// What a change is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scope {
    pub kind: Kind,
    /// Whether the wanted content is unknown: nothing is changed, and the apply counts as failed.
    pub unknown: bool,
}

impl Change {
    fn new(kind: Kind, id: impl Into<String>, what: impl Into<String>) -> Self {
        Self::unplanned(id, Scope { kind, unknown: false }, what)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// In the order in which they are carried out.
    pub changes: Vec<Change>,
    /// What is on record before any of them is carried out: what is as it should be counts as written by
    /// this program, and what is neither wanted nor there is forgotten.
    pub record: Record,
}

/// Compares the host with its spec.
pub fn plan(spec: &HostSpec, observed: &Observed) -> Plan {
    let mut plan = Plan { changes: Vec::new(), record: observed.record.clone() };
    packages::packages(spec, observed, &mut plan);
    packages::npm(spec, observed, &mut plan);
    file::downloads(spec, observed, &mut plan);
    unpack::unpacked(spec, observed, &mut plan);
    file::files(spec, observed, &mut plan);
    file::reload(observed, &mut plan);
    file::no_longer_wanted(spec, observed, &mut plan);
    block::blocks(spec, observed, &mut plan);
    swap::swap(spec, observed, &mut plan);
    tree::trees(spec, observed, &mut plan);
    let ids: BTreeSet<&String> = plan.changes.iter().map(|change| &change.id).collect();
    plan.record.unfinished.retain(|id, _| ids.contains(id));
    plan.changes.sort_by_key(|change| change.scope.kind); // stable: by name within a kind
    plan
}

impl Plan {
    /// Puts on record what is as it should be.
    fn adopt(&mut self, id: String, what: &str) {
        self.record.made.insert(id, what.to_owned());
    }
}

/// Why something is missing: it was removed, or it is new.
fn missing(observed: &Observed, id: &str) -> Cause {
    if observed.record.made.contains_key(id) { Cause::Drift } else { Cause::Intent }
}
