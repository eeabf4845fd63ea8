//! `hook`, as an agent calls it: whatever happens, it is back within its deadline, has printed
//! nothing and ends well. What takes longer is done by a process that nobody waits for.

use super::args::{Cli, Command, Common};
use crate::cli::config_file;
use crate::cli::exit::Failure;
use crate::persist::{HookCaller, HookInstall, Request, Scope};
use crate::supervisor::targets::Target;
use crate::supervisor::worker::{self, Task};
use crate::sys::accounts;
use crate::sys::process::detach;
use clap::Parser;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long an agent waits for us at most; it takes some milliseconds.
const DEADLINE: Duration = Duration::from_millis(45);
/// How long its input may take, once it waits no more.
const READING: Duration = Duration::from_secs(10);
/// More input than this is not looked at (bytes).
const MAX_INPUT: usize = 4 << 20;

/// Whether these arguments are an agent's call: then not even a wrong one is complained about,
/// since some exit codes of a hook mean something to an agent.
pub(crate) fn is_call(args: &[OsString]) -> bool {
    const OTHERS: [&str; 6] = ["--install", "--uninstall", "--help", "-h", "--version", "-V"];
    args.get(1).is_some_and(|word| word == "hook")
        && !args.iter().any(|word| OTHERS.iter().any(|other| word == other))
}

/// Lets the agent go on: what it has to wait for is a look at who it is and a fork. The input is
/// read afterwards, since an agent that is busy may be slow to write it.
pub(crate) fn take_in(args: Vec<OsString>) {
    detach::end_well_when_broken();
    detach::exit_after(DEADLINE);
    let Some(witness) = HookCaller::inspect() else { return };
    if !detach::detach().unwrap_or(false) {
        return;
    }
    detach::exit_after(2 * READING);
    let Ok(Cli { common, command: Command::Hook { agent, .. } }) = Cli::try_parse_from(args) else {
        return;
    };
    let input = detach::read_stdin(MAX_INPUT, Instant::now() + READING);
    let call = input.and_then(|input| witness.with_event(&input, agent.as_deref()));
    let (Some(call), Ok(config)) = (call, config_file::load(&common.overrides())) else { return };
    detach::exit_after(config.save_deadline + config.restore_deadline);
    let task = Task { target: Target::Caller, request: Request::HookEvent(call) };
    let _ = worker::run(&config, &task);
}

/// `--install` and `--uninstall`.
pub(crate) fn wire(
    common: &Common,
    install: bool,
    scope: Scope,
    agent: Option<String>,
    root: Option<PathBuf>,
) -> Result<Request, Failure> {
    if scope == Scope::Machine && root.is_none() && !accounts::is_root() {
        return Err(Failure::refused("only root may change what every user's agents do"));
    }
    let absolute = |path: &PathBuf| {
        let path = std::path::absolute(path).map_err(|error| Failure::usage(error.to_string()))?;
        let not_utf8 = |_| Failure::usage("a path that is not UTF-8 cannot be in JSON");
        path.into_os_string().into_string().map_err(not_utf8)
    };
    let mut options = Vec::new();
    for (name, path) in [("--state-dir", &common.state_dir), ("--config", &common.config)] {
        if let Some(path) = path {
            options.extend([name.to_owned(), absolute(path)?]);
        }
    }
    if let Some(socket) = &common.socket {
        options.extend(["--socket".to_owned(), socket.clone()]);
    }
    let agent = agent.unwrap_or_else(|| "claude".to_owned());
    let root = root.unwrap_or_else(|| "/".into());
    Ok(Request::HookInstall(HookInstall { install, scope, agent, root, options }))
}

/// The values of `--scope`.
pub(crate) fn scope(word: &str) -> Scope {
    if word == "machine" { Scope::Machine } else { Scope::User }
}
