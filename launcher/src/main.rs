//! `start-claude`: what a new pane runs.

use launcher::options::{HELP, Invocation, parse};
use launcher::process::login_environment;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    if let [option, file] = &words[..]
        && option == login_environment::WRITE
    {
        return login_environment::write(file).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    if login_environment::is_being_asked() {
        return ExitCode::SUCCESS; // the user's start files start it
    }
    launcher::process::signals::prepare();
    match parse(lexopt::Parser::from_env()) {
        Ok(Invocation::Run(options)) => {
            launcher::process::login_shell::break_loop();
            launcher::launch::launch(&options)
        }
        Ok(Invocation::Help) => launcher::terminal::say::print(HELP),
        Ok(Invocation::Version) => launcher::terminal::say::print(concat!(
            "start-claude ",
            env!("CARGO_PKG_VERSION"),
            "\n"
        )),
        Err(error) => {
            // A pane is never lost to an invalid argument.
            launcher::terminal::say::say(&error.to_string());
            launcher::process::login_shell::break_loop();
            launcher::process::login_shell::become_login_shell()
        }
    }
}
