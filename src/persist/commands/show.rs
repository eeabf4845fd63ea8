//! `show`: the plan of a restore, executed by nobody.

use crate::persist::context::Context;
use crate::persist::report::{PlanReport, Report};
use crate::persist::restore;
use crate::persist::restore::mode::Mode;

/// Shows what a restore of `snapshot` (the newest sound one when absent) would do now.
pub fn show(context: &Context, snapshot: Option<&str>, mode: Option<Mode>) -> Report {
    let mut planned = PlanReport::default();
    if let Err(problem) = restore::plan_only(context, snapshot, mode, &mut planned) {
        planned.error = Some(problem);
    }
    Report::Plan(planned)
}
