//! Files that the command line names.

use super::output::shown;
use crate::cli::exit::Failure;
use crate::provision::observe::host_accounts;
use crate::roster::ports::{self, Ledger};
use crate::roster::{self, Document, Problem, Roster};
use crate::sys::{FileError, fs};
use std::path::Path;

/// No ledger, list of members or list of users is larger (bytes).
pub(super) const MAX_JSON: u64 = 16 << 20;
/// More problems than this help nobody.
const MOST_PROBLEMS: usize = 50;

/// A roster as it was read.
pub(super) struct Loaded {
    /// The file, as it is printed.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// What it says, or what is wrong with it.
    pub(super) document: Result<Document, Vec<Problem>>,
}

/// Reads a roster and checks it against the accounts of this host.
pub(super) fn load(path: &Path) -> Result<Loaded, Failure> {
    let mut loaded = load_text(path)?;
    if let Ok(document) = &loaded.document {
        let names = document.roster.users.keys().map(String::as_str);
        let problems = roster::validate(
            document,
            &host_accounts::facts(names).map_err(|error| Failure::failed(error.to_string()))?,
        );
        if !problems.is_empty() {
            loaded.document = Err(problems);
        }
    }
    Ok(loaded)
}

/// Reads a roster without asking this host about accounts.
pub(super) fn text(path: &Path) -> Result<(Loaded, Document), Failure> {
    parsed(load_text(path)?)
}

fn load_text(path: &Path) -> Result<Loaded, Failure> {
    // One byte more than a roster may have: too large is one of its problems.
    let bytes = fs::read(path, roster::MAX_SIZE + 1)
        .map_err(|error| Failure::failed(no_roster(path, &error)))?;
    Ok(Loaded { name: shown(path), document: roster::parse(&bytes), bytes })
}

/// Why there is no roster to read; where it is simply absent, what to do.
pub(super) fn no_roster(path: &Path, error: &FileError) -> String {
    let hint =
        "hint: begin it with the line 'users:' (docs/onboarding.md), or name it with --roster";
    if error.is_not_found() {
        format!("there is no roster {}; {hint}", shown(path))
    } else {
        format!("reading the roster: {error}")
    }
}

/// Reads a roster that must be sound.
pub(super) fn sound(path: &Path) -> Result<(Loaded, Document), Failure> {
    parsed(load(path)?)
}

fn parsed(mut loaded: Loaded) -> Result<(Loaded, Document), Failure> {
    let document = std::mem::replace(&mut loaded.document, Ok(Document::default()));
    match document {
        Ok(document) => Ok((loaded, document)),
        Err(problems) => Err(Failure::failed(messages(&loaded.name, &problems))),
    }
}

/// Reads a roster of the past: its accounts may be gone, and other ones have their names.
pub(super) fn past(path: &Path) -> Result<Roster, Failure> {
    let loaded = load_text(path)?;
    let broken = |problems: Vec<Problem>| Failure::failed(messages(&loaded.name, &problems));
    Ok(loaded.document.map_err(broken)?.roster)
}

/// Problems, a line each.
pub(super) fn messages(file: &str, problems: &[Problem]) -> String {
    let mut lines: Vec<String> =
        problems.iter().take(MOST_PROBLEMS).map(|problem| problem.in_file(file)).collect();
    if problems.len() > MOST_PROBLEMS {
        lines.push(format!("{file}: and more"));
    }
    lines.join("\n")
}

/// Reads ports that were given before; none without a file.
pub(super) fn ledger(path: Option<&Path>) -> Result<Ledger, Failure> {
    let Some(path) = path else { return Ok(Ledger::new()) };
    let bytes = fs::read(path, MAX_JSON).map_err(|error| Failure::failed(error.to_string()))?;
    ports::read(&bytes).map_err(|error| Failure::failed(format!("{}: {error}", shown(path))))
}
