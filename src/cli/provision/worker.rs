//! `provision worker`: the process that root started as a user.

use crate::cli::exit::{Exit, Failure};
use crate::cli::output::print;
use crate::provision::home;
use std::io::Read;

/// No request is larger (bytes).
const MAX_REQUEST: u64 = 4 << 20;

/// Does what standard input asks for, and prints the answer.
pub(super) fn worker() -> Result<Exit, Failure> {
    let mut request = Vec::new();
    let failed = |why: String| Failure::usage(format!("worker: {why}"));
    let read = std::io::stdin().take(MAX_REQUEST).read_to_end(&mut request);
    read.map_err(|error| failed(error.to_string()))?;
    print(&home::serve(&request).map_err(|error| failed(error.to_string()))?)?;
    Ok(Exit::Done)
}
