//! Older units and processes of a user that may hold ports of users: query, facts (pure).

use crate::provision::settings::Settings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Maximum number of units, of processes and of problems in an answer.
pub const MAX_ENTRIES: usize = 32;
/// Maximum number of ports of one unit.
pub const MAX_PORTS: usize = 64;
/// Maximum length of a text in an answer, in characters.
pub const MAX_TEXT: usize = 200;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OldUnitsQuery {
    /// The lowest port that users may have.
    pub lowest: u16,
}

impl OldUnitsQuery {
    pub(super) fn new(settings: &Settings) -> Option<Self> {
        let lowest = settings.ranges.t3.start.min(settings.ranges.playwright.start);
        settings.name_old_units.then_some(Self { lowest })
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OldUnitsFacts {
    pub units: Vec<UnitFile>,
    pub listeners: Vec<Listener>,
    /// What could not be read.
    pub problems: Vec<String>,
}

/// A unit of the user's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitFile {
    /// Relative to the home.
    pub path: String,
    /// Numbers in its commands, environment and sockets that may be ports.
    pub ports: BTreeSet<u16>,
}

/// A process of the user's that listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    pub port: u16,
    pub pid: u32,
    /// The process's name.
    pub command: String,
    /// Its control group.
    pub group: String,
}

impl OldUnitsFacts {
    pub(super) fn restrict(&mut self) {
        let clip = |text: &mut String| *text = text.chars().take(MAX_TEXT).collect();
        self.units.truncate(MAX_ENTRIES);
        self.listeners.truncate(MAX_ENTRIES);
        self.problems.truncate(MAX_ENTRIES);
        for unit in &mut self.units {
            clip(&mut unit.path);
            unit.ports = unit.ports.iter().copied().take(MAX_PORTS).collect();
        }
        for listener in &mut self.listeners {
            clip(&mut listener.command);
            clip(&mut listener.group);
        }
        self.problems.iter_mut().for_each(clip);
    }
}
