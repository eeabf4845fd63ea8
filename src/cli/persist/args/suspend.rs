//! Arguments of the commands that suspend agents and resume them.

use crate::persist::restore_mode::Memory;
use crate::persist::suspend_request::parse_duration;
use clap::Args;
use std::ffi::OsString;
use std::time::Duration;

#[derive(Debug, Args)]
pub struct SuspendArgs {
    /// Sessions, panes (web:0.1), or agents by the beginning of their conversation ids
    #[arg(value_name = "SESSION|PANE|UUID", required_unless_present = "idle")]
    pub sessions: Vec<OsString>,
    /// Suspend all agents that have been idle for long, those idle for longest first
    ///
    /// Never one that is used, or whose session has @persist keep.
    #[arg(long, conflicts_with = "sessions")]
    pub idle: bool,
    /// How long an agent must have been idle (72h, 30m) [default: suspend.after of the configuration]
    #[arg(long, value_name = "TIME", requires = "idle", value_parser = duration)]
    pub older_than: Option<Duration>,
    /// Stop when this much memory is given back (2G)
    ///
    /// Without --older-than, agents that have been idle for `suspend.under_pressure` of the
    /// configuration are suspended.
    #[arg(long, value_name = "SIZE", requires = "idle", value_parser = size)]
    pub need: Option<u64>,
    /// Show what would be done and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Suspend agents that are used, too; text in their input lines is lost
    #[arg(long, conflicts_with = "idle")]
    pub force: bool,
    /// Only this terminal user; may be repeated
    #[arg(long = "user", value_name = "NAME")]
    pub users: Vec<String>,
}

#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Sessions, panes (web:0.1), or agents by the beginning of their conversation ids
    #[arg(value_name = "SESSION|PANE|UUID", required = true)]
    pub sessions: Vec<OsString>,
    /// Only this terminal user; may be repeated
    #[arg(long = "user", value_name = "NAME")]
    pub users: Vec<String>,
}

/// An invalid value of an option.
#[derive(Debug, thiserror::Error)]
enum InvalidValue {
    #[error("expected a time with its unit: 72h, 30m, 3d")]
    Duration,
    #[error("expected a size: 2G, 500M, or a number of bytes")]
    Size,
}

fn duration(text: &str) -> Result<Duration, InvalidValue> {
    parse_duration(text).ok_or(InvalidValue::Duration)
}

fn size(text: &str) -> Result<u64, InvalidValue> {
    match Memory::parse(text) {
        Some(Memory::Bytes(bytes)) => Ok(bytes),
        Some(Memory::Percent(_)) | None => Err(InvalidValue::Size),
    }
}
