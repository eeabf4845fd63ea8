//! `provision plan`.

use super::args::PlanArgs;
use super::config::Config;
use super::output::{Output, warn};
use super::{plan_text, prepare};
use crate::cli::exit::{Exit, Failure};

/// Shows what must change.
pub(super) fn plan(output: Output, args: &PlanArgs, config: Config) -> Result<Exit, Failure> {
    let prepared = prepare::prepare(output, &args.want, &args.root, config)?;
    output.result(&prepared.value(), || plan_text::render(&prepared.plan, args.explain))?;
    if prepared.document.roster.users.is_empty() {
        warn(&format!("{}: an empty roster, from which nothing is applied", prepared.name));
    }
    Ok(if args.detailed_exitcode { prepared.detailed_exit() } else { Exit::Done })
}
