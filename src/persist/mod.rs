//! Saving and restoring one user's tmux sessions, always as that user.

pub mod capture;
pub mod capture_policy;
pub mod commands;
pub mod context;
pub mod deaths;
pub mod dispatch;
pub mod error;
pub mod own_dir;
mod own_program;
pub mod prompt;
pub mod report;
pub mod request;
pub mod restore;
pub mod restore_mode;
pub mod restore_pending;
pub mod save;
pub mod sessions;
mod stranded_server;
pub mod suspend;
pub mod suspend_request;
pub mod watch;
pub mod watch_task;

pub use crate::persist::commands::hook_event::HookCaller;
pub use crate::persist::commands::older_suite::{Forgotten, Manifest, OlderState, time_in_name};
pub use capture_policy::CapturePolicy;
pub use context::Context;
pub use report::{Report, SaveReport};
pub use request::{Ended, EventsRequest, HookCall, HookInstall, Job, Request, Scope};
pub use watch_task::{WatchSettings, WatchStep, WatchTask};
