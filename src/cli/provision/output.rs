//! Where results and problems go.

use crate::cli::exit::Failure;
use crate::cli::output::{self, print};
use crate::text::{escape, printable_json};
use serde::Serialize;
use std::path::Path;

/// How results are printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    /// One JSON object.
    pub(super) json: bool,
    /// Problems only.
    pub(super) quiet: bool,
}

impl Output {
    /// Prints a result: as JSON, or in the words of `human`.
    pub(super) fn result(
        self,
        value: &impl Serialize,
        human: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json {
            self.json(value)
        } else if self.quiet {
            Ok(())
        } else {
            print(&human())
        }
    }

    /// Prints JSON; on several lines where a person may read it.
    pub(super) fn json(self, value: &impl Serialize) -> Result<(), Failure> {
        let text = if self.json {
            serde_json::to_string(value)
        } else {
            serde_json::to_string_pretty(value)
        };
        let text = text.map_err(|error| Failure::failed(format!("writing JSON: {error}")))?;
        print(&(printable_json(&text) + "\n"))
    }

    /// Says how work goes on, to whoever watches.
    pub(super) fn progress(self, what: &str) {
        if !self.quiet {
            output::progress(what);
        }
    }

    /// Says something that is no problem.
    pub(super) fn note(self, what: &str) {
        if !self.quiet {
            output::note(what);
        }
    }
}

/// Says something that ends nothing.
pub(super) fn warn(what: &str) {
    output::warning(what);
}

/// Says what is wrong, a label for each line.
pub(super) fn complain(what: &str) {
    output::error(what);
}

/// A path as it is printed.
pub(super) fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}
