//! Arguments of the commands that save, restore and close sessions.

use clap::Args;
use std::ffi::OsString;

#[derive(Debug, Args)]
pub struct SaveArgs {
    /// Only this terminal user; may be repeated
    #[arg(long = "user", value_name = "NAME")]
    pub users: Vec<String>,
    /// Save every terminal user, as the timer does; without a user map, no users
    #[arg(long, conflicts_with = "users")]
    pub all_users: bool,
    /// Save the caller after a change, at most once a second
    ///
    /// Returns at once if another process is about to save, because that save includes the change.
    /// tmux's hooks, the agents' hooks and the launcher use it.
    #[arg(long, conflicts_with = "users")]
    pub coalesce: bool,
    /// Wait this many seconds first
    #[arg(long, value_name = "SECONDS", requires = "coalesce", value_parser = clap::value_parser!(u64).range(..=60))]
    pub after: Option<u64>,
}

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Only these sessions, or agents by the beginning of their conversation ids, even if they were
    /// closed on purpose
    #[arg(value_name = "SESSION|UUID")]
    pub sessions: Vec<OsString>,
    /// Only this terminal user; may be repeated
    #[arg(long = "user", value_name = "NAME")]
    pub users: Vec<String>,
    /// Snapshot id (see `persist list`) or path [default: newest valid snapshot]
    #[arg(long, value_name = "SNAPSHOT")]
    pub from: Option<String>,
    /// Show what would be done and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Which agents start by themselves; the others wait for Enter in their panes
    ///
    /// eager: all; lazy: none; auto: the most recently used first, until they would use half of the
    /// free memory, but none that waited when it was saved [default: restore.mode of the
    /// configuration]
    #[arg(long, value_name = "MODE", value_parser = ["eager", "lazy", "auto"])]
    pub mode: Option<String>,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Snapshot id (see `persist list`) or path [default: newest valid snapshot]
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: Option<String>,
    /// Which agents would start by themselves [default: restore.mode of the configuration]
    #[arg(long, value_name = "MODE", value_parser = ["eager", "lazy", "auto"])]
    pub mode: Option<String>,
    /// Only this terminal user
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
}

#[derive(Debug, Args)]
pub struct ForgetArgs {
    /// Sessions, or agents by the beginning of their conversation ids
    #[arg(value_name = "SESSION|UUID", required = true)]
    pub sessions: Vec<OsString>,
    /// End those sessions that are live
    #[arg(long)]
    pub kill: bool,
    /// Only this terminal user
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Reason to record
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub reason: String,
}
