//! The record that each running Claude Code keeps of itself: `~/.claude/sessions/<pid>.json`.

use crate::agent::home::Home;
use crate::agent::status::Status;
use crate::process::Process;
use crate::sys::Dir;
use serde::Deserialize;
use std::time::Duration;

/// Live records, one file per process: `<pid>.json`, below the directory of its data.
pub(super) const RECORDS: &str = "sessions";
/// Maximum size of a live record, in bytes; it has about 500.
const MAX_RECORD: u64 = 64 << 10;
/// A process may seem to start this much later than it says, since the kernel's times of starts are
/// relative to a boot time in whole seconds.
const ROUNDING: u64 = 2;
/// The first version that is known to change its record when the conversation changes (`/clear`).
const FOLLOWS: Version = Version([2, 1, 197]);

/// The fields of a live record that matter. Others come and go with versions.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Record {
    #[serde(rename = "sessionId")]
    pub(super) session_id: String,
    pub(super) cwd: String,
    #[serde(default)]
    pid: Option<i32>,
    /// When it started, in milliseconds since the epoch.
    #[serde(rename = "startedAt", default)]
    pub(super) started_at: Option<u64>,
    /// Field 22 of `/proc/<pid>/stat`; a number, or the same as text. Older versions have none.
    #[serde(rename = "procStart", default)]
    proc_start: Option<serde_json::Value>,
    #[serde(default)]
    entrypoint: Option<String>,
    /// `interactive`, or `bg` of a conversation that was sent to the background.
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    pub(super) version: Option<String>,
    /// Machine and namespace of the process id: `linux:<machine id>:pid:[4026531836]`.
    #[serde(rename = "pidDomain", default)]
    pid_domain: Option<String>,
    /// The job in the background that the pane shows instead of this conversation.
    #[serde(rename = "parkedJobId", default)]
    parked_job: Option<String>,
    /// `idle`, `busy`, `waiting`; others may come.
    #[serde(default)]
    pub(super) status: Option<serde_json::Value>,
    /// What it waits for, such as `permission prompt`.
    #[serde(rename = "waitingFor", default)]
    pub(super) waiting_for: Option<serde_json::Value>,
    /// When the status changed, in milliseconds since the epoch.
    #[serde(rename = "statusUpdatedAt", default)]
    pub(super) status_updated_at: Option<serde_json::Value>,
    /// When the record was written, in milliseconds since the epoch.
    #[serde(rename = "updatedAt", default)]
    pub(super) updated_at: Option<serde_json::Value>,
    /// Where in tmux it was started: `session:@window.%pane`.
    #[serde(default)]
    tmux: Option<String>,
    /// When the file was written, in nanoseconds since the epoch.
    #[serde(skip)]
    pub(super) written: u64,
}

impl Record {
    /// Whether it was written by this very process.
    pub(super) fn is_of(&self, process: &Process) -> bool {
        self.is_of_start(process.stat.start, || process.started())
            && self.is_of_domain(|| process.pid_namespace())
    }

    /// Whether it was written by the process of its pid that started then: `start` in clock ticks since
    /// boot, `started` in seconds since the epoch.
    pub(super) fn is_of_start(&self, start: u64, started: impl FnOnce() -> Option<u64>) -> bool {
        match &self.proc_start {
            Some(serde_json::Value::String(text)) => text.parse() == Ok(start),
            Some(number) => number.as_u64() == Some(start),
            // A process that has the number of an earlier one started after that.
            None => self
                .started_at
                .zip(started())
                .is_some_and(|(says, started)| says / 1000 + ROUNDING >= started),
        }
    }

    /// Whether it was written where process ids mean what they mean here.
    pub(super) fn is_of_domain(
        &self,
        namespace: impl FnOnce() -> Option<std::ffi::OsString>,
    ) -> bool {
        let Some((_, pid)) = self.pid_domain.as_deref().and_then(|text| text.split_once(":pid:"))
        else {
            return true;
        };
        namespace().is_none_or(|own| own.to_str().is_some_and(|own| own == format!("pid:{pid}")))
    }

    /// The session and the number of the pane that it was started in.
    pub(super) fn tmux_pane(&self) -> Option<(Vec<u8>, u32)> {
        let (session, place) = self.tmux.as_deref()?.rsplit_once(":@")?;
        let (_, pane) = place.rsplit_once(".%")?;
        Some((session.into(), pane.parse().ok()?))
    }

    /// Whether the user converses there: `claude -p` leaves a record, too.
    pub(super) fn is_interactive(&self) -> bool {
        self.entrypoint.as_deref() != Some("sdk-cli")
    }

