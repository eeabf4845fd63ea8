//! The command line of `persist`: one file per command.

pub mod args;
pub mod doctor;
pub mod hook;
pub mod json;
pub mod metrics;
pub mod outcome;
pub mod status;
pub mod text;

use super::exit::{Exit, Failure};
use super::man;
use super::output::{self, print};
use crate::supervisor::{boot, config, import, keeper, worker};
use crate::sys::notify::Notifier;
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
    match command {
        Command::Worker { job } => worker::work_for_root(&job),
        Command::Boot { sockets: true, .. } => {
            boot::make_everybodys_socket_dirs(&config::load(&common)?)
        }
        Command::Boot { announce: true, .. } => boot::announce_everybody(&config::load(&common)?),
        Command::Boot { .. } => boot::restore_everybody(&config::load(&common)?, common.quiet),
        Command::Import => import::import(&config::load(&common)?, common.quiet),
        Command::Keeper => {
            output::is_journal();
            let notifier = Notifier::take();
            keeper::keep(&config::load(&common)?, &notifier)
        }
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
            let exit = work(&common, command, detailed);
            exit.map_err(|failure| failure.in_detail(detailed))
        }
    }
}

/// Does a command's work for its users and reports on it.
fn work(common: &args::Common, command: Command, detailed: bool) -> Result<Exit, Failure> {
    let config = config::load(common)?;
    let work = command.work(common)?;
    let done = worker::perform(&config, &work)?;
    let exit = report(common, &work, &done)?;
    Ok(if detailed { outcome::detailed(exit, &done.reports) } else { exit })
}

/// Prints the reports and derives the exit code from them.
fn report(common: &args::Common, work: &args::Work, done: &worker::Done) -> Result<Exit, Failure> {
    let text =
        if common.json { json::render(work, done) } else { text::render(work, done, common.quiet) };
    print(&text)?;
    if work.whom == args::Whom::Everybody && done.reports.is_empty() && !common.quiet {
        output::note("there are no terminal users");
    }
    for problem in done.problems.iter().chain(&text::problems(&done.reports, common.quiet)) {
        output::warning(problem);
    }
    Ok(outcome::of_reports(&done.reports, !done.problems.is_empty()))
}
