//! Arguments of `provision backup`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// Make the configured repositories that do not exist yet
    ///
    /// A repository is never made by another command: a disk that is not mounted is an error there.
    Init(RepositoryArgs),
    /// Back up the homes to each configured repository
    ///
    /// The homes of the applied roster's users, one after the other; then removes what the policy does
    /// not keep. What fails for one home or one repository is reported, the rest is done, and the
    /// command exits 1. Safe to run repeatedly.
    Run {
        #[command(flatten)]
        repository: RepositoryArgs,
        /// Only this user; may be repeated
        #[arg(long = "user", value_name = "NAME")]
        users: Vec<String>,
    },
    /// List the backups of homes
    List {
        #[command(flatten)]
        repository: RepositoryArgs,
        /// Only this user
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
    },
    /// Check the repositories and read a share of their data
    Verify(RepositoryArgs),
    /// Restore the home of one user
    ///
    /// Into a new directory first, which only root can enter; from there, complete, to its place. Never
    /// over a home that holds anything: with `--to` it is restored beside it.
    Restore {
        /// The OS user
        #[arg(value_name = "NAME")]
        user: String,
        #[command(flatten)]
        repository: RepositoryArgs,
        /// The backup, by the beginning of its id [default: the newest]
        #[arg(long, value_name = "ID")]
        snapshot: Option<String>,
        /// A directory that does not exist yet, in one that only root can change
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
    /// Show when each home was last backed up, and each repository verified
    ///
    /// Exits 1 if a home's last good backup is older than `max_age_hours`, in any repository.
    Status {
        /// Write Prometheus metrics to this file
        #[arg(long, value_name = "FILE")]
        metrics: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Args)]
pub struct RepositoryArgs {
    /// Only this configured repository
    #[arg(long, value_name = "ADDRESS")]
    pub repository: Option<String>,
}
