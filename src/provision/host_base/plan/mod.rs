//! What must change so that the host is as its file says (pure).

mod file;
mod packages;
mod tree;

use super::observed::{Bytes, Observed};
use super::record::Record;
use super::wanted::{Download, Wanted};
use crate::provision::plan::{Cause, Verb};
use crate::sys::fs::Attributes;
use serde::Serialize;
use std::collections::BTreeSet;

/// What kind of work a change is, in the order in which it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Debian packages.
    Packages,
    /// Tools from npm.
    Npm,
    /// Files by hash.
    Downloads,
    /// Of `/etc/profile.d` and `/etc/skel`.
    Files,
    /// Of `/etc/sudoers.d`.
    Sudoers,
    /// Files that only their owner reads.
    Secrets,
    /// Drop-ins of systemd's.
    Limits,
    /// Trees that others must not read.
    Tighten,
}

impl Kind {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Packages => "packages",
            Self::Npm => "tools from npm",
            Self::Downloads => "downloads",
            Self::Files => "files",
            Self::Sudoers => "sudoers",
            Self::Secrets => "secrets",
            Self::Limits => "limits",
            Self::Tighten => "trees",
        }
    }
}

/// What carrying a change out takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// apt-get.
    Package {
        /// Its name.
        name: String,
        /// The version that is wanted, if any one is.
        version: Option<String>,
    },
    /// npm.
    Npm {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    },
    /// A download.
    Fetch {
        /// What.
        download: Download,
        /// The hash of what is there.
        expected: Option<String>,
    },
    /// A file.
    Write {
        /// Where.
        path: String,
        /// All of it.
        content: Bytes,
        /// Owner and mode.
        attributes: Attributes,
        /// The hash of what is there.
        expected: Option<String>,
    },
    /// Owner and mode of a file.
    Attributes {
        /// Where.
        path: String,
        /// As they will be.
        attributes: Attributes,
    },
    /// systemctl daemon-reload.
    Reload,
    /// The mode of a directory.
    Close {
        /// Where.
        path: String,
        /// As it is.
        before: u32,
        /// As it will be.
        mode: u32,
    },
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its name.
    pub id: String,
    /// The kind of work.
    pub kind: Kind,
    /// What is done.
    pub verb: Verb,
    /// Why.
    pub cause: Cause,
    /// To what.
    pub what: String,
    /// How it is; content as hashes.
    pub before: Option<String>,
    /// How it will be.
    pub after: Option<String>,
    /// The reason, as a sentence; empty where the cause says all.
    pub why: String,
    /// The lines that a file will have, where they are no secret.
    pub lines: Vec<String>,
    /// Whether what is wanted is not known: nothing is changed, and an apply has failed.
    pub unknown: bool,
    /// How it is carried out; `None` when it is not.
    #[serde(skip)]
    pub action: Option<Action>,
}

impl Change {
    fn new(kind: Kind, id: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            kind,
            verb: Verb::Report,
            cause: Cause::Intent,
            what: what.into(),
            before: None,
            after: None,
            why: String::new(),
            lines: Vec::new(),
            unknown: false,
            action: None,
        }
    }

    fn from(self, before: impl Into<String>) -> Self {
        Self { before: Some(before.into()), ..self }
    }

    fn to(self, after: impl Into<String>) -> Self {
        Self { after: Some(after.into()), ..self }
    }

    fn done(self, verb: Verb, cause: Cause, action: Action) -> Self {
        Self { verb, cause, action: Some(action), ..self }
    }

    fn refused(self, cause: Cause, why: impl Into<String>) -> Self {
        Self { verb: Verb::Refuse, cause, why: why.into(), ..self }
    }

    fn reported(self, cause: Cause, why: impl Into<String>) -> Self {
        Self { verb: Verb::Report, cause, why: why.into(), ..self }
    }
}

/// The plan.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// In the order in which they are done.
    pub changes: Vec<Change>,
    /// What is on record when none of them is done: what is as it should be is ours from now on, and
    /// what is neither wanted nor there is forgotten.
    pub record: Record,
}

/// Plans.
pub fn plan(wanted: &Wanted, observed: &Observed) -> Plan {
    let mut plan = Plan { changes: Vec::new(), record: observed.record.clone() };
    packages::packages(wanted, observed, &mut plan);
    packages::npm(wanted, observed, &mut plan);
    file::downloads(wanted, observed, &mut plan);
    file::files(wanted, observed, &mut plan);
    file::reload(observed, &mut plan);
    file::no_longer_wanted(wanted, observed, &mut plan);
    tree::trees(wanted, observed, &mut plan);
    let ids: BTreeSet<&String> = plan.changes.iter().map(|change| &change.id).collect();
    plan.record.unfinished.retain(|id, _| ids.contains(id));
    plan.changes.sort_by_key(|change| change.kind); // stable: by name within a kind
    plan
}

impl Plan {
    /// Remembers something that is as it should be.
    fn adopt(&mut self, id: String, what: &str) {
        self.record.made.insert(id, what.to_owned());
    }
}

/// Why something is missing: it was there once, or it is new.
fn missing(observed: &Observed, id: &str) -> Cause {
    if observed.record.made.contains_key(id) { Cause::Drift } else { Cause::Intent }
}
