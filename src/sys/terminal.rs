//! Notes for a person who waits at a terminal.

use std::io::{IsTerminal, Write};

/// Prints a note on standard error if that is a terminal. A failure to print is no failure.
pub fn note(text: &str) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = writeln!(stderr, "note: {text}");
    }
}
