//! Files that the command line names: rosters, ports, lists of members and users.

use crate::cli::exit::Failure;
use crate::provision::observe::roster_file::{RosterFile, RosterFileError, ValidRoster};
use crate::roster::ports::{self, Ledger};
use crate::sys::fs;
use crate::text::shown;
use std::path::Path;

/// Maximum size of a file of ports, of members or of the cluster's users, in bytes.
pub(super) const MAX_JSON: u64 = 16 << 20;

/// A roster that is valid on this host.
pub(super) fn valid_roster(path: &Path, ignored: &[String]) -> Result<ValidRoster, Failure> {
    Ok(RosterFile::read_checked(path, ignored)?.valid()?)
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
