//! Why the host could not be observed: without the fact a plan would be a guess.

use crate::offboard;
use crate::provision::state::written::RecordError;
use crate::roster::Problem;
use crate::roster::ports::PortError;
use crate::sys::FileError;
use crate::sys::accounts::AccountError;

#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A record of this program's own is invalid.
    #[error("{path}: {source}")]
    Record { path: String, source: RecordError },
    #[error("{path}: {source}")]
    Ports { path: String, source: PortError },
    /// The applied roster is invalid: a line for each problem.
    #[error("{}", lines(path, problems))]
    AppliedRoster { path: String, problems: Vec<Problem> },
    /// The records of users who are cut cannot be read.
    #[error(transparent)]
    Cuts(#[from] offboard::error::RecordError),
}

fn lines(path: &str, problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(|problem| problem.in_file(path)).collect();
    lines.join("\n")
}
