//! The command line of `persist`: one file per command.

pub mod args;
mod boot;
pub mod doctor;
pub mod hook;
pub mod json;
pub mod metrics;
pub mod outcome;
pub mod status;
pub mod text;

use super::config_file;
use super::exit::{Exit, Failure};
use super::man;
use super::output::{self, print};
use crate::supervisor::targets::Target;
use crate::supervisor::worker::{self, Task, TaskResult};
use args::{Cli, Command};
use clap::Parser;
use std::ffi::OsString;

/// Runs `persist` with these arguments.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    if hook::is_call(&args) {
        hook::take_in(args);
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
    let load = || config_file::load(&common.overrides());
    match command {
        Command::Worker { job } => {
            print(&worker::run_job(&job)?)?;
            Ok(Exit::Done)
        }
        Command::Boot { sockets: true, .. } => boot::make_socket_dirs(&load()?),
        Command::Boot { announce: true, .. } => boot::announce_all(&load()?),
        Command::Boot { .. } => boot::restore_all(&load()?, common.quiet),
        Command::Import => boot::import(&load()?, common.quiet),
        Command::Keeper => boot::keep(load),
        Command::Completions { shell } => man::completions::<Cli>("persist", shell),
        Command::Manual { directory } => man::manual::<Cli>(&directory),
        Command::Doctor { users, root } => doctor::run(&common, users, root),
        Command::Status { users, metrics, max_age } => {
            status::run(&common, users, metrics.as_deref(), max_age)
        }
        Command::Hook { install: false, uninstall: false, .. } => {
            Err(Failure::usage("an agent calls `persist hook` without an option before `hook`"))
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
    let config = config_file::load(&common.overrides())?;
    let task = command.task(common)?;
    let done = worker::run(&config, &task)?;
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
