//! `provision host plan|apply`.

use super::apply::WAIT;
use super::args::HostPlanArgs;
use super::host_text;
use super::output::{Output, complain, shown};
use super::root_run::{open_state, require_root};
use crate::cli::exit::{Exit, Failure};
use crate::provision::host_base::apply::{self, Outcomes};
use crate::provision::host_base::host_toml;
use crate::provision::host_base::plan::{self, Plan};
use crate::provision::host_base::spec::HostSpec;
use crate::provision::host_base::{HOST_FILE, observe};
use crate::provision::plan::{Tally, Verb};
use crate::provision::state::journal::Journal;
use crate::sys::fs::{self, trusted_path};
use crate::sys::{accounts, clock};
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::path::Path;

/// No file is larger (bytes).
const MAX_FILE: u64 = 4 << 20;

/// Shows what must change.
pub(super) fn plan(output: Output, args: &HostPlanArgs) -> Result<Exit, Failure> {
    let file = &args.file.file;
    // A host that is a directory has its file below it.
    let below = args.root.join(HOST_FILE.trim_start_matches('/'));
    let file = if file == Path::new(HOST_FILE) { &below } else { file };
    let spec = read(file)?;
    let plan = look(&args.root, &spec)?;
    let tally = tally(&plan);
    let result = match (tally.refused, tally.changes()) {
        (1.., _) => "refused",
        (_, 1..) => "changes",
        _ => "unchanged",
    };
    let value = json!({
        "file": shown(file), "result": result, "changes": plan.changes, "tally": tally,
    });
    output.result(&value, || host_text::plan(&plan, args.explain))?;
    Ok(match result {
        "refused" if args.detailed_exitcode => Exit::Refused,
        "changes" if args.detailed_exitcode => Exit::Differs,
        _ => Exit::Done,
    })
}

/// Does it.
pub(super) fn apply(output: Output, file: &Path) -> Result<Exit, Failure> {
    require_root("provision host apply")
        .map_err(|failure| failure.with_hint("'provision host plan' shows what would be done"))?;
    let spec = read(file)?;
    let state = open_state(WAIT)?;
    let run = format!("{}-{}", clock::stamp(clock::now()), std::process::id());
    let journal = Journal::new(state.dir(), &run, "host apply");
    let plan = look(Path::new("/"), &spec)?;
    let (changes, tally) = (plan.changes.clone(), tally(&plan));
    if !output.json && !output.quiet {
        crate::cli::output::print(&host_text::plan(&plan, false))?;
    }
    let terminal = std::io::stderr().is_terminal() && !output.quiet;
    let mut progress = |what: &str| {
        if terminal {
            crate::cli::output::progress(&format!("… {}", shown(Path::new(what))));
        }
    };
    let outcomes = apply::apply(plan, journal, &mut progress).map_err(Failure::failed)?;
    let mut failed = outcomes.values().filter(|outcome| outcome.is_err()).count();
    for change in &changes {
        if let Some(Err(why)) = outcomes.get(&change.id) {
            complain(&format!("{}: {}", change.what, shown(Path::new(&why.to_string()))));
        } else if change.scope.unknown {
            failed += 1;
            complain(&format!("{}: {}", change.what, shown(Path::new(&change.why))));
        }
    }
    let done = outcomes.len() - outcomes.values().filter(|outcome| outcome.is_err()).count();
    let value = json!({
        "file": shown(file),
        "result": if failed > 0 { "failed" } else if done > 0 { "applied" } else { "unchanged" },
        "changes": changes.iter().map(|change| receipt(change, &outcomes)).collect::<Vec<_>>(),
        "tally": tally,
        "done": done,
        "failed": failed,
    });
    output.result(&value, || {
        format!("Done: {done}, refused: {}, failed: {failed}.\n", tally.refused)
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

fn look(root: &Path, spec: &HostSpec) -> Result<Plan, Failure> {
    let observed = observe::observe(root, spec)
        .map_err(|why| Failure::failed(format!("observing the host: {why}")))?;
    Ok(plan::plan(spec, &observed))
}

/// Reads the file; for root, only one that nobody else could have changed.
fn read(path: &Path) -> Result<HostSpec, Failure> {
    if accounts::is_root() && path.exists() {
        trusted_path::assert_roots_own(path)
            .map_err(|error| Failure::refused(error.to_string()))?;
    }
    let bytes = fs::read(path, MAX_FILE).map_err(|error| {
        let example = "hint: /usr/share/doc/terminal-lobby/host.toml is an example";
        let hint = if error.is_not_found() { format!("; {example}") } else { String::new() };
        Failure::failed(format!("{error}{hint}"))
    })?;
    let name = shown(path);
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::failed(format!("{name}: it is not UTF-8")))?;
    host_toml::read(&text)
        .map_err(|error| Failure::failed(format!("{name}:{}: {}", error.line, error.what)))
}
