//! `provision worker`: the process that root started as a user.

use crate::cli::exit::{Exit, Failure};
use crate::cli::output::print;
use crate::provision::home;
use crate::text::io_reason;
use std::io::Read;

/// Maximum size of a request, in bytes.
const MAX_REQUEST: u64 = 4 << 20;

/// Performs the request on standard input, and prints the answer.
pub(super) fn worker() -> Result<Exit, Failure> {
    let mut request = Vec::new();
    let read = std::io::stdin().take(MAX_REQUEST).read_to_end(&mut request);
    read.map_err(|error| Failure::usage(format!("worker: {}", io_reason(&error))))?;
    let answer = home::serve(&request);
    print(&answer.map_err(|error| Failure::usage(format!("worker: {error}")))?)?;
    Ok(Exit::Done)
}
