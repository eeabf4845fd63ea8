//! Arguments of `provision offboard`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum OffboardCommand {
    /// Plan the cut of users who are in one roster and missing from another
    ///
    /// Lists the steps for each user. Never plans the cut of an admin.
    Plan(OffboardPlanArgs),
    #[command(flatten)]
    Stage(StageCommand),
}

#[derive(Debug, Args)]
pub struct OffboardPlanArgs {
    /// The roster before
    #[arg(long, value_name = "FILE")]
    pub old: PathBuf,
    /// The roster now
    #[arg(long, value_name = "FILE")]
    pub new: PathBuf,
    /// Plan the archive and the removal of the account too
    #[arg(long)]
    pub destructive: bool,
    /// Only this user; may be repeated
    #[arg(long = "user", value_name = "NAME")]
    pub users: Vec<String>,
}

/// A stage of one user's offboarding.
#[derive(Debug, Subcommand)]
pub enum StageCommand {
    /// Cut a user off: no login works, and no process runs as the user
    ///
    /// Deletes nothing; `uncut` undoes all of it. Stops every process, locks the password and lets the
    /// account expire; saves the sessions a last time, in a few seconds; ends lingering, units, cron and at jobs, tokens of services, the
    /// membership of groups that give access or make root, and every process; closes the home; lists
    /// files with set-id bits, and what a person must still do. Does not wait for another run to take
    /// the access away. Safe to run repeatedly.
    Cut {
        /// The OS user; `-` reads the user and, on the lines below, the reason from standard input
        #[arg(value_name = "NAME")]
        user: String,
        /// Cut an admin, unless it is the last one of the applied roster
        #[arg(long)]
        admin: bool,
        /// The reason, for the record
        #[arg(long, value_name = "TEXT", default_value = "cut by hand")]
        why: String,
        #[command(flatten)]
        stage: StageArgs,
    },
    /// Undo a cut, finished or not
    ///
    /// Restores everything as it was before, but does not overwrite a file that exists again: it is
    /// reported.
    Uncut {
        /// The OS user
        #[arg(value_name = "NAME")]
        user: String,
        #[command(flatten)]
        stage: StageArgs,
    },
    /// Freeze the home of a user who is cut, archive it, and read the archive back
    ///
    /// Prints the digest that `remove` requires. Does not remove the home; `uncut` puts it back.
    Archive {
        /// The OS user
        #[arg(value_name = "NAME")]
        user: String,
        /// The directory for archives, which only root may be able to change
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        #[command(flatten)]
        stage: StageArgs,
    },
    /// Remove the account and the archived home; cannot be undone
    ///
    /// Refused until some days after the cut, and unless the archive still holds what the home holds.
    Remove {
        /// The OS user
        #[arg(value_name = "NAME")]
        user: String,
        /// The archive of the home
        #[arg(long, value_name = "FILE")]
        archive: PathBuf,
        /// The user, '@' and at least 12 digits of the digest that `archive` printed
        #[arg(long, value_name = "NAME@DIGEST")]
        confirm: String,
        #[command(flatten)]
        stage: StageArgs,
    },
}

#[derive(Debug, Clone, Copy, Args)]
pub struct StageArgs {
    /// Print what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How long to wait while another run holds the lock
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub wait: u64,
}
