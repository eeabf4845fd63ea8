//! `persist hook`: what an agent waits for.

use crate::support::Sandbox;
use crate::table::Table;
use crate::world::finish;

const FLOOR: &str = "floor: sh runs /bin/true";
const HOOK: &str = "sh runs persist hook";

/// The goal of docs/benchmarks.md (ms), the shell included: agents call hooks through one.
const GOAL: f64 = 10.0;

/// Measures a call `runs` times. A script called `claude` calls, since only an agent is served.
pub(crate) fn measure(runs: usize) -> Table {
    let sandbox = Sandbox::new();
    let (script, input) = (sandbox.root().join("claude"), sandbox.root().join("input"));
    std::fs::write(&script, "input=$1; shift; \"$@\" <\"$input\"; :\n").unwrap();
    let id = "0d0a8f5e-0000-4000-8000-000000000001";
    let json = format!(r#"{{"session_id":"{id}","hook_event_name":"Stop"}}"#);
    std::fs::write(&input, json).unwrap();
    let hook = sandbox.persist_command(["hook", "--agent", "claude"]);
    let hook: Vec<_> = std::iter::once(hook.get_program()).chain(hook.get_args()).collect();
    let call = |words: &[&std::ffi::OsStr]| {
        finish(sandbox.command("/bin/sh").arg(&script).arg(&input).args(words));
    };
    let mut table = Table::new("an agent calls its hook".to_owned());
    for _ in 0..runs {
        table.time(FLOOR, || call(&["/bin/true".as_ref()]));
        table.time(HOOK, || call(&hook));
    }
    table.goal("hook", table.median(HOOK), GOAL);
    table
}
