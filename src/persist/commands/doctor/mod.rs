//! `doctor`, the user's part: what only a process of the user's can see. One file for each group
//! of checks; what is judged is gathered first, so that judging is pure.

mod agents;
mod hooks;
mod server;
mod state;

use super::status;
use crate::persist::context::Context;
use crate::persist::report::{DoctorReport, Report, StatusReport};
use std::path::Path;

/// Examines the user's own context; `root` is where the host's files are.
pub fn doctor(context: &Context, root: &Path) -> Report {
    let standing = match status::status(context) {
        Report::Status(standing) => *standing,
        _ => StatusReport::default(),
    };
    let found = agents::find(&context.account.home, std::env::var_os("PATH").as_deref());
    let mut checks = vec![state::directory(context)];
    checks.extend(state::records(context));
    checks.extend(state::snapshots(&standing));
    checks.push(agents::check(&found));
    if !found.is_empty() {
        checks.push(hooks::agents(root, &context.account.home));
    }
    checks.extend(server::checks(context, root, &standing));
    Report::Doctor(Box::new(DoctorReport { checks, standing, error: None }))
}
