//! The command line of `provision`.

use crate::provision::host_base::HOST_FILE;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Makes the accounts of a host agree with a roster.
///
/// The roster says who, with which policy; everything else follows from it.
#[derive(Debug, Parser)]
#[command(name = "provision", version, max_term_width = 100)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Common {
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", help_heading = "Common options")]
    pub config: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long, global = true, help_heading = "Common options")]
    pub json: bool,
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Common options"
    )]
    pub color: clap::ColorChoice,
    /// Print the steps on standard error; -vv prints what they depend on
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Common options")]
    pub verbose: u8,
    /// Print only warnings and errors
    #[arg(short, long, global = true, help_heading = "Common options")]
    pub quiet: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show or check the roster
    #[command(subcommand)]
    Roster(RosterCommand),
    /// Print, as JSON, what follows from the roster
    ///
    /// Accounts with their groups and ports, the user map, the admins and the dispatch table.
    /// Whoever has a port keeps it; new users get the lowest one that nobody has or had. Store the
    /// printed ports, and give them to the next run.
    Derive {
        /// The roster
        #[command(flatten)]
        roster: RosterFile,
        /// The ports of terminals that were given before, as printed then
        #[arg(long, value_name = "FILE")]
        ports: Option<PathBuf>,
        /// The ports of browser tools that were given before, as printed then
        #[arg(long, value_name = "FILE")]
        playwright_ports: Option<PathBuf>,
    },
    /// Compare the members of an identity provider's group with the roster's rows
    ///
    /// New members get a row of the lowest tier, the rows of those who left are commented out.
    /// Admins are never cut. Exits 4 when the members are not known for certain, and 3 when more
    /// users would be cut than may be at once; nothing is changed then.
    Membership(MembershipArgs),
    /// Show what must change so that the host agrees with the roster
    ///
    /// Changes nothing. By person, then in the order of dependencies; cuts stand apart. Each change
    /// has its cause: the roster changed (intent), the host moved (drift), or a person changed what
    /// had been written (edited), which is never overwritten.
    Plan(PlanArgs),
    /// Make the host agree with the roster
    ///
    /// Plans, and does it: additively for whoever is in the roster, reversibly for whoever left it.
    /// What fails for one user is reported and tried again by the next run; the others go on. A plan
    /// of `provision plan --out` is refused (exit 3) when anything it follows from has moved.
    Apply(ApplyArgs),
    /// Plan or set up the base that everybody on the host stands on
    ///
    /// Packages, pinned tools and downloads, files, sudoers fragments, secrets, limits, and trees that
    /// others must not read, as one file names them. Nothing is removed or upgraded, and nothing that a
    /// person changed is overwritten.
    #[command(subcommand)]
    Host(HostCommand),
    /// Do, for root, what standard input asks for in the caller's home
    #[command(hide = true)]
    Worker,
    /// Cut somebody off, archive the home, remove the account; and back
    #[command(subcommand)]
    Offboard(OffboardCommand),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages
    #[command(hide = true)]
    Manual {
        /// Where to
        directory: PathBuf,
    },
}

/// Commands on the roster itself.
#[derive(Debug, Subcommand)]
pub enum RosterCommand {
    /// Print the rows
    Show(CheckArgs),
    /// Say what is wrong with it, with line and column
    ///
    /// Exits 1 when anything is. An empty roster is sound, but nothing is applied from it.
    Check(CheckArgs),
}

/// Commands about the base of the host.
#[derive(Debug, Subcommand)]
pub enum HostCommand {
    /// Show what must change, and why
    ///
    /// Changes nothing. Secrets appear as hashes.
    Plan(HostPlanArgs),
    /// Do what the plan says; as root
    ///
    /// What fails is said, and the rest is done; exits 1 then. Done twice it writes nothing.
    Apply(HostFile),
}

/// Which file.
#[derive(Debug, Args)]
pub struct HostFile {
    /// The file that says what the host is to have
    #[arg(long, value_name = "FILE", default_value = HOST_FILE)]
    pub file: PathBuf,
}

/// What is planned, and how it is told.
#[derive(Debug, Args)]
pub struct HostPlanArgs {
    /// The file
    #[command(flatten)]
    pub file: HostFile,
    /// Give the reason of each change
    #[arg(long)]
    pub explain: bool,
    /// Exit 0 for no changes, 1 for an error, 2 for changes, 3 for refused ones
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Look at the host whose files are below this directory
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
}

