//! Arguments of the commands that change nothing.

use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Only this terminal user; may be repeated
    #[arg(long = "user", value_name = "NAME")]
    pub users: Vec<String>,
    /// Also write Prometheus metrics, for the node exporter's textfile collector
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
    /// Maximum age of the last good save [default: `status.max_age_minutes` of the configuration, 15]
    #[arg(long, value_name = "MINUTES")]
    pub max_age: Option<u32>,
}

#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Only this terminal user
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// List all of them, not only the last 50
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, Args)]
pub struct EventsArgs {
    /// Only this terminal user
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Those of this last time, as 30m, 12h or 2d [default: the last 50]
    #[arg(long, value_name = "TIME", value_parser = crate::text::time::span)]
    pub since: Option<std::time::Duration>,
    /// Only those of this session; may be repeated
    #[arg(long = "session", value_name = "NAME")]
    pub sessions: Vec<OsString>,
    /// Only those of this kind; may be repeated
    #[arg(long = "kind", value_name = "KIND", value_parser = crate::events::KINDS.map(crate::events::Kind::word))]
    pub kinds: Vec<String>,
    /// Print new events as they happen
    #[arg(short, long)]
    pub follow: bool,
}

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// First snapshot
    #[arg(value_name = "FROM", default_value = "latest")]
    pub from: String,
    /// Second snapshot
    #[arg(value_name = "TO", default_value = "live")]
    pub to: String,
    /// Only this terminal user
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Exit 0 for no differences, 1 for an error, 2 for differences
    #[arg(long)]
    pub detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Only this terminal user; may be repeated
    #[arg(long = "user", value_name = "NAME")]
    pub users: Vec<String>,
    /// Root directory of the host's files
    #[arg(long, value_name = "DIR", default_value = "/", hide = true)]
    pub root: PathBuf,
}

#[derive(Debug, Args)]
pub struct ConversationArgs {
    /// Id of the conversation
    #[arg(value_name = "UUID")]
    pub id: String,
    /// Its agent [default: the first that has the conversation]
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
}
