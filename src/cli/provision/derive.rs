//! `provision derive`.

use super::args::DeriveArgs;
use super::config::Config;
use super::output::Output;
use super::roster_input::{ports, valid_roster};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::warning;
use crate::roster::derive;

/// Prints what follows from a roster.
pub(super) fn derive(output: Output, args: &DeriveArgs, config: &Config) -> Result<Exit, Failure> {
    let file = valid_roster(&args.roster.roster, config)?;
    let roster = &file.document.roster;
    let t3 = ports(args.ports.as_deref())?;
    let playwright = ports(args.playwright_ports.as_deref())?;
    let derived = derive::derive(roster, &t3, &playwright, &config.ranges, &config.groups)
        .map_err(Failure::failed)?;
    output.json(&derived)?;
    if roster.users.is_empty() {
        warning(&format!("{}: an empty roster", file.name));
    }
    Ok(Exit::Done)
}