    /// Whether the conversation was sent to the background: then it is in no pane.
    pub(super) fn is_in_the_background(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind != "interactive")
    }

    /// What the agent does.
    pub(super) fn status(&self) -> Option<Status> {
        let waiting_for =
            self.waiting_for.as_ref().map(|what| what.as_str().unwrap_or("an answer"));
        Status::of(self.status.as_ref()?.as_str()?, waiting_for)
    }

    /// Since when it does that, in seconds since the epoch.
    pub(super) fn status_since(&self) -> Option<u64> {
        Some(self.status_updated_at.as_ref()?.as_u64()? / 1000)
    }

    /// Whether its version changes it when the conversation changes.
    pub(super) fn follows(&self) -> bool {
        self.version.as_deref().and_then(Version::parse).is_none_or(|version| version >= FOLLOWS)
    }

    /// The job in the background that the pane shows instead, if it shows one.
    pub(super) fn parked_job(&self) -> Option<&str> {
        self.parked_job.as_deref()
    }
}

/// The live record of a process.
pub(super) fn record(home: &Home, pid: i32) -> Option<Record> {
    let dir = home.dir(home.claude().join(RECORDS))?;
    let name = format!("{pid}.json");
    let mut record: Record = read(home, &dir, &name)?;
    if record.pid.is_some_and(|said| said != pid) {
        return None;
    }
    let stat = dir.stat(&name).ok()??;
    let seconds = u64::try_from(stat.st_mtime).ok()?;
    record.written = seconds.saturating_mul(1_000_000_000).saturating_add(stat.st_mtime_nsec);
    Some(record)
}

/// Reads a file of JSON that is written in place: a torn one is read once more.
pub(super) fn read<T: serde::de::DeserializeOwned>(
    home: &Home,
    dir: &Dir,
    name: &str,
) -> Option<T> {
    let read = || match dir.read(name, MAX_RECORD) {
        Ok(text) => Some(serde_json::from_slice(&text)),
        Err(error) if error.is_not_found() => None,
        Err(error) => {
            home.note(error.to_string());
            None
        }
    };
    match read()? {
        Ok(value) => Some(value),
        Err(_torn) => {
            crate::sys::clock::pause(Duration::from_millis(5));
            match read()? {
                Ok(value) => Some(value),
                Err(error) => {
                    home.note_incomplete(dir.path(), name, &error);
                    None
                }
            }
        }
    }
}

/// A version as `2.1.332`; what follows the third number is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version([u32; 3]);

impl Version {
    pub(super) const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self([major, minor, patch])
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.trim().splitn(3, '.');
        let mut next = || {
            let word = numbers.next()?;
            let end = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
            word[..end].parse().ok()
        };
        Some(Self([next()?, next()?, next()?]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(more: &str) -> Record {
        let text = format!(r#"{{"sessionId":"x","cwd":"/"{more}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn without_a_start_time_of_the_kernel_the_time_of_the_clock_must_fit() {
        let of = |more: &str, started| record(more).is_of_start(7, || started);
        assert!(of(r#","procStart":"7""#, None) && of(r#","procStart":7"#, None));
        assert!(!of(r#","procStart":"8","startedAt":1000000"#, Some(1000)));
        assert!(of(r#","startedAt":1000900"#, Some(1000)));
        assert!(of(r#","startedAt":5000000"#, Some(1000)), "a shell that became the agent");
        assert!(!of(r#","startedAt":990000"#, Some(1000)), "of an earlier process of that number");
        assert!(!of("", Some(1000)) && !of(r#","startedAt":1000900"#, None));
    }

    #[test]
    fn a_record_of_another_namespace_is_not_of_this_process() {
        let here = || Some("pid:[4026531836]".into());
        let domain = |text: &str| record(&format!(r#","pidDomain":"{text}""#));
        assert!(domain("linux:5:pid:[4026531836]").is_of_domain(here));
        assert!(!domain("linux:5:pid:[4026532999]").is_of_domain(here));
        assert!(domain("linux:5:pid:[4026532999]").is_of_domain(|| None));
        assert!(domain("darwin").is_of_domain(here) && record("").is_of_domain(here));
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("2.1.119") < FOLLOWS && version("2.10.0") > version("2.9.9"));
        assert_eq!(version("2.1.332-beta.1"), Version::new(2, 1, 332));
        assert_eq!(Version::parse("latest"), None);
        assert!(!record(r#","version":"2.1.119""#).follows() && record("").follows());
    }
}
