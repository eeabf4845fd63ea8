//! `provision derive`.

use super::config::Config;
use super::output::{Output, warn};
use super::read;
use crate::cli::exit::{Exit, Failure};
use crate::roster::derive;
use std::path::Path;

/// Prints what follows from a roster.
pub(super) fn derive(
    output: Output,
    roster: &Path,
    (ports, playwright_ports): (Option<&Path>, Option<&Path>),
    config: &Config,
) -> Result<Exit, Failure> {
    let (loaded, document) = read::sound(roster)?;
    let (ports, playwright_ports) = (read::ledger(ports)?, read::ledger(playwright_ports)?);
    let derived =
        derive::derive(&document.roster, &ports, &playwright_ports, &config.ranges, &config.groups)
            .map_err(|error| Failure::failed(error.to_string()))?;
    output.json(&derived)?;
    if document.roster.users.is_empty() {
        warn(&format!("{}: an empty roster", loaded.name));
    }
    Ok(Exit::Done)
}
