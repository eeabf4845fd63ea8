//! The system calls of a run, and the same run again with something happening at one of them.

use crate::support::lacks::lacks;
use crate::support::{Run, Sandbox, run};
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How often these are called depends on how fast the other side answers, so their last
/// ordinals are not reached in every run.
const OF_CHANCE: [&str; 3] = ["read", "write", "ppoll"];
/// So often such a point is tried before it counts as not reached.
pub(crate) const TRIES: usize = 4;

/// One system call of a run: the `ordinal`th of that name, counted from the program's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) call: String,
    pub(crate) ordinal: usize,
    /// As strace prints it, descriptors with their paths.
    pub(crate) line: String,
}

/// Whether strace works here; says so when it does not.
pub(crate) fn has_strace(test: &str) -> bool {
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    let works = traced.as_ref().is_ok_and(|output| output.status.success());
    if !works {
        lacks(test, "needs strace, and the right to trace processes");
    }
    works
}

/// `persist ARGS` on a state directory of its own, in the sandbox's world otherwise.
pub(crate) fn argv(sandbox: &Sandbox, args: &[&str], state: &Path) -> Vec<OsString> {
    let mut words = vec![OsString::from(env!("CARGO_BIN_EXE_persist"))];
    words.extend(args.iter().map(OsString::from));
    words.extend(["--state-dir".into(), state.into(), "--user-map".into()]);
    words.push(sandbox.root().join("no-user-map").into());
    words.extend(["--config".into(), sandbox.config().into()]);
    words
}

/// Runs `persist ARGS` on a state directory.
#[track_caller]
pub(crate) fn persist(sandbox: &Sandbox, args: &[&str], state: &Path) -> Run {
    run(sandbox.command("env").args(argv(sandbox, args, state)))
}

/// The system calls of `persist ARGS` from the first that names the state directory on: before
/// it the program has only loaded itself and read its configuration and its account, and a death
/// there is one that nobody can tell from not having been started.
#[track_caller]
pub(crate) fn points(sandbox: &Sandbox, args: &[&str], state: &Path) -> Vec<Point> {
    let trace = sandbox.root().join("trace");
    let mut command = sandbox.command("strace");
    command.args(["-y", "-s", "200", "-o"]).arg(&trace).args(argv(sandbox, args, state));
    run(&mut command).ok();
    traced_points(&trace, state)
}

/// The system calls of a trace from the first that names a directory on.
pub(crate) fn traced_points(trace: &Path, directory: &Path) -> Vec<Point> {
    let text = std::fs::read(trace).unwrap();
    let points = parse(&String::from_utf8_lossy(&text));
    let named = directory.to_str().unwrap();
    let first = points.iter().position(|p| p.call != "execve" && p.line.contains(named));
    points[first.expect("the run opens its state directory")..].to_vec()
}

fn parse(trace: &str) -> Vec<Point> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut points = Vec::new();
    for line in trace.lines() {
        let Some((call, _)) = line.split_once('(') else { continue };
        if !call.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            continue; // a signal's line, or the end's
        }
        let count = seen.entry(call).or_default();
        *count += 1;
        points.push(Point { call: call.to_owned(), ordinal: *count, line: line.to_owned() });
    }
    points
}

/// Runs `persist ARGS` with `what` (of strace's `inject=`) happening on entry to a point.
#[track_caller]
pub(crate) fn inject(
    sandbox: &Sandbox,
    args: &[&str],
    state: &Path,
    (point, what): (&Point, &str),
) -> Run {
    inject_traced(sandbox, args, state, (point, what), Path::new("/dev/null"))
}

/// As [`inject`], with the calls of that name, descriptors with their paths, written to `trace`.
#[track_caller]
pub(crate) fn inject_traced(
    sandbox: &Sandbox,
    args: &[&str],
    state: &Path,
    (point, what): (&Point, &str),
    trace: &Path,
) -> Run {
    let Point { call, ordinal, .. } = point;
    let mut command = sandbox.command("strace");
    command.args(["-qq", "-y", "-o"]).arg(trace).arg("-e");
    command
        .arg(format!("trace={call}"))
        .arg("-e")
        .arg(format!("inject={call}:{what}:when={ordinal}"));
    run(command.args(argv(sandbox, args, state)))
}

/// Kills `persist ARGS` with SIGKILL on entry to a point: the call is not carried out any more.
/// Gives whether it died of that; otherwise it ran to its good end, because this point is one of
/// those that not every run reaches.
#[track_caller]
pub(crate) fn kill_at(sandbox: &Sandbox, args: &[&str], state: &Path, point: &Point) -> bool {
    let run = inject(sandbox, args, state, (point, "signal=KILL"));
    let died = run.code == 128 + 9; // strace ends as its tracee did
    assert!(died || run.code == 0, "{point:?}: {}{}", run.out(), run.err());
    assert!(died || OF_CHANCE.contains(&point.call.as_str()), "was not killed at {point:?}");
    died
}

/// Tries `kill`, which says whether the process died at that point, at each point, several at
/// once. `what` names the run in the line that says how many points were tried.
pub(crate) fn at_each(what: &str, points: &[Point], kill: impl Fn(usize, &Point) -> bool + Sync) {
    let missed = AtomicUsize::new(0);
    in_parallel(points.len(), |at| {
        if !(0..TRIES).any(|_| kill(at, &points[at])) {
            missed.fetch_add(1, Ordering::Relaxed);
        }
    });
    let missed = missed.into_inner();
    let died = points.len() - missed;
    println!("{what}: killed at {died} system calls; {missed} were not reached again");
    assert!(missed * 20 <= points.len(), "{what}: {missed} of {} were missed", points.len());
}

/// Does `work` for each number below `count`, several at once: most of it is waiting.
pub(crate) fn in_parallel(count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get) * 2;
    std::thread::scope(|scope| {
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= count {
                    return;
                }
                work(at);
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

#[test]
fn ordinals_count_each_call_by_its_name() {
    let trace = "execve(\"/x\", [\"x\"], 0x1 /* 1 var */) = 0\nread(3</a>, \"(\", 1) = 1\n\
        --- SIGCHLD {si_signo=SIGCHLD} ---\nclose(3</a>) = 0\nread(0</b>, \"\", 1) = 0\n\
        exit_group(0) = ?\n+++ exited with 0 +++\n";
    let points = parse(trace);
    let seen: Vec<_> = points.iter().map(|p| (p.call.as_str(), p.ordinal)).collect();
    assert_eq!(seen, [("execve", 1), ("read", 1), ("close", 1), ("read", 2), ("exit_group", 1)]);
}
