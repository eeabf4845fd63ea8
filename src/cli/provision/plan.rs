//! `provision plan`.

use super::args::PlanArgs;
use super::config::Config;
use super::output::Output;
use super::plan_text;
use super::prepare::{self, Prepared};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::warning;
use crate::sys::fs::Existing;
use crate::sys::{Dir, FileError, clock};
use crate::text::shown;
use std::path::Path;

/// Shows what must change.
pub(super) fn plan(output: Output, args: &PlanArgs, config: Config) -> Result<Exit, Failure> {
    let prepared = prepare::prepare(output, &args.desired, &args.root, config, &|_| Ok(()))?;
    if let Some(out) = &args.out {
        save(out, &prepared)?;
    }
    output.result(&prepared.value(), || plan_text::render(&prepared.plan, args.explain))?;
    if prepared.roster.document.roster.users.is_empty() {
        warning(&format!("{}: an empty roster is not applied", prepared.roster.name));
    }
    Ok(if args.detailed_exitcode { prepared.detailed_exit() } else { Exit::Done })
}

/// Writes a plan to a file (0600) for `provision apply FILE`.
fn save(path: &Path, prepared: &Prepared) -> Result<(), Failure> {
    let no_name = || Failure::usage(format!("--out {}: not the name of a file", shown(path)));
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(no_name)?;
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    let text = serde_json::to_string_pretty(&prepared.saved(clock::now()))
        .map_err(|error| Failure::failed(format!("--out: {error}")))?;
    let write = || -> Result<(), FileError> {
        let dir = Dir::open(parent.unwrap_or(Path::new(".")))?;
        dir.write(name, (text + "\n").as_bytes(), Existing::Replaced)
    };
    write().map_err(|error| Failure::failed(format!("--out: {error}")))
}
