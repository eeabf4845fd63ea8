//! The command line of `provision`: one file per command.

mod apply;
pub mod args;
mod cluster_users;
mod config;
mod derive;
mod homes;
mod host;
mod host_text;
mod members;
mod membership;
mod offboard;
mod offboard_plan;
mod output;
mod plan;
mod plan_text;
mod prepare;
mod root_run;
mod roster;
mod roster_input;
mod server_client;
mod t3;
mod worker;

use super::exit::{Exit, Failure};
use super::man;
use args::{Cli, Command, HostCommand, OffboardCommand, RosterCommand};
use clap::Parser;
use output::Output;
use std::ffi::OsString;

const NAME: &str = "provision";

/// Runs `provision` with these arguments.
pub(super) fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
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
            crate::cli::output::failure(&failure);
            failure.exit
        }
    }
}

fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    let Cli { common, command } = cli;
    crate::cli::output::start(common.color, common.verbose);
    let output = Output { json: common.json, quiet: common.quiet };
    match command {
        Command::Completions { shell } => man::completions::<Cli>(NAME, shell),
        Command::Manual { directory } => man::manual::<Cli>(&directory),
        Command::Roster(command) => {
            let config = config::load(common.config.as_deref())?;
            match command {
                RosterCommand::Show(args) => roster::show(output, &args, &config),
                RosterCommand::Check(args) => roster::check(output, &args, &config),
            }
        }
        Command::Derive(args) => {
            derive::derive(output, &args, &config::load(common.config.as_deref())?)
        }
        Command::Membership(args) => {
            membership::membership(output, &args, config::load(common.config.as_deref())?)
        }
        Command::Plan(args) => {
            let detailed = args.detailed_exitcode;
            let config = config::load(common.config.as_deref());
            let exit = config.and_then(|config| plan::plan(output, &args, config));
            exit.map_err(|failure| failure.in_detail(detailed))
        }
        Command::Apply(args) => {
            apply::apply(output, &args, config::load(common.config.as_deref())?)
        }
        Command::Host(HostCommand::Plan(args)) => {
            let exit = host::plan(output, &args);
            exit.map_err(|failure| failure.in_detail(args.detailed_exitcode))
        }
        Command::Host(HostCommand::Apply(args)) => host::apply(output, &args.file),
        Command::Backup(command) => {
            homes::backup(output, &command, &config::load(common.config.as_deref())?)
        }
        Command::BrowserRefresh => {
            homes::browser_refresh(output, &config::load(common.config.as_deref())?)
        }
        Command::CodexLogin => homes::codex_login(output, &config::load(common.config.as_deref())?),
        Command::Worker => worker::worker(),
        Command::T3(command) => t3::run(output, &command),
        Command::Offboard(OffboardCommand::Plan(args)) => {
            offboard_plan::plan(output, &args, &config::load(common.config.as_deref())?)
        }
        Command::Offboard(OffboardCommand::Stage(command)) => {
            let config = config::load(common.config.as_deref())?;
            offboard::run(output, &command, config)
        }
    }
}
