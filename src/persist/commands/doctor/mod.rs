//! `doctor`, the user's part: the checks that only a process of the user can make. One file for each
//! group of checks, which first gathers facts and then judges them by a function without effects.

mod agents;
mod events;
mod hooks;
mod server;
mod state;
mod t3;

use super::status;
use crate::persist::context::Context;
use crate::persist::report::{DoctorReport, Report, StatusReport};
use std::path::Path;

/// Checks the user's part of the installation. `root` is the root of the host's file system.
pub fn doctor(context: &Context, root: &Path) -> Report {
    let standing = match status::status(context) {
        Report::Status(standing) => *standing,
        _ => StatusReport::default(),
    };
    let found = agents::find(&context.account.home, std::env::var_os("PATH").as_deref());
    let mut checks = vec![state::directory(context)];
    checks.extend(state::records(context));
    checks.extend(state::link(context, &standing));
    checks.extend(state::snapshots(&standing));
    checks.extend(events::checks(context));
    checks.extend(state::watch(&standing));
    checks.push(agents::check(&found));
    let has = |name: &str| found.iter().any(|program| program.ends_with(name));
    if has("claude") || has("codex") {
        checks.push(hooks::agents(root, &context.account.home));
    }
    if has("codex") {
        checks.push(hooks::codex_title(&context.account.home));
    }
    checks.extend(hooks::others(context, &found));
    checks.extend(t3::check(&context.account.home));
    checks.extend(server::checks(context, root, &standing));
    Report::Doctor(Box::new(DoctorReport { checks, standing, error: None }))
}
