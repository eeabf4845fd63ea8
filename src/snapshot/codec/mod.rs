//! The snapshot file, version 1 (pure): one row per pane, `-` for an absent field, and a trailer that
//! tells a whole file from a cut one. The format is released: see `docs/formats.md` before changing
//! anything here.

mod decode;
mod encode;

pub use decode::decode;
pub use encode::encode;

const TITLE: &[u8] = b"# tmux-persist snapshot";
const VERSION: &[u8] = b"1";

/// The columns, in the order they are written. The first three are fixed for good; the others
/// are found by name, and those of a later writer are skipped.
const COLUMNS: [&str; 32] = [
    "session",
    "cwd",
    "conversation",
    "agent",
    "state",
    "window",
    "window_name",
    "window_layout",
    "window_flags",
    "pane",
    "pane_flags",
    "title",
    "command",
    "evidence",
    "prompted",
    "group",
    "pane_id",
    "last_seen",
    "lost_since",
    "linked",
    "stack",
    "options",
    "environment",
    "program",
    "agent_environment",
    "parent",
    "agent_version",
    "origin",
    "session_path",
    "user_options",
    "agent_program",
    "plain_window_name",
];
/// The first of the columns that are left out with all that follow if no row needs them.
const FIRST_LATER: usize = 24;

/// Why a file is not a valid snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct Damage {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong in a line. Names of columns and versions are escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the file is empty")]
    Empty,
    #[error("the line is cut short")]
    CutShort,
    #[error("version {0}, which this program does not know")]
    Version(String),
    #[error("bad escape")]
    HeaderEscape,
    #[error("bad columns")]
    Columns,
    #[error("a row before the columns")]
    RowBeforeColumns,
    #[error("{found} fields instead of {expected}")]
    FieldCount { found: usize, expected: usize },
    #[error("bad escape in column {0}")]
    Escape(String),
    #[error("bad value in column {0}")]
    Value(String),
    #[error("the trailer counts another number of rows")]
    RowCount,
    #[error("something follows the trailer")]
    AfterTrailer,
    #[error("the trailer is missing")]
    NoTrailer,
    #[error("no rows")]
    NoRows,
}

#[cfg(test)]
mod tests;
