//! Arguments of the commands that units, launchers and agents run.

use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct EndedArgs {
    /// Its conversation [default: that of the caller's pane in the newest snapshot]
    #[arg(value_name = "UUID")]
    pub conversation: Option<String>,
    /// On purpose (closed) or not (lost)
    #[arg(long, value_name = "HOW", value_parser = ["closed", "lost"])]
    pub how: String,
    /// Name of the agent
    #[arg(long, value_name = "NAME", default_value = "claude")]
    pub agent: String,
    /// tmux session that it was in
    #[arg(long, value_name = "SESSION", default_value = "", hide_default_value = true)]
    pub session: OsString,
    /// Reason to record
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub reason: String,
}

#[derive(Debug, Args)]
pub struct BootArgs {
    /// Only make saves skip users whose sessions have not been restored yet, for
    /// tmux-persist-announce.service
    #[arg(long)]
    pub announce: bool,
    /// Only make each user's /tmp/tmux-UID before any other user can, for
    /// tmux-persist-sockets.service
    #[arg(long, conflicts_with = "announce")]
    pub sockets: bool,
    /// Only start tmux-persist-watch@UID.service for each user who was ever saved and has no watch,
    /// for tmux-persist-save.service
    #[arg(long, conflicts_with_all = ["announce", "sockets"])]
    pub watches: bool,
    /// Only exit with 1 if the account of this UID has expired, for tmux-persist-watch@UID.service
    #[arg(long, value_name = "UID", conflicts_with_all = ["announce", "sockets", "watches"])]
    pub may_watch: Option<u32>,
}

#[derive(Debug, Args)]
pub struct HookArgs {
    /// Name of the agent: claude, codex, copilot, gemini, opencode, pi or qwen, or of one that
    /// launcher.toml describes
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// Add the hook to the settings of the agent [default agent: claude]. Safe to run repeatedly
    #[arg(long, conflicts_with = "uninstall")]
    pub install: bool,
    /// Remove the hook; leave all other settings unchanged
    #[arg(long)]
    pub uninstall: bool,
    /// Change the caller's settings, or those of every user of this machine (root, claude only)
    #[arg(long, value_parser = ["user", "machine"], default_value = "user")]
    pub scope: String,
    /// Root directory of the machine's files
    #[arg(long, hide = true, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Exit with 6 instead of starting a tmux server, for tmux-persist-watch@UID.service
    #[arg(long)]
    pub by_unit: bool,
    /// Only do one step of the work, as the watch has its children do
    #[arg(long, hide = true, value_name = "STEP", value_parser = ["wait", "list", "comeback", "warn"], default_value = "wait")]
    pub step: String,
    /// Root directory of `proc` and `sys`
    #[arg(long, hide = true, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
}
