//! `provision worker`: what a user's process is asked for, over standard input, in a home of the
//! test's.

use crate::support::{Run, Sandbox, run};
use serde_json::Value;
use std::process::Command;

/// The command that has the sandbox's user do what `request` says.
pub(crate) fn worker(sandbox: &Sandbox, request: &Value) -> Command {
    let file = sandbox.root().join("request");
    std::fs::write(&file, request.to_string()).unwrap();
    let mut command = sandbox.command("sh");
    command.args(["-c", "exec \"$0\" worker <\"$1\"", env!("CARGO_BIN_EXE_provision")]).arg(file);
    command
}

/// Its answer.
#[track_caller]
pub(crate) fn ask(sandbox: &Sandbox, request: &Value) -> Value {
    ran(sandbox, request).json()
}

/// The same, with how long it took.
#[track_caller]
pub(crate) fn ran(sandbox: &Sandbox, request: &Value) -> Run {
    run(&mut worker(sandbox, request)).ok()
}
