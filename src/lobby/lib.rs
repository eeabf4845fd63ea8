//! The web page where a person sees every session they have, and opens, starts, ends and restores them.
//!
//! Only here are `tokio` and `axum` used.

pub mod agent;
mod args;
pub mod attention;
pub mod auth;
pub mod conversation;
mod error;
pub mod files;
mod gateway;
pub mod held;
pub mod kept;
pub mod layout;
pub mod list;
mod open;
mod open_links;
mod page;
pub mod present;
pub mod protocol;
pub mod search;
mod serve_agent;
pub mod share;
pub mod spares;
pub mod terminal;

use args::{Cli, Command};
use clap::Parser;
use std::ffi::OsString;
use terminal_lobby::cli::exit::{Exit, Failure};
use terminal_lobby::cli::{man, output};

/// Runs `lobby` with these arguments.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    output::start(cli.common.color, cli.common.verbose);
    match dispatch(cli) {
        Ok(exit) => exit,
        Err(failure) => {
            output::failure(&failure);
            failure.exit
        }
    }
}

fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Open(args) => open::run(&cli.common, &args).map(|()| Exit::Done),
        Command::Agent(args) => serve_agent::run(&cli.common, &args).map(|()| Exit::Done),
        Command::Serve(args) => gateway::run(&args).map(|()| Exit::Done),
        Command::Link(args) => gateway::link(&cli.common, &args).map(|()| Exit::Done),
        Command::Status(args) => gateway::status(&cli.common, &args).map(|()| Exit::Done),
        Command::Completions { shell } => man::completions::<Cli>("lobby", shell),
        Command::Manual { directory } => man::manual::<Cli>(&directory),
    }
}
