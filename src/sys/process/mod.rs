//! Starting, limiting, watching and ending processes.

pub mod ask;
pub mod become_user;
pub mod detach;
pub mod ending;
pub mod exec;
pub mod limits;
pub mod orphans;
pub mod own_arguments;
pub mod parallel;
pub mod signal_all;
pub mod spawn;
pub mod tool;
mod user_environment;
pub mod watch;
