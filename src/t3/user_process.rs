//! Root's side of a conversation with a process that became a user and answers one request: JSON each way.

use crate::sys::accounts::{self, Account, AccountError};
use crate::sys::process::become_user::Become;
use crate::sys::process::exec::{self, ExecError, Program};
use crate::sys::process::limits::NewPrivileges;
use crate::sys::process::orphans;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Maximum size of an answer, in bytes.
const MAX_ANSWER: usize = 1 << 20;
/// Maximum length of a message that is repeated, in characters.
const MAX_MESSAGE: usize = 500;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error("root has no instance")]
    Root,
    #[error("only the program provision starts users' processes")]
    OtherProgram,
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error("preparing the user's process: {}", crate::text::io_reason(.0))]
    Prepare(#[from] std::io::Error),
    #[error("the user's process {how}: {message}")]
    Ended { how: String, message: String },
    /// The reason may quote the answer, so it is clipped.
    #[error("the user's process returned an invalid answer: {0}")]
    Invalid(String),
    #[error("the user's process answered another request")]
    Unexpected,
    #[error("writing the request: {0}")]
    Request(serde_json::Error),
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
    if account.uid.is_root() {
        return Err(AskError::Root);
    }
    // Another program, started once more, would not serve the request: a test's would run its tests.
    let exe = std::env::current_exe().unwrap_or_default();
    if !exe.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"provision")) {
        return Err(AskError::OtherProgram);
    }
    let text = serde_json::to_vec(request).map_err(AskError::Request)?;
    let program = Program::ourselves().args(["t3", "worker", part]).input(&text)?;
    let uid = account.uid;
    orphans::adopt_orphans()?;
    let new_privileges = NewPrivileges::Deny;
    let ran = program
        .becoming(Become { account, umask: 0o077, new_privileges })
        .deadline(deadline)
        .max_output(MAX_ANSWER)
        .run();
    orphans::reap_orphans(uid);
    let output = ran?;
    if !output.status.success() {
        let message = clip(&String::from_utf8_lossy(output.stderr.trim_ascii()));
        return Err(AskError::Ended { how: exec::describe(output.status), message });
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| AskError::Invalid(clip(&error.to_string())))
}

fn clip(text: &str) -> String {
    text.chars().take(MAX_MESSAGE).collect()
}
