//! The command line of `persist`: arguments, task, report, exit code.

pub mod args;
mod boot;
pub mod doctor;
mod events;
pub mod hook;
pub mod json;
pub mod metrics;
pub mod outcome;
pub mod status;
mod task;
pub mod text;
mod user_status;

use super::config_file;
use super::exit::{Exit, Failure};
use super::man;
use super::output::{self, print};
use crate::supervisor::run;
use crate::supervisor::targets::Target;
use crate::supervisor::task::{Task, TaskResult};
use crate::supervisor::worker;
use crate::sys::process::own_arguments;
use args::{BootArgs, Cli, Command, EventsArgs, HookArgs};
use clap::Parser;
use std::ffi::OsString;

/// Runs `persist` with these arguments.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    if hook::is_call(&args) {
        hook::handle_event(args);
        return Exit::Done;
    }
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            let detailed = args.iter().any(|arg| arg == "--detailed-exitcode");
            return match (error.use_stderr(), detailed) {
                (false, _) => Exit::Done,
                (true, false) => Exit::Usage,
                (true, true) => Exit::Failed,
            };
        }
    };
    match dispatch(cli) {
        Ok(exit) => exit,
        Err(failure) => {
            output::failure(&failure);
            failure.exit
        }
    }
}

fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    let Cli { common, command } = cli;
    output::start(common.color, common.verbose);
    if command.names_sessions() {
        own_arguments::hide();
    }
    let load = || config_file::load(&common.overrides());
    match command {
        Command::Worker { job } => {
            print(&worker::run_job(&job)?)?;
            Ok(Exit::Done)
        }
        Command::Boot(BootArgs { sockets: true, .. }) => boot::make_socket_dirs(&load()?),
        Command::Boot(BootArgs { announce: true, .. }) => boot::announce_all(&load()?),
        Command::Boot(BootArgs { watches: true, .. }) => boot::start_watches(&load()?),
        Command::Boot(BootArgs { may_watch: Some(uid), .. }) => boot::may_watch(uid),
        Command::Boot(_) => boot::restore_all(&load()?, common.quiet),
        Command::Import => boot::import(&load()?, common.quiet),
        Command::Keeper => boot::keep(load),
        Command::Completions { shell } => man::completions::<Cli>("persist", shell),
        Command::Manual { directory } => man::manual::<Cli>(&directory),
        Command::Doctor(args) => doctor::run(&common, args),
        Command::Status(args) => status::run(&common, args),
        Command::Notify => events::notify(&common),
        Command::Hook(HookArgs { install: false, uninstall: false, .. }) => {
            let why = "'persist hook' reads an agent's event from standard input, and no option may come before 'hook'";
            Err(Failure::usage(why).with_hint("persist hook --install"))
        }
        command => {
            let detailed = command.wants_detailed_exit();
            let exit = run_task(&common, command, detailed);
            exit.map_err(|failure| failure.in_detail(detailed))
        }
    }
}

/// Runs a command for its users and reports on it.
fn run_task(common: &args::Common, command: Command, detailed: bool) -> Result<Exit, Failure> {
    let follows = matches!(command, Command::Events(EventsArgs { follow: true, .. }));
    let config = config_file::load(&common.overrides())?;
    let Some(task) = task::task(command, common)? else { return Ok(Exit::Done) };
    if follows {
        return events::follow(common, task);
    }
    let done = run::run(&config, &task)?;
    report(common, &task, &done)?;
    let exit = outcome::of(&done);
    Ok(if detailed { outcome::detailed(exit, &done.reports) } else { exit })
}

fn report(common: &args::Common, task: &Task, done: &TaskResult) -> Result<(), Failure> {
    let text =
        if common.json { json::render(task, done) } else { text::render(task, done, common.quiet) };
    print(&text)?;
    if task.target == Target::AllUsers && done.reports.is_empty() && !common.quiet {
        output::note("there are no terminal users");
    }
    text::messages(done, common.quiet);
    Ok(())
}
