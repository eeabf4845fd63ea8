//! The record that each running Claude Code keeps of itself: `~/.claude/sessions/<pid>.json`.

use crate::agent::home::Home;
use crate::text::shown;
use serde::Deserialize;
use std::time::Duration;

/// Live records, one file per process: `<pid>.json`.
pub(super) const RECORDS: &str = ".claude/sessions";
/// Maximum size of a live record, in bytes; it has about 500.
const MAX_RECORD: u64 = 64 << 10;

/// The fields of a live record that matter. Others come and go with versions.
#[derive(Debug, Deserialize)]
pub(super) struct Record {
    #[serde(rename = "sessionId")]
    pub(super) session_id: String,
    pub(super) cwd: String,
    /// Field 22 of `/proc/<pid>/stat`; a number, or the same as text.
    #[serde(rename = "procStart")]
    proc_start: serde_json::Value,
    #[serde(default)]
    entrypoint: Option<String>,
    /// `interactive`, or `bg` of a conversation that was sent to the background.
    #[serde(default)]
    kind: Option<String>,
}

impl Record {
    pub(super) fn is_of(&self, start: u64) -> bool {
        match &self.proc_start {
            serde_json::Value::String(text) => text.parse() == Ok(start),
            number => number.as_u64() == Some(start),
        }
    }

    /// Whether the user converses there: `claude -p` leaves a record, too.
    pub(super) fn is_interactive(&self) -> bool {
        self.entrypoint.as_deref() != Some("sdk-cli")
    }

    /// Whether the conversation was sent to the background: then it is in no pane.
    pub(super) fn is_in_the_background(&self) -> bool {
        self.kind.as_deref() == Some("bg")
    }
}

/// The live record of a process; it is written in place, so a torn one is read once more.
pub(super) fn record(home: &Home, pid: i32) -> Option<Record> {
    let dir = home.dir(RECORDS)?;
    let name = format!("{pid}.json");
    let read = || match dir.read(&name, MAX_RECORD) {
        Ok(text) => Some(serde_json::from_slice(&text)),
        Err(error) if error.is_not_found() => None,
        Err(error) => {
            home.note(error.to_string());
            None
        }
    };
    match read()? {
        Ok(record) => Some(record),
        Err(_torn) => {
            crate::sys::clock::pause(Duration::from_millis(5));
            match read()? {
                Ok(record) => Some(record),
                Err(error) => {
                    home.note(format!("{}: {error}", shown(&dir.path().join(name))));
                    None
                }
            }
        }
    }
}
