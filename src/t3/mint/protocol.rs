//! What the gateway and the helper that mints credentials say to each other (pure): one line of JSON each way, then
//! the connection ends.

use serde::{Deserialize, Serialize};

/// Where the helper listens.
pub const SOCKET: &str = "/run/terminal-lobby/t3-mint.sock";
/// Maximum length of a line, in bytes.
pub const MAX_LINE: usize = 4096;

/// Asks for a credential for the instance of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The name of the account.
    pub user: String,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// A credential that works once, for some minutes.
    Credential(String),
    /// There is none.
    Refused {
        reason: Reason,
        /// A sentence for the journal.
        message: String,
    },
}

/// Why there is no credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The request is no request, or the caller may not ask.
    NotAllowed,
    /// The user is not in the table of instances.
    UnknownUser,
    /// The instance runs another version than the program that would mint: a newer one would migrate the database
    /// below the live server.
    OtherVersion,
    /// The instance does not answer.
    NotRunning,
    /// Another credential is being made for this user, and did not come in time.
    Busy,
    /// The program failed, or did not end in time.
    Failed,
}
