//! Lines for the user in the pane.

use shared::escape::printable;
use std::io::Write;

/// Prints one line to standard error; what it quotes is escaped.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "start-claude: {}", printable(line));
}

/// Prints to standard output.
pub fn print(text: &str) -> std::process::ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(_) => std::process::ExitCode::FAILURE,
    }
}
