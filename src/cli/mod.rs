//! The command lines: arguments to options, targets, work, output, exit code.

pub mod args;
pub mod boot;
pub mod config;
mod doctor;
pub mod exit;
mod hook;
pub mod human;
pub mod import;
pub mod json;
pub mod keeper;
mod metrics;
mod own_session;
pub mod pages;
pub mod perform;
pub mod provision;
mod seen_by_root;
mod status;
pub mod targets;

use crate::sys::notify::{self, Notifier};
use args::{Cli, Command};
use clap::Parser;
use exit::{Exit, Failure};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::OnceLock;

/// Whether problems go to the journal; found out before the environment is cleared of it.
static TO_JOURNAL: OnceLock<bool> = OnceLock::new();

/// Runs `persist` with the process's arguments.
pub fn persist() -> ExitCode {
    run(std::env::args_os()).into()
}

/// Runs `provision` with the process's arguments.
pub fn provision() -> ExitCode {
    provision::run(std::env::args_os()).into()
}

fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
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
            say("persist", Priority::Error, &failure.to_string());
            failure.exit
        }
    }
}

fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    let Cli { common, command } = cli;
    start_logging(common.verbose);
    match command {
        Command::Worker { job } => perform::work_for_root(&job),
        Command::Boot { sockets: true, .. } => {
            boot::make_everybodys_socket_dirs(&config::load(&common)?)
        }
        Command::Boot { announce: true, .. } => boot::announce_everybody(&config::load(&common)?),
        Command::Boot { .. } => boot::restore_everybody(&config::load(&common)?, common.quiet),
        Command::Import => import::import(&config::load(&common)?, common.quiet),
        Command::Keeper => {
            TO_JOURNAL.get_or_init(notify::stderr_is_the_journal);
            let notifier = Notifier::take();
            keeper::keep(&config::load(&common)?, &notifier)
        }
        Command::Completions { shell } => pages::completions::<Cli>("persist", shell),
        Command::Manual { directory } => pages::manual::<Cli>(&directory),
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
    let done = perform::perform(&config, &work)?;
    let exit = report(common, &work, &done)?;
    Ok(if detailed { exit::detailed(exit, &done.reports) } else { exit })
}

/// Prints the reports and derives the exit code from them.
fn report(common: &args::Common, work: &args::Work, done: &perform::Done) -> Result<Exit, Failure> {
    let text = if common.json {
        json::render(work, done)
    } else {
        human::render(work, done, common.quiet)
    };
    print(&text)?;
    if work.whom == args::Whom::Everybody && done.reports.is_empty() && !common.quiet {
        complain("there are no terminal users");
    }
    for problem in done.problems.iter().chain(&human::problems(&done.reports, common.quiet)) {
        complain(problem);
    }
    Ok(exit::of_reports(&done.reports, !done.problems.is_empty()))
}

/// Writes to standard output; a reader that has gone away is no failure of ours.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("writing to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

fn complain(what: &str) {
    say("persist", Priority::Warning, what);
}

/// How much something matters in the journal, as syslog(3) counts.
#[derive(Clone, Copy)]
enum Priority {
    Error = 3,
    Warning = 4,
    Info = 6,
}

/// Writes a line to standard error, after the program's name.
fn say(program: &str, priority: Priority, what: &str) {
    let mark = if *TO_JOURNAL.get_or_init(notify::stderr_is_the_journal) {
        format!("<{}>", priority as u8)
    } else {
        String::new()
    };
    let _ = writeln!(std::io::stderr(), "{mark}{program}: {what}");
}

fn start_logging(verbose: u8) {
    use tracing_subscriber::filter::LevelFilter;
    let level = match verbose {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr);
    subscriber.without_time().with_target(false).with_ansi(false).init();
}
