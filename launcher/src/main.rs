//! `start-claude`: what a new pane runs.

use launcher::options::{HELP, Invocation, parse};
use std::process::ExitCode;

fn main() -> ExitCode {
    launcher::process::signals::prepare();
    match parse(lexopt::Parser::from_env()) {
        Ok(Invocation::Run(options)) => launcher::launch::launch(&options),
        Ok(Invocation::Help) => launcher::terminal::say::print(HELP),
        Ok(Invocation::Version) => launcher::terminal::say::print(concat!(
            "start-claude ",
            env!("CARGO_PKG_VERSION"),
            "\n"
        )),
        Err(error) => {
            // A pane is never lost to an invalid argument.
            launcher::terminal::say::say(&error.to_string());
            launcher::process::login_shell::become_login_shell()
        }
    }
}
