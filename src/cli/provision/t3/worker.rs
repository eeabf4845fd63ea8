//! `provision t3 worker`: the process that root started as a user.

use crate::cli::exit::{Exit, Failure};
use crate::cli::output::print;
use crate::cli::provision::args::WorkerPart;
use crate::t3::enforce::{activity, put_back, trial};
use crate::t3::{backup, restore};
use crate::text::io_reason;
use std::io::Read;

/// Maximum size of a request, in bytes.
const MAX_REQUEST: u64 = 1 << 20;

/// Answers the request on standard input.
pub(super) fn worker(part: WorkerPart) -> Result<Exit, Failure> {
    let mut request = Vec::new();
    let read = std::io::stdin().take(MAX_REQUEST).read_to_end(&mut request);
    read.map_err(|error| Failure::usage(format!("worker: {}", io_reason(&error))))?;
    let invalid = |error: serde_json::Error| Failure::usage(format!("worker: {error}"));
    let answer = match part {
        WorkerPart::Activity => {
            let query = serde_json::from_slice(&request).map_err(invalid)?;
            serde_json::to_string(&activity::answer(&query))
        }
        WorkerPart::PutBack => {
            let request = serde_json::from_slice(&request).map_err(invalid)?;
            serde_json::to_string(&put_back::answer(&request))
        }
        // Not JSON: the file itself.
        WorkerPart::Seed => {
            let printed = trial::answer_seed(&request, &mut std::io::stdout().lock());
            return match printed {
                Ok(()) => Ok(Exit::Done),
                Err(error) => Err(Failure::failed(format!("worker: {}", io_reason(&error)))),
            };
        }
        WorkerPart::Backup => {
            let request = serde_json::from_slice(&request).map_err(invalid)?;
            serde_json::to_string(&backup::user::answer(&request))
        }
        WorkerPart::Restore => {
            let request = serde_json::from_slice(&request).map_err(invalid)?;
            serde_json::to_string(&restore::user::answer(&request))
        }
    };
    print(&answer.map_err(invalid)?)?;
    Ok(Exit::Done)
}
