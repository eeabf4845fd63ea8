//! The command lines: arguments to options, targets, work, output, exit code.

pub mod args;
pub mod boot;
pub mod config;
pub mod exit;
pub mod human;
pub mod import;
pub mod json;
pub mod keeper;
pub mod pages;
pub mod perform;
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

fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    match dispatch(cli) {
        Ok(exit) => exit,
        Err(failure) => {
            say(Priority::Error, &failure.to_string());
            failure.exit
        }
    }
}

fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    let Cli { common, command } = cli;
    start_logging(common.verbose);
    match command {
        Command::Worker { job } => perform::work_for_root(&job),
        Command::Completions { shell } => pages::completions(shell),
        Command::Manual { directory } => pages::manual(&directory),
        Command::Boot => boot::restore_everybody(&config::load(&common)?, common.quiet),
        Command::Import => import::import(&config::load(&common)?, common.quiet),
        Command::Keeper => {
            TO_JOURNAL.get_or_init(notify::stderr_is_the_journal);
            let notifier = Notifier::take();
            keeper::keep(&config::load(&common)?, &notifier)
        }
        command => {
            let config = config::load(&common)?;
            let work = command.work()?;
            let reports = perform::perform(&config, &work)?;
            report(&common, &work, &reports)
        }
    }
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
    say(Priority::Warning, what);
}

/// How much something matters in the journal, as syslog(3) counts.
#[derive(Clone, Copy)]
enum Priority {
    Error = 3,
    Warning = 4,
}

fn say(priority: Priority, what: &str) {
    let mark = if *TO_JOURNAL.get_or_init(notify::stderr_is_the_journal) {
        format!("<{}>", priority as u8)
    } else {
        String::new()
    };
    let _ = writeln!(std::io::stderr(), "{mark}persist: {what}");
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
