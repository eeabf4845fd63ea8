//! The arguments of `provision`: commands and options.

mod backup;
mod offboard;
mod roster;
mod t3;

pub use backup::{BackupCommand, RepositoryArgs};
pub use offboard::{OffboardCommand, OffboardPlanArgs, StageArgs, StageCommand};
pub use roster::{CheckArgs, DeriveArgs, MembershipArgs, RosterCommand, RosterFile, ServerArgs};
pub use t3::{EnforceArgs, T3Command, WorkerPart};

use crate::cli::common_args::CommonArgs;
use crate::provision::host_base::HOST_FILE;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Makes the accounts of a host agree with a roster.
///
/// The roster lists the users, with the policy for each; everything else follows from it.
#[derive(Debug, Parser)]
#[command(name = "provision", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(subcommand)]
    pub command: Command,
}

// A comment of `///` is a help text here: fields whose help clap takes from elsewhere have none.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show or check the roster
    #[command(subcommand)]
    Roster(RosterCommand),
    /// Print, as JSON, what follows from the roster
    ///
    /// Accounts with their groups and ports, the user map, the admins and the dispatch table. Existing
    /// ports are kept; new users get the lowest port never used before. Store the printed ports, and
    /// pass them to the next run.
    Derive(DeriveArgs),
    /// Compare the members of an identity provider's group with the roster's rows
    ///
    /// Reports new members, who get a row of the lowest tier, and users who left, whose rows are
    /// commented out. Never cuts an admin. Exits 4 if the members cannot be determined, and 3 if more
    /// users would be cut than may be cut at once; then nothing is changed. Exits 5 if members, or a
    /// commit that the remote rejects, are left to a person. If the roster is read from a repository,
    /// --commit edits it there. Safe to run repeatedly.
    Membership(MembershipArgs),
    /// Show what must change so that the host agrees with the roster
    ///
    /// Changes nothing. Lists changes by user, in the order of their dependencies, and cuts last. Each
    /// change has its cause: the roster changed (intent), the host changed (drift), or what had been
    /// written was edited by hand (edited), which is never overwritten.
    Plan(PlanArgs),
    /// Make the host agree with the roster
    ///
    /// Plans, and carries the plan out: users in the roster are only added to, and users who left it
    /// are cut, which can be undone. What fails for one user is reported, and the next run retries it;
    /// the other users are not affected. A plan of `provision plan --out` is refused (exit 3) if
    /// anything that it follows from has changed since. Safe to run repeatedly.
    Apply(ApplyArgs),
    /// Plan or set up what all users of the host need
    ///
    /// Packages, pinned tools and downloads, files, sudoers fragments, secrets, limits, and directories
    /// that others must not read, as listed in one file. Removes and upgrades nothing, and overwrites
    /// nothing that was edited by hand.
    #[command(subcommand)]
    Host(HostCommand),
    /// Back up the homes, verify the backups, restore a home
    ///
    /// With restic, to the repositories of the table `[provision.backup]` of the configuration. Must be
    /// run as root.
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Fetch the snapshot that the caller's browser tool begins with
    ///
    /// From `snapshot_url` of the configuration, with the token in `~/.config/playwright/token` (0600),
    /// within 30 seconds, to `~/.cache/playwright-shared-storage-state.json` (0600). An answer with
    /// another status than 200, or without cookies and origins, leaves the old one.
    BrowserRefresh,
    /// Let the group read the shared login of Codex again
    ///
    /// Codex writes a renewed login for its user alone. `provision-codex-login.path` starts this command
    /// then. Must be run as root. Safe to run repeatedly.
    CodexLogin,
    /// Perform, in the caller's home, the request of root on standard input
    #[command(hide = true)]
    Worker,
    /// Cut a user off, archive the home, remove the account; or undo a cut
    #[command(subcommand)]
    Offboard(OffboardCommand),
    /// Look after the instances of T3 Code: versions, credentials, restarts, backups
    #[command(subcommand)]
    T3(T3Command),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages
    #[command(hide = true)]
    Manual {
        /// The directory to write to
        directory: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum HostCommand {
    /// Show what must change, and why
    ///
    /// Changes nothing. Secrets are shown as hashes.
    Plan(HostPlanArgs),
    /// Carry out the plan; must be run as root
    ///
    /// What fails is reported, the rest is done, and the command exits 1. Safe to run repeatedly.
    Apply(HostFile),
}

#[derive(Debug, Args)]
pub struct HostFile {
    /// The file that lists what the host is to have
    #[arg(long, value_name = "FILE", default_value = HOST_FILE)]
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub struct HostPlanArgs {
    #[command(flatten)]
    pub file: HostFile,
    /// Print the reason of each change
    #[arg(long)]
    pub explain: bool,
    /// Exit 0 for no changes, 1 for an error, 2 for changes, 3 for refused ones
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Inspect the host whose files are below this directory
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
}

/// The state that the host is to have.
#[derive(Debug, Clone, Args)]
pub struct DesiredArgs {
    #[command(flatten)]
    pub check: CheckArgs,
    /// Only this user; may be repeated
    #[arg(long = "user", value_name = "NAME")]
    pub users: Vec<String>,
    /// The members, as JSON; if they cannot be determined, no users are cut
    #[arg(long, value_name = "FILE")]
    pub members: Option<PathBuf>,
    /// Maximum share of users that may be cut at once [default: 20, or as configured]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_cut_percent: Option<u8>,
}

#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    /// Carry out this plan of `provision plan --out`, or nothing
    #[arg(value_name = "PLAN", conflicts_with_all = ["roster", "users"])]
    pub plan: Option<PathBuf>,
    #[command(flatten)]
    pub desired: DesiredArgs,
    /// Apply a roster without users; it cuts no users
    #[arg(long)]
    pub allow_empty_roster: bool,
}

#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub desired: DesiredArgs,
    /// Print the reason of each change, and the changes that it depends on
    #[arg(long)]
    pub explain: bool,
    /// Exit 0 for no changes, 1 for an error, 2 for changes, 3 for refused ones, 4 if the members cannot be determined
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Write the plan to a file, for `provision apply FILE`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Inspect the host whose files are below this directory
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
}
