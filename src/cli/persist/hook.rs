//! `hook`, as an agent runs it: whatever happens, it returns within its deadline, prints nothing and
//! exits 0. What takes longer is done by a process in the background.

use super::args::{Cli, Command, HookArgs};
use crate::cli::config_file;
use crate::persist::{HookCaller, Request};
use crate::supervisor::run;
use crate::supervisor::targets::Target;
use crate::supervisor::task::Task;
use crate::sys::process::detach;
use clap::Parser;
use std::ffi::OsString;
use std::time::{Duration, Instant};

/// How long an agent waits at most; it takes some milliseconds.
const DEADLINE: Duration = Duration::from_millis(45);
/// How long reading its input may take, once it no longer waits.
const READING: Duration = Duration::from_secs(10);
/// Maximum size of the input, in bytes.
const MAX_INPUT: usize = 4 << 20;

/// Whether these arguments are an agent's: then not even invalid ones are reported, because agents
/// give exit codes of hooks a meaning.
pub(crate) fn is_call(args: &[OsString]) -> bool {
    const OTHERS: [&str; 6] = ["--install", "--uninstall", "--help", "-h", "--version", "-V"];
    args.get(1).is_some_and(|word| word == "hook")
        && !args.iter().any(|word| OTHERS.iter().any(|other| word == other))
}

/// Lets the agent go on: it waits only until its process is identified and for a fork. The input is
/// read afterwards, because a busy agent may be slow to write it.
pub(crate) fn handle_event(args: Vec<OsString>) {
    detach::exit_quietly_on_panic();
    detach::exit_after(DEADLINE);
    let Some(caller) = HookCaller::inspect() else { return };
    if !detach::detach().unwrap_or(false) {
        return;
    }
    detach::exit_after(2 * READING);
    let Ok(Cli { common, command: Command::Hook(HookArgs { agent, .. }) }) =
        Cli::try_parse_from(args)
    else {
        return;
    };
    let input = detach::read_stdin(MAX_INPUT, Instant::now() + READING);
    let call = input.and_then(|input| caller.with_event(&input, agent.as_deref()));
    let (Some(call), Ok(config)) = (call, config_file::load(&common.overrides())) else { return };
    detach::exit_after(config.save_deadline + config.restore_deadline);
    let task = Task { target: Target::Caller, request: Request::HookEvent(call) };
    let _ = run::run(&config, &task);
}
