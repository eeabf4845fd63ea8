//! `start-claude`: what a restored pane runs. It starts an agent on a conversation as its child
//! and leaves a login shell in the pane when the agent ends.

use launcher::{agents, options, pane};
use std::process::ExitCode;

fn main() -> ExitCode {
    match options::parse(lexopt::Parser::from_env()) {
        Ok(options::Invocation::Run(options)) => match agents::argv(&options) {
            Ok(argv) => pane::run(&options, &argv),
            Err(error) => pane::refuse(&error),
        },
        Ok(options::Invocation::Help) => pane::say_help(options::HELP),
        Err(error) => pane::refuse(&error.to_string()),
    }
}
