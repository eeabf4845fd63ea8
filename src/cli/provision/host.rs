//! `provision host plan|apply`.

use super::args::HostPlanArgs;
use super::host_text;
use super::output::Output;
use super::root_run::{WAIT, open_state, require_root};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{error, print, progress};
use crate::provision::host_base::apply::{self, Outcomes};
use crate::provision::host_base::host_toml;
use crate::provision::host_base::plan::{self, Plan};
use crate::provision::host_base::spec::HostSpec;
use crate::provision::host_base::{HOST_FILE, observe};
use crate::provision::plan::{Tally, Verb};
use crate::provision::state::journal::Journal;
use crate::sys::clock;
use crate::sys::fs::trusted_path;
use crate::text::{escape, shown};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::path::Path;

/// Maximum size of the file, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// The result in `--json`.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum HostResult {
    Unchanged,
    Changes,
    Refused,
    Applied,
    Failed,
}

/// Shows what must change.
pub(super) fn plan(output: Output, args: &HostPlanArgs) -> Result<Exit, Failure> {
    let file = &args.file.file;
    // The default file of a host below a directory is there too.
    let below = args.root.join(HOST_FILE.trim_start_matches('/'));
    let file = if file == Path::new(HOST_FILE) { &below } else { file };
    let spec = read_spec(file)?;
    let plan = plan_host(&args.root, &spec)?;
    let tally = tally(&plan);
    let result = match (tally.refused, tally.changes()) {
        (1.., _) => HostResult::Refused,
        (_, 1..) => HostResult::Changes,
        _ => HostResult::Unchanged,
    };
    let value = json!({
        "file": shown(file).to_string(), "result": result, "changes": plan.changes, "tally": tally,
    });
    output.result(&value, || host_text::plan(&plan, args.explain))?;
    Ok(match result {
        HostResult::Refused if args.detailed_exitcode => Exit::Refused,
        HostResult::Changes if args.detailed_exitcode => Exit::Differs,
        _ => Exit::Done,
    })
}

/// Carries the plan out.
pub(super) fn apply(output: Output, file: &Path) -> Result<Exit, Failure> {
    require_root("provision host apply")
        .map_err(|failure| failure.with_hint("provision host plan"))?;
    let spec = read_spec(file)?;
    let state = open_state(WAIT)?;
    let run = format!("{}-{}", clock::stamp(clock::now()), std::process::id());
    let journal = Journal::new(state.dir(), &run, "host apply");
    let plan = plan_host(Path::new("/"), &spec)?;
    let (changes, tally) = (plan.changes.clone(), tally(&plan));
    if !output.json && !output.quiet {
        print(&host_text::plan(&plan, false))?;
    }
    let is_watched = std::io::stderr().is_terminal() && !output.quiet;
    let mut show_progress = |what: &str| {
        if is_watched {
            progress(&format!("… {what}"));
        }
    };
    let outcomes = apply::apply(plan, journal, &mut show_progress).map_err(Failure::failed)?;
    let mut failed = outcomes.values().filter(|outcome| outcome.is_err()).count();
    for change in &changes {
        if let Some(Err(why)) = outcomes.get(&change.id) {
            error(&format!("{}: {}", change.what, escape(why.to_string().as_bytes())));
        } else if change.scope.unknown {
            failed += 1;
            error(&format!("{}: {}", change.what, escape(change.why.as_bytes())));
        }
    }
    let done = outcomes.len() - outcomes.values().filter(|outcome| outcome.is_err()).count();
    let value = json!({
        "file": shown(file).to_string(),
        "result": match (failed, done) {
            (1.., _) => HostResult::Failed,
            (0, 1..) => HostResult::Applied,
            (0, 0) => HostResult::Unchanged,
        },
        "changes": changes.iter().map(|change| receipt(change, &outcomes)).collect::<Vec<_>>(),
        "tally": tally,
        "done": done,
        "failed": failed,
    });
    output.result(&value, || {
        format!("Applied: {done} done, {} refused, {failed} failed.\n", tally.refused)
    })?;
    Ok(if failed > 0 { Exit::Failed } else { Exit::Done })
}

fn receipt(change: &plan::Change, outcomes: &Outcomes) -> Value {
    let mut value = serde_json::to_value(change).unwrap_or_default();
    let (outcome, error) = match (outcomes.get(&change.id), change.verb) {
        (Some(Ok(())), _) => ("done", None),
        (Some(Err(why)), _) => ("failed", Some(why.to_string())),
        (None, _) if change.scope.unknown => ("failed", Some(change.why.clone())),
        (None, Verb::Refuse) => ("refused", None),
        (None, _) => ("reported", None),
    };
    value["outcome"] = outcome.into();
    value["error"] = error.into();
    value
}

fn tally(plan: &Plan) -> Tally {
    Tally::of(&plan.changes)
}

fn plan_host(root: &Path, spec: &HostSpec) -> Result<Plan, Failure> {
    let observed = observe::observe(root, spec)
        .map_err(|why| Failure::failed(format!("observing the host: {why}")))?;
    Ok(plan::plan(spec, &observed))
}

/// Reads the file; for root, only one that no other user could have changed.
fn read_spec(path: &Path) -> Result<HostSpec, Failure> {
    let bytes = trusted_path::read_as_caller(path, MAX_FILE).map_err(|error| {
        let example = "an example is /usr/share/doc/terminal-lobby/host.toml".to_owned();
        let missing = error.is_not_found();
        Failure::from(error).with_optional_hint(missing.then_some(example))
    })?;
    let name = shown(path);
    let text =
        String::from_utf8(bytes).map_err(|_| Failure::failed(format!("{name}: not UTF-8")))?;
    host_toml::read(&text)
        .map_err(|error| Failure::failed(format!("{name}:{}: {}", error.line, error.what)))
}
