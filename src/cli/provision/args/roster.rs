//! Arguments of the commands on the roster, and of those that ask a server.

use crate::provision::paths::ROSTER;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum RosterCommand {
    /// Print the rows
    Show(CheckArgs),
    /// Report problems, with line and column
    ///
    /// Exits 1 if there are any. An empty roster is valid, but it is not applied.
    Check(CheckArgs),
}

#[derive(Debug, Clone, Args)]
pub struct RosterFile {
    /// The roster
    #[arg(long, value_name = "FILE", default_value = ROSTER)]
    pub roster: PathBuf,
}

#[derive(Debug, Args)]
pub struct DeriveArgs {
    #[command(flatten)]
    pub roster: RosterFile,
    /// The existing ports of terminals, as an earlier run printed them
    #[arg(long, value_name = "FILE")]
    pub ports: Option<PathBuf>,
    /// The existing ports of browser tools, as an earlier run printed them
    #[arg(long, value_name = "FILE")]
    pub playwright_ports: Option<PathBuf>,
}

/// The roster, and the cluster's users to compare it with.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub roster: RosterFile,
    /// The cluster's users with their tiers, as JSON
    #[arg(long, value_name = "FILE", conflicts_with = "vault_addr")]
    pub k8s_users: Option<PathBuf>,
    /// Read the cluster's users from this Vault
    #[arg(long, value_name = "URL", requires = "token_file")]
    pub vault_addr: Option<String>,
    /// Their path below /v1/, in a key-value store of version 2
    #[arg(long, value_name = "PATH", default_value = "secret/data/k8s-users")]
    pub vault_path: String,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// The token for the server, in a file of mode 0600
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// The certificate authorities of the server [default: those of the host]
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Maximum time for all answers together
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub deadline: u64,
}

#[derive(Debug, Args)]
pub struct MembershipArgs {
    #[command(flatten)]
    pub roster: RosterFile,
    /// The members, as JSON [default: those of the configured Authentik]
    #[arg(long, value_name = "FILE", conflicts_with = "authentik_url")]
    pub members: Option<PathBuf>,
    /// Read the members from this Authentik
    #[arg(long, value_name = "URL", requires_all = ["token_file", "group"])]
    pub authentik_url: Option<String>,
    /// The group in Authentik
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    #[command(flatten)]
    pub server: ServerArgs,
    /// Edit the roster: add and comment out rows, and keep every other byte
    #[arg(long)]
    pub apply: bool,
    /// Commit the edit in the roster's repository, as the owner of the clone
    ///
    /// The commit says who is added or cut, and why. Without --push it is kept in the branch
    /// provision-membership of the clone.
    #[arg(long, conflicts_with = "apply")]
    pub commit: bool,
    /// Push the commit, forward only; if the remote has moved on, fetch and retry once
    #[arg(long, requires = "commit")]
    pub push: bool,
    /// Text after the date in the comment above a row that is commented out, and in the commit
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Maximum share of users that may be cut at once [default: 20, or as configured]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_cut_percent: Option<u8>,
}
