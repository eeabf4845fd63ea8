//! Commands about what is in homes.

mod backup;
mod backup_status;
mod browser_refresh;
mod codex_login;

pub(super) use backup::run as backup;
pub(super) use backup_status::write_metrics;
pub(super) use browser_refresh::refresh as browser_refresh;
pub(super) use codex_login::share as codex_login;
