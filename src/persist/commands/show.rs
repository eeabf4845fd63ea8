//! `show`: the plan of a restore, which is not executed.

use crate::persist::context::Context;
use crate::persist::report::{PlanReport, Report};
use crate::persist::restore;
use crate::persist::restore_mode::Mode;

/// Shows what a restore of `snapshot` would do now. Without `snapshot`, the newest valid one.
pub fn show(context: &Context, snapshot: Option<&str>, mode: Option<Mode>) -> Report {
    let mut report = PlanReport::default();
    report.error = restore::plan_only(context, snapshot, mode, &mut report).err().map(Into::into);
    Report::Plan(report)
}
