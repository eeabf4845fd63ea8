//! How `provision` prints the result of a command: as text, or as one JSON object.

use crate::cli::exit::Failure;
use crate::cli::output::{self, print};
use crate::text::printable_json;
use serde::Serialize;

/// What is printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    /// One JSON object instead of text.
    pub(super) json: bool,
    /// Only warnings and errors.
    pub(super) quiet: bool,
}

impl Output {
    /// Prints a result: `value` as JSON, or the text.
    pub(super) fn result(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json {
            self.json(value)
        } else if self.quiet {
            Ok(())
        } else {
            print(&text())
        }
    }

    /// Prints JSON; on several lines unless `--json` asks for one object a line.
    pub(super) fn json(self, value: &impl Serialize) -> Result<(), Failure> {
        let text = if self.json {
            serde_json::to_string(value)
        } else {
            serde_json::to_string_pretty(value)
        };
        let text = text.map_err(|error| Failure::failed(format!("writing JSON: {error}")))?;
        // Line ends are only between values, in the long form; inside strings they are escaped.
        let lines = text.lines().map(|line| printable_json(line) + "\n");
        print(&lines.collect::<String>())
    }

    /// Prints what is being done, unless `--quiet`.
    pub(super) fn progress(self, what: &str) {
        if !self.quiet {
            output::progress(what);
        }
    }

    /// Prints a note, unless `--quiet`.
    pub(super) fn note(self, what: &str) {
        if !self.quiet {
            output::note(what);
        }
    }
}
