//! The WebSocket by which a file is uploaded (pure): JSON, and the file itself as binary messages.

use serde::{Deserialize, Serialize};

/// Largest binary message, in bytes.
pub const MAX_PART: usize = 64 << 10;

/// What the page says. After `begin`, and once the lobby is `ready`, it sends the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FromPage {
    /// Begins an upload, or goes on with one whose connection broke: `upload` is a random id of it.
    Begin { session: String, upload: String, name: String, size: u64 },
    /// It is not wanted any more.
    Cancel,
}

/// What the lobby says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromLobby {
    /// The file is wanted from this byte on.
    Ready { from: u64 },
    /// So many bytes of it are written.
    Taken { bytes: u64 },
    /// All of it is there, under this path.
    Done { path: String },
    /// It is not uploaded: why. Trying again is of no use if it is `final`.
    Failed { why: String, r#final: bool },
}
