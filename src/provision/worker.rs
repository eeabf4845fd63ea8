//! Root's side of the conversation with a user's process.

use super::home::{Answer, Request};
use crate::sys::become_user::Become;
use crate::sys::exec::{self, Program};
use crate::sys::limits::NewPrivileges;
use crate::sys::{Account, accounts};
use std::time::Duration;

/// No answer is larger (bytes).
const MAX_ANSWER: usize = 4 << 20;
/// No message of a user's process is longer where root repeats it (bytes).
const MAX_MESSAGE: usize = 2000;

/// Has a process that becomes `user` look or work in the home, and gives its answer. The request
/// goes over standard input: other processes of that user can read arguments and environments.
///
/// # Errors
/// Why there is no answer; nothing in it is longer than a message, and it is not escaped yet.
pub fn ask(user: &str, request: &Request) -> Result<Answer, String> {
    let account = accounts::by_name(user).map_err(|error| error.to_string())?;
    if account.uid.is_root() {
        return Err("root is not a person".to_owned());
    }
    ask_account(account, request)
}

fn ask_account(account: Account, request: &Request) -> Result<Answer, String> {
    let (deadline, umask) = match request {
        Request::Look(_) => (Duration::from_secs(20), 0o077),
        Request::Do(work) => (work.deadline(), work.umask()),
    };
    if !is_provision() {
        return Err("only provision starts users' processes".to_owned());
    }
    let text = serde_json::to_vec(request).map_err(|error| error.to_string())?;
    let program = Program::ourselves().args(["worker"]);
    let program = program.input(&text).map_err(|error| error.to_string())?;
    let new_privileges = NewPrivileges::Deny;
    let output = program
        .becoming(Become { account, umask, new_privileges })
        .deadline(deadline)
        .max_output(MAX_ANSWER)
        .run()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        let said = clipped(&String::from_utf8_lossy(output.stderr.trim_ascii()));
        return Err(format!("the user's process {}: {said}", exec::describe(output.status)));
    }
    let answer = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("the user's process answered nonsense: {error}"))?;
    Ok(match answer {
        Answer::Done(lines) => {
            Answer::Done(lines.iter().take(100).map(|line| clipped(line)).collect())
        }
        Answer::Failed(why) => Answer::Failed(clipped(&why)),
        seen @ Answer::Seen(_) => seen,
    })
}

/// Whether this program, started once more with `worker`, would do what is asked: a test's would run
/// its tests, and they this again.
fn is_provision() -> bool {
    let exe = std::env::current_exe().unwrap_or_default();
    exe.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"provision"))
}

/// The user's side: what standard input asks for, done; the answer as JSON.
///
/// # Errors
/// When the request is none.
pub fn serve(request: &[u8]) -> Result<String, String> {
    let request: Request = serde_json::from_slice(request).map_err(|error| error.to_string())?;
    serde_json::to_string(&super::home::answer(&request)).map_err(|error| error.to_string())
}

fn clipped(text: &str) -> String {
    text.chars().take(MAX_MESSAGE).collect()
}
