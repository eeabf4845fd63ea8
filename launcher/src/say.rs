//! Lines for the person in the pane.

use std::io::Write;

/// Prints one line. What it quotes may come from a hostile place, so control characters are shown
/// as a replacement.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "start-claude: {}", printable(line));
}

/// Text without control characters, nor those that reorder a line.
pub fn printable(text: &str) -> String {
    let treacherous = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if treacherous(c) { '\u{fffd}' } else { c }).collect()
}

/// Prints text that was asked for.
pub fn print(text: &str) -> std::process::ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(_) => std::process::ExitCode::FAILURE,
    }
}
