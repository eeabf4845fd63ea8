//! How a person has arranged their sessions, and the changes that a page asks for (pure).

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most sessions that are shown side by side.
pub const MAX_TILES: usize = 6;

/// What is arranged. Sessions are known by their birth ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Layout {
    /// Grows with each change.
    pub version: u64,
    /// Sessions that stay on top.
    pub pins: BTreeSet<String>,
    /// The own order: those that are not in it come after it.
    pub order: Vec<String>,
    /// Whether the list is in the own order, not in that of need.
    pub own_order: bool,
    /// Whether sessions of no own group are gathered by their directories.
    pub by_directory: bool,
    /// Own groups, in their order.
    pub groups: Vec<Group>,
    /// Which own group a session is in, by its id.
    pub members: BTreeMap<String, String>,
    /// Names of groups of which only the title is shown: `own:ID`, `dir:DIRECTORY`, `pinned` or `rest`.
    pub collapsed: BTreeSet<String>,
    pub tiles: Tiles,
}

/// A group of a person's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// 8 hexadecimal digits that the page made at random.
    pub id: String,
    pub name: String,
}

/// Sessions side by side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tiles {
    pub sessions: Vec<String>,
    pub arrangement: Arrangement,
    /// The share of each column; equal ones without.
    pub columns: Vec<u16>,
    /// The share of each row; equal ones without.
    pub rows: Vec<u16>,
}

/// How tiles are placed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrangement {
    #[default]
    Columns,
    Rows,
    Grid,
}

/// One small change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    Pin {
        session: String,
        is: bool,
    },
    /// Puts a session below others, of which those come first that have no place in the own order yet, as they are
    /// shown; it comes directly below the last one. Without any, it comes first.
    Move {
        session: String,
        below: Vec<String>,
    },
    OwnOrder {
        is: bool,
    },
    ByDirectory {
        is: bool,
    },
    AddGroup {
        group: String,
        name: String,
        /// What is in it from the beginning.
        #[serde(default)]
        session: Option<String>,
    },
    RenameGroup {
        group: String,
        name: String,
    },
    /// Its sessions stay, without it.
    RemoveGroup {
        group: String,
    },
    /// Puts a group below another one, or first.
    MoveGroup {
        group: String,
        #[serde(default)]
        below: Option<String>,
    },
    /// Puts a session into a group, or into none.
    Assign {
        session: String,
        #[serde(default)]
        group: Option<String>,
    },
    Collapse {
        name: String,
        is: bool,
    },
    AddTile {
        session: String,
    },
    RemoveTile {
        session: String,
    },
    /// Puts a tile at a place, from 0 on.
    MoveTile {
        session: String,
        to: usize,
    },
    Arrange {
        to: Arrangement,
    },
    SizeTiles {
        columns: Vec<u16>,
        rows: Vec<u16>,
    },
}