/// Commands about those who left.
#[derive(Debug, Subcommand)]
pub enum OffboardCommand {
    /// Plan the cut of whoever is in one roster and no more in another
    ///
    /// Every step but the last can be undone. Admins are never cut by a difference.
    Plan {
        /// The roster as it was
        #[arg(long, value_name = "FILE")]
        old: PathBuf,
        /// The roster as it is
        #[arg(long, value_name = "FILE")]
        new: PathBuf,
        /// Plan the archive and the removal of the account, too
        #[arg(long)]
        destructive: bool,
        /// Only for this user; may be repeated
        #[arg(long = "user", value_name = "NAME")]
        users: Vec<String>,
    },
    /// Shut a person out: nobody gets in as the user, nothing runs as the user
    ///
    /// Deletes nothing; `uncut` undoes all of it. Saves the sessions a last time; locks the
    /// password and lets the account expire; ends lingering, units, cron and at jobs, tokens of
    /// services, groups that let in or make root, and every process. Run again, it does what is
    /// left of it.
    Cut {
        /// The OS user
        #[arg(value_name = "NAME")]
        user: String,
        /// The user may be an admin; never the last one of the applied roster
        #[arg(long)]
        admin: bool,
        /// What is put on record as the reason
        #[arg(long, value_name = "TEXT", default_value = "cut by hand")]
        why: String,
        /// How it is done
        #[command(flatten)]
        how: HowArgs,
    },
    /// Undo a cut, whole or half-done: everything as it was before
    ///
    /// What is at the place of a file that was moved away is not overwritten, but named.
    Uncut {
        /// The OS user
        #[arg(value_name = "NAME")]
        user: String,
        /// How it is done
        #[command(flatten)]
        how: HowArgs,
    },
    /// Freeze the home of a user who is cut, archive it, and read the archive back
    ///
    /// Prints the digest that `remove` asks for. The home is not removed; `uncut` puts it back.
    Archive {
        /// The OS user
        #[arg(value_name = "NAME")]
        user: String,
        /// Where archives are kept: a directory that only root can change
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// How it is done
        #[command(flatten)]
        how: HowArgs,
    },
    /// Remove the account and the archived home, for good
    ///
    /// Only some days after the cut, and after the archive was compared with the home once more.
    Remove {
        /// The OS user
        #[arg(value_name = "NAME")]
        user: String,
        /// The archive
        #[arg(long, value_name = "FILE")]
        archive: PathBuf,
        /// The user, @ and 12 digits or more of the digest that `archive` printed
        #[arg(long, value_name = "NAME@DIGEST")]
        confirm: String,
        /// How it is done
        #[command(flatten)]
        how: HowArgs,
    },
}

/// How a stage of leaving is done.
#[derive(Debug, Clone, Copy, Args)]
pub struct HowArgs {
    /// Say what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How long to wait for another run that holds the lock
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub wait: u64,
}

/// Which roster.
#[derive(Debug, Clone, Args)]
pub struct RosterFile {
    /// The roster
    #[arg(long, value_name = "FILE", default_value = "/etc/terminal-lobby/roster.yaml")]
    pub roster: PathBuf,
}

/// The roster, and what the cluster says of it.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// The roster
    #[command(flatten)]
    pub roster: RosterFile,
    /// The cluster's users with their tiers, as JSON
    #[arg(long, value_name = "FILE", conflicts_with = "vault_addr")]
    pub k8s_users: Option<PathBuf>,
    /// Ask this Vault for the cluster's users
    #[arg(long, value_name = "URL", requires = "token_file")]
    pub vault_addr: Option<String>,
    /// Where they are below /v1/, in a key-value store of version 2
    #[arg(long, value_name = "PATH", default_value = "secret/data/k8s-users")]
    pub vault_path: String,
    /// How the server is asked.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// How a server is asked.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// The token, in a file of mode 0600
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// The authorities that vouch for the server; the host's if none
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// How long all answers together may take
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub deadline: u64,
}

/// Whose members, and what to do.
#[derive(Debug, Args)]
pub struct MembershipArgs {
    /// The roster
    #[command(flatten)]
    pub roster: RosterFile,
    /// The members, as JSON
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "authentik_url",
        conflicts_with = "authentik_url"
    )]
    pub members: Option<PathBuf>,
    /// Ask this Authentik
    #[arg(long, value_name = "URL", requires_all = ["token_file", "group"])]
    pub authentik_url: Option<String>,
    /// Its group
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// How the server is asked.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Edit the roster: rows put in and commented out, every other byte as it was
    #[arg(long)]
    pub apply: bool,
    /// What the comment above a row that is commented out says after the date
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// The share of users that may be cut at once; 20 if the configuration says nothing
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_cut_percent: Option<u8>,
}

/// What is wanted of the host.
#[derive(Debug, Clone, Args)]
pub struct WantArgs {
    /// The roster, and what the cluster says of it
    #[command(flatten)]
    pub check: CheckArgs,
    /// Only for this user; may be repeated
    #[arg(long = "user", value_name = "NAME")]
    pub users: Vec<String>,
    /// The members, as JSON: while they are not known, nobody is cut
    #[arg(long, value_name = "FILE")]
    pub members: Option<PathBuf>,
    /// The share of users that may be cut at once; 20 if the configuration says nothing
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_cut_percent: Option<u8>,
}

/// What is done.
#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    /// A plan of `provision plan --out`: it, or nothing
    #[arg(value_name = "PLAN", conflicts_with_all = ["roster", "users"])]
    pub plan: Option<PathBuf>,
    /// What is wanted
    #[command(flatten)]
    pub want: WantArgs,
    /// Apply a roster without users, too; nobody is cut by it
    #[arg(long)]
    pub allow_empty_roster: bool,
}

/// What is planned, and how it is told.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// What is wanted
    #[command(flatten)]
    pub want: WantArgs,
    /// Give the reason of each change, and what comes before it
    #[arg(long)]
    pub explain: bool,
    /// Exit 0 for no changes, 1 for an error, 2 for changes, 3 for refused ones, 4 when the members are not known
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Put the plan into a file, for `provision apply FILE`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Look at the host whose files are below this directory
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
}
