//! Root's side of a conversation with a process of this program that became a user: a request over standard input, since
//! other processes of that user can read arguments and environments, and the answer over standard output.

use super::become_user::Become;
use super::exec::{self, ExecError, Program};
use super::limits::NewPrivileges;
use super::orphans;
use crate::sys::accounts::Account;
use crate::text::io_reason;
use serde::Serialize;
use std::time::Duration;

/// Maximum size of an answer, in bytes; an honest one has some kilobytes.
const MAX_ANSWER: usize = 1 << 20;
/// Maximum length of a process's message where root repeats it, in characters.
pub const MAX_MESSAGE: usize = 2000;

/// Why there is no answer. No sentence is longer than a message, and none is escaped yet.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("root has no process of a user's")]
    Root,
    #[error("only the program provision starts users' processes")]
    OtherProgram,
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error("preparing the user's process: {}", io_reason(.0))]
    Prepare(#[from] std::io::Error),
    #[error("writing the request: {0}")]
    Request(serde_json::Error),
    #[error("the user's process {how}: {message}")]
    Ended { how: String, message: String },
}

/// Has this program, started once more with `args` as the account, answer a request, given to it as JSON. It has the
/// user's rights alone, this umask and no way to others, and nothing that it starts outlives it: so a user must not be
/// asked two things at once. Gives what it printed, at most 1 MiB.
///
/// # Errors
/// If there is no answer within `deadline`, or the process fails.
pub fn ask(
    account: Account,
    args: &[&str],
    request: &impl Serialize,
    umask: u32,
    deadline: Duration,
) -> Result<Vec<u8>, AskError> {
    if account.uid.is_root() {
        return Err(AskError::Root);
    }
    if !is_provision() {
        return Err(AskError::OtherProgram);
    }
    let text = serde_json::to_vec(request).map_err(AskError::Request)?;
    let program = Program::ourselves().args(args).input(&text)?;
    let uid = account.uid;
    orphans::adopt_orphans()?;
    let new_privileges = NewPrivileges::Deny;
    let ran = program
        .becoming(Become { account, umask, new_privileges })
        .deadline(deadline)
        .max_output(MAX_ANSWER)
        .run();
    orphans::reap_orphans(uid);
    let output = ran?;
    if !output.status.success() {
        let message = clip(&String::from_utf8_lossy(output.stderr.trim_ascii()), MAX_MESSAGE);
        return Err(AskError::Ended { how: exec::describe(output.status), message });
    }
    Ok(output.stdout)
}

/// The first `max` characters.
pub fn clip(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

/// Whether this program, started once more, would serve the request: a test's would run its tests, and they this again.
fn is_provision() -> bool {
    let exe = std::env::current_exe().unwrap_or_default();
    exe.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"provision"))
}
