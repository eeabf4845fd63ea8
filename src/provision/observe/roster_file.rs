//! A roster file, as it is read and checked.

use super::host_accounts;
use crate::roster::{self, Document, Problem, Roster};
use crate::sys::FileError;
use crate::sys::accounts::AccountError;
use crate::sys::fs::{self, trusted_path};
use crate::text::shown;
use std::path::{Path, PathBuf};

/// One byte more than a roster may have: its size is one of its problems.
const MAX_FILE: u64 = roster::MAX_SIZE + 1;
/// Maximum number of problems that an error lists.
const MAX_PROBLEMS: usize = 50;

/// A roster file and what it contains.
#[derive(Debug)]
pub struct RosterFile {
    /// The path, printable.
    pub name: String,
    pub bytes: Vec<u8>,
    /// What it says, or its problems.
    pub document: Result<Document, Vec<Problem>>,
}

/// A valid roster file.
#[derive(Debug)]
pub struct ValidRoster {
    /// The path, printable.
    pub name: String,
    pub bytes: Vec<u8>,
    pub document: Document,
}

/// A roster file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RosterFileError {
    #[error("no roster {}", shown(.0))]
    Missing(PathBuf),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Accounts(#[from] AccountError),
    /// A line for each problem.
    #[error("{}", problem_lines(name, problems))]
    Invalid { name: String, problems: Vec<Problem> },
}

impl RosterFileError {
    /// An action that helps.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing(_) => Some(
                "begin one with the line 'users:' (docs/onboarding.md), or name another with --roster",
            ),
            _ => None,
        }
    }
}

impl RosterFile {
    /// Reads a roster, without comparing it with the accounts of this host. Fields with a name of
    /// `ignored` are passed over.
    pub fn read(path: &Path, ignored: &[String]) -> Result<Self, RosterFileError> {
        Self::of(path, fs::read(path, MAX_FILE), ignored)
    }

    /// As [`RosterFile::read`], of a roster that decides over accounts: for root, it must be root's own.
    pub fn read_trusted(path: &Path, ignored: &[String]) -> Result<Self, RosterFileError> {
        Self::of(path, trusted_path::read_as_caller(path, MAX_FILE), ignored)
    }

    /// A roster that is at `path` in a commit.
    pub fn of_commit(
        path: &str,
        bytes: Vec<u8>,
        ignored: &[String],
    ) -> Result<Self, RosterFileError> {
        Self::of(Path::new(path), Ok(bytes), ignored)
    }

    fn of(
        path: &Path,
        bytes: Result<Vec<u8>, FileError>,
        ignored: &[String],
    ) -> Result<Self, RosterFileError> {
        let bytes = bytes.map_err(|error| {
            if error.is_not_found() {
                RosterFileError::Missing(path.to_owned())
            } else {
                error.into()
            }
        })?;
        let document = roster::parse_ignoring(&bytes, ignored);
        Ok(Self { name: shown(path).to_string(), document, bytes })
    }

    /// Checks it against the accounts of this host.
    pub fn checked(self) -> Result<Self, RosterFileError> {
        let mut file = self;
        if let Ok(document) = &file.document {
            let names = document.roster.users.keys().map(String::as_str);
            let problems = roster::validate(document, &host_accounts::facts(names)?);
            if !problems.is_empty() {
                file.document = Err(problems);
            }
        }
        Ok(file)
    }

    /// The roster, if it has no problems.
    pub fn valid(self) -> Result<ValidRoster, RosterFileError> {
        let Self { name, bytes, document } = self;
        match document {
            Ok(document) => Ok(ValidRoster { name, bytes, document }),
            Err(problems) => Err(RosterFileError::Invalid { name, problems }),
        }
    }
}

/// Reads a roster of the past: some of its accounts may no longer exist, or have other users now.
pub fn read_past(path: &Path, ignored: &[String]) -> Result<Roster, RosterFileError> {
    Ok(RosterFile::read(path, ignored)?.valid()?.document.roster)
}

/// A line for each problem, `FILE:LINE:COLUMN: ...`.
pub fn problem_lines(file: &str, problems: &[Problem]) -> String {
    let mut lines: Vec<String> =
        problems.iter().take(MAX_PROBLEMS).map(|problem| problem.in_file(file)).collect();
    if problems.len() > MAX_PROBLEMS {
        lines.push(format!("{file}: {} more problems", problems.len() - MAX_PROBLEMS));
    }
    lines.join("\n")
}
