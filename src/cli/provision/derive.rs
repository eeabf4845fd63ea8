//! `provision derive`.

use super::args::DeriveArgs;
use super::config::Config;
use super::output::{Output, warn};
use super::read;
use crate::cli::exit::{Exit, Failure};
use crate::roster::derive;

/// Prints what follows from a roster.
pub(super) fn derive(output: Output, args: &DeriveArgs, config: &Config) -> Result<Exit, Failure> {
    let (loaded, document) = read::sound(&args.roster.roster)?;
    let ports = read::ledger(args.ports.as_deref())?;
    let playwright_ports = read::ledger(args.playwright_ports.as_deref())?;
    let derived =
        derive::derive(&document.roster, &ports, &playwright_ports, &config.ranges, &config.groups)
            .map_err(|error| Failure::failed(error.to_string()))?;
    output.json(&derived)?;
    if document.roster.users.is_empty() {
        warn(&format!("{}: an empty roster", loaded.name));
    }
    Ok(Exit::Done)
}
