//! `start-claude`: what a new pane runs.

use launcher::options::{HELP, Invocation, parse};
use std::process::ExitCode;

fn main() -> ExitCode {
    launcher::signals::prepare();
    match parse(lexopt::Parser::from_env()) {
        Ok(Invocation::Run(options)) => launcher::launch::launch(&options),
        Ok(Invocation::Help) => launcher::say::print(HELP),
        Ok(Invocation::Version) => {
            launcher::say::print(concat!("start-claude ", env!("CARGO_PKG_VERSION"), "\n"))
        }
        Err(why) => {
            // A pane is never lost to a wrong argument.
            launcher::say::say(&why);
            launcher::shell::become_login_shell()
        }
    }
}
