//! Root's side of a conversation with a process that became a user and answers one request: JSON each way.

use crate::sys::accounts::{self, Account, AccountError};
use crate::sys::process::ask::{self, MAX_MESSAGE, clip};
use crate::sys::process::exec::ExecError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Process(#[from] ask::AskError),
    /// The reason may quote the answer, so it is clipped.
    #[error("the user's process returned an invalid answer: {0}")]
    Invalid(String),
    #[error("the user's process answered another request")]
    Unexpected,
}

impl AskError {
    /// Whether there was no answer in time.
    pub fn is_deadline(&self) -> bool {
        matches!(self, Self::Process(ask::AskError::Exec(ExecError::Deadline { .. })))
    }
}

/// Asks the account's process for `part` of this program (`provision t3 worker PART`). It has the user's rights
/// alone, a umask of 077 and no way to others; what it starts ends with it. A user is asked one thing at a time.
///
/// # Errors
/// If there is no such account, or no answer in time, or one that is not of its form.
pub fn ask<A: DeserializeOwned>(
    user: &str,
    part: &str,
    request: &impl Serialize,
    deadline: Duration,
) -> Result<A, AskError> {
    ask_as(accounts::by_name(user)?, part, request, deadline)
}

/// The same of an account, whose home may be another than the database of accounts says.
///
/// # Errors
/// As [`ask`].
pub fn ask_as<A: DeserializeOwned>(
    account: Account,
    part: &str,
    request: &impl Serialize,
    deadline: Duration,
) -> Result<A, AskError> {
    let answer = ask::ask(account, &["t3", "worker", part], request, 0o077, deadline)?;
    serde_json::from_slice(&answer)
        .map_err(|error| AskError::Invalid(clip(&error.to_string(), MAX_MESSAGE)))
}
