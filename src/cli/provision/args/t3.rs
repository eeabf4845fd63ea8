//! Arguments of `provision t3`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum T3Command {
    /// Back up the data of users' instances
    ///
    /// The database as it is at one moment, whatever the instance writes, the signing key, settings and attachments,
    /// to `/var/backups/t3/USER/ID`; then removes the backups that are no longer needed. All users of the table of
    /// instances, or those that are named. What fails for one user is reported, the rest is done, and the command
    /// exits 1. Must be run as root.
    Backup {
        /// The OS users [default: all who have an instance]
        #[arg(value_name = "USER")]
        users: Vec<String>,
        /// Count it as the one of the day
        #[arg(long)]
        daily: bool,
    },
    /// List the backups of users' instances, the newest first
    Backups {
        /// The OS users [default: all who have an instance]
        #[arg(value_name = "USER")]
        users: Vec<String>,
    },
    /// Have all instances run the wanted version
    ///
    /// The version that `[enforce]` of `/etc/terminal-lobby/t3.toml` names: `version` pins one, `track` follows a tag.
    /// Installs it beside the others, tries it on a copy of real data as instances are started, and then changes one
    /// idle instance after the other; busy ones are left for later. At the first failure the instance is rolled back,
    /// program and data, and versions are frozen (exit 1). Exits 3 if they are frozen, or the version must not follow
    /// the present one, and 4 if the wanted version cannot be determined. Must be run as root. Safe to run repeatedly.
    Enforce(EnforceArgs),
    /// Keep all versions as they are, until `provision t3 unfreeze`
    Freeze {
        /// The reason
        #[arg(long, value_name = "TEXT", default_value = "by hand")]
        why: String,
    },
    /// Let versions be changed again
    Unfreeze,
    /// Choose the version of an instance that is about to start
    #[command(hide = true)]
    Choose {
        /// The OS user
        #[arg(value_name = "USER")]
        user: String,
    },
    /// Put back the data of a user's instance from a backup
    ///
    /// Stops the instance, sets the present data aside as `~/.t3/userdata.before-STAMP`, puts the backup's in their
    /// place in one step, starts the instance if it ran, and waits until it answers. Cookies from before stay valid if
    /// the backup knows them. A restore that was interrupted is finished first; until then the instance does not
    /// start. Must be run as root.
    Restore {
        /// The OS user
        #[arg(value_name = "USER", required_unless_present = "resume")]
        user: Option<String>,
        /// The backup [default: the newest]
        #[arg(long, value_name = "ID", conflicts_with_all = ["undo", "resume"])]
        from: Option<String>,
        /// Put back the database alone
        #[arg(long, conflicts_with_all = ["undo", "resume"])]
        database: bool,
        /// Put back the data that were set aside last
        #[arg(long, conflicts_with = "resume")]
        undo: bool,
        /// Only finish what was interrupted, of this user or of all
        #[arg(long)]
        resume: bool,
    },
    /// Show how each instance is: its version, whether it answers, its last backup
    ///
    /// Exits 1 if an instance does not answer, its last good backup is older than `max_age_hours`, the last attempt
    /// failed, or a restore was interrupted. Must be run as root.
    Status {
        /// Write Prometheus metrics of the backups to this file
        #[arg(long, value_name = "FILE")]
        metrics: Option<PathBuf>,
    },
    /// Make a credential with which a browser is paired to a user's instance
    ///
    /// Works once, for five minutes. The user must be in the table of instances, the instance must run, on a port that
    /// is the user's, and in the version of the program that makes the credential: a newer one would migrate the
    /// database below the live server. Exits 3 if that is not so. Without a user, answers at the socket that the
    /// service manager passes (`t3-mint.socket`). Must be run as root.
    Mint {
        /// The OS user
        #[arg(value_name = "USER")]
        user: Option<String>,
    },
    /// Restart instances that no longer answer
    ///
    /// Asks each instance that is in the table whether it answers; one that did not for three runs in a row, and that
    /// was not started just now, is backed up and restarted, at most three times in half an hour. Exits 1 if an
    /// instance is given up. Must be run as root.
    Watchdog {
        /// Back up and restart this user's instance now
        #[arg(long, value_name = "USER")]
        restart: Option<String>,
    },
    /// Answer, as the caller, the request of root on standard input
    #[command(hide = true)]
    Worker {
        /// What the request is about
        part: WorkerPart,
    },
}

/// A part of the user's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WorkerPart {
    /// Whether the caller's instance is busy.
    Activity,
    /// Putting the database of a backup back.
    PutBack,
    /// The database of a backup.
    Seed,

    Backup,
    Restore,
}

#[derive(Debug, Args)]
pub struct EnforceArgs {
    /// Install the version aside and try it; change nothing
    #[arg(long, conflicts_with_all = ["drain", "resume"])]
    pub dry_run: bool,
    /// Only change instances that were busy before
    #[arg(long)]
    pub drain: bool,
    /// Only finish or undo what a killed run began
    #[arg(long, conflicts_with = "drain")]
    pub resume: bool,
    /// This version instead of the configured one
    #[arg(long, value_name = "VERSION", conflicts_with_all = ["drain", "resume"])]
    pub version: Option<String>,
    /// Write Prometheus metrics to this file
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
}
