//! Files that the command line names: rosters, ports, lists of members and users.

use super::config::Config;
use crate::cli::exit::Failure;
use crate::cli::output::{note, warning};
use crate::provision::observe::roster_file::{RosterFile, RosterFileError, ValidRoster};
use crate::provision::paths::APPLIED;
pub(super) use crate::provision::paths::ROSTER;
use crate::provision::settings::roster_repository::RosterRepository;
use crate::provision::sources::origin::RosterSource;
use crate::provision::sources::roster_repository::{self, RepositoryError};
use crate::provision::state::written::Written;
use crate::roster::ports::{self, Ledger};
use crate::sys::accounts;
use crate::sys::fs::{self, trusted_path};
use crate::text::shown;
use std::path::Path;

/// Maximum size of a file of ports, of members or of the cluster's users, in bytes.
pub(super) const MAX_JSON: u64 = 16 << 20;

/// The roster that the command line names, or the host's own, checked against the accounts of this host.
pub(super) fn checked_roster(path: &Path, config: &Config) -> Result<RosterFile, Failure> {
    let (file, _) = match repository(path, true, config) {
        Some(_) => current_roster(path, true, config)?,
        None => current_roster(path, false, config)?,
    };
    Ok(file.checked()?)
}

/// As [`checked_roster`], without problems.
pub(super) fn valid_roster(path: &Path, config: &Config) -> Result<ValidRoster, Failure> {
    Ok(checked_roster(path, config)?.valid()?)
}

/// As [`valid_roster`], of a roster that decides who is added and cut: for root, it must be root's own, or of
/// a commit, which is given then.
pub(super) fn deciding_roster(
    path: &Path,
    config: &Config,
) -> Result<(ValidRoster, Option<String>), Failure> {
    let (file, source) = current_roster(path, true, config)?;
    let commit = source.and_then(|source| source.commit);
    Ok((file.checked()?.valid()?, commit))
}

/// The repository that the roster is read from, if one is configured: for this host, and if the command line
/// names no other roster.
pub(super) fn repository<'a>(
    path: &Path,
    is_this_host: bool,
    config: &'a Config,
) -> Option<&'a RosterRepository> {
    config.roster_repository.as_ref().filter(|_| is_this_host && path == Path::new(ROSTER))
}

/// The roster that a plan follows from: of the newest commit of its repository, or of the file at `path`. The
/// source is known if it is a commit's.
pub(super) fn current_roster(
    path: &Path,
    is_this_host: bool,
    config: &Config,
) -> Result<(RosterFile, Option<RosterSource>), Failure> {
    let ignored = &config.ignored_fields;
    let Some(from) = repository(path, is_this_host, config) else {
        let read = if is_this_host { RosterFile::read_trusted } else { RosterFile::read };
        return Ok((read(path, ignored)?, None));
    };
    if !accounts::is_root() {
        note("the roster is read from its file: only root fetches its repository");
        return Ok((RosterFile::read_trusted(path, ignored)?, None));
    }
    let read = roster_repository::read(from, last_commit()?.as_deref(), &mut |error| {
        warning(&format!("{error}; the roster is that of the last fetch"));
    });
    let (bytes, source) = read?;
    Ok((RosterFile::of_commit(&from.file(), bytes, ignored)?, Some(source)))
}

/// The commit that was applied last.
fn last_commit() -> Result<Option<String>, Failure> {
    let path = format!("{APPLIED}/written.json");
    match trusted_path::read(Path::new(&path), MAX_JSON) {
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
        Ok(bytes) => match Written::read(&bytes) {
            Ok(written) => match written.roster_commit {
                Some(commit) if !roster_repository::is_id(&commit) => {
                    let found = shown(&commit);
                    let why = format!("{path}: roster_commit: expected a commit, found '{found}'");
                    Err(Failure::failed(why))
                }
                commit => Ok(commit),
            },
            Err(error) => Err(Failure::failed(format!("{path}: {error}"))),
        },
    }
}

impl From<RepositoryError> for Failure {
    fn from(error: RepositoryError) -> Self {
        let hint = error.hint().map(str::to_owned);
        let failure = match error {
            RepositoryError::File(error) => error.into(),
            error if error.is_refusal() => Self::refused(error),
            error => Self::failed(error),
        };
        failure.with_optional_hint(hint)
    }
}

impl From<RosterFileError> for Failure {
    fn from(error: RosterFileError) -> Self {
        if let RosterFileError::File(error) = error {
            return error.into();
        }
        Self::failed(&error).with_optional_hint(error.hint().map(str::to_owned))
    }
}

/// Existing ports; none without a file.
pub(super) fn ports(path: Option<&Path>) -> Result<Ledger, Failure> {
    let Some(path) = path else { return Ok(Ledger::new()) };
    let bytes = fs::read(path, MAX_JSON)?;
    ports::read(&bytes).map_err(|error| Failure::failed(format!("{}: {error}", shown(path))))
}
