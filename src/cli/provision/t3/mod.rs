//! `provision t3`: one file per verb.

mod backup;
mod backups;
mod enforce;
mod freeze;
mod mint;
mod restore;
mod status;
mod users;
mod watchdog;
mod worker;

use super::args::T3Command;
use super::output::Output;
use crate::cli::exit::{Exit, Failure};

pub(super) fn run(output: Output, command: &T3Command) -> Result<Exit, Failure> {
    match command {
        T3Command::Backup { users, daily } => backup::backup(output, users, *daily),
        T3Command::Backups { users } => backups::backups(output, users),
        T3Command::Enforce(args) => enforce::enforce(output, args),
        T3Command::Choose { user } => enforce::choose(user),
        T3Command::Freeze { why } => freeze::freeze(output, why),
        T3Command::Unfreeze => freeze::unfreeze(output),
        T3Command::Restore { user, from, database, undo, resume } => {
            let asked = restore::Asked { from: from.as_deref(), database: *database, undo: *undo };
            restore::run(output, user.as_deref(), &asked, *resume)
        }
        T3Command::Status { metrics } => status::status(output, metrics.as_deref()),
        T3Command::Worker { part } => worker::worker(*part),
        T3Command::Mint { user } => mint::mint(output, user.as_deref()),
        T3Command::Watchdog { restart: None } => watchdog::watch(output),
        T3Command::Watchdog { restart: Some(user) } => watchdog::restart(output, user),
    }
}
