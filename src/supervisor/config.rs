//! Site values: what the configuration file may hold, with a default for each, and what the command
//! line sets instead. The file is read by `cli::config_file`.

use crate::persist::restore_mode::{Memory, Mode, Settings};
use crate::persist::suspend_request;
use crate::persist::{CapturePolicy, WatchSettings};
use crate::snapshot::retention::Rules;
use crate::text::{io_reason, shown};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The keys of [`File`] without the table of `provision`, which refuses all others.
pub(crate) const NAMES: [&str; 15] = [
    "state_dir",
    "user_map",
    "socket",
    "save_deadline_seconds",
    "restore_deadline_seconds",
    "tmux_deadline_seconds",
    "parallel_users",
    "lost_window_hours",
    "keep",
    "save_on_change",
    "status",
    "retention",
    "restore",
    "watch",
    "suspend",
];
const USER_MAP: &str = "/etc/ttyd-user-map";
pub(crate) const STATE_DIR: &str = "/var/lib/tmux-persist";

/// The configuration file. Unknown keys are errors: a misspelt one would have no effect.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    state_dir: Option<PathBuf>,
    user_map: Option<PathBuf>,
    socket: Option<String>,
    save_deadline_seconds: f64,
    restore_deadline_seconds: f64,
    tmux_deadline_seconds: f64,
    parallel_users: usize,
    lost_window_hours: f64,
    keep: CapturePolicy,
    save_on_change: bool,
    status: StatusFile,
    retention: Rules,
    restore: Restore,
    watch: Watch,
    suspend: Suspend,
    /// Read by `provision`.
    #[serde(rename = "provision")]
    _provision: IgnoredAny,
}

/// The section `[status]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct StatusFile {
    max_age_minutes: u32,
}

impl Default for StatusFile {
    fn default() -> Self {
        Self { max_age_minutes: 15 }
    }
}

/// The section `[restore]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Restore {
    mode: String,
    memory_budget: String,
    at_once: usize,
}

/// The section `[watch]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Watch {
    notify: Vec<String>,
    interval_minutes: f64,
    comebacks: u32,
    first_message: String,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            notify: Vec::new(),
            interval_minutes: 60.0,
            comebacks: 3,
            first_message: String::new(),
        }
    }
}

/// The section `[suspend]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Suspend {
    after: String,
    under_pressure: String,
}

impl Default for Suspend {
    fn default() -> Self {
        Self { after: "off".to_owned(), under_pressure: "1h".to_owned() }
    }
}

impl Default for File {
    fn default() -> Self {
        Self {
            state_dir: None,
            user_map: None,
            socket: None,
            save_deadline_seconds: 20.0,
            restore_deadline_seconds: 120.0,
            tmux_deadline_seconds: 5.0,
            parallel_users: 8,
            lost_window_hours: 24.0,
            status: StatusFile::default(),
            retention: Rules::default(),
            keep: CapturePolicy::default(),
            save_on_change: true,
            restore: Restore::default(),
            watch: Watch::default(),
            suspend: Suspend::default(),
            _provision: IgnoredAny,
        }
    }
}

impl Default for Restore {
    fn default() -> Self {
        Self { mode: "auto".to_owned(), memory_budget: "50%".to_owned(), at_once: 2 }
    }
}

/// Resolved site values.
#[derive(Debug, Clone)]
pub struct Config {
    /// The state directory, if the command line or the file names one.
    pub state_dir: Option<PathBuf>,
    pub user_map: PathBuf,
    /// tmux's `-L`.
    pub socket: String,
    /// How long one user's save, list, show or forget may take.
    pub save_deadline: Duration,
    /// How long one user's restore may take.
    pub restore_deadline: Duration,
    /// How long one answer of tmux may take.
    pub tmux_deadline: Duration,
    /// Users at once.
    pub parallel_users: usize,
    /// How long lost panes are carried forward from snapshot to snapshot.
    pub lost_window: Duration,
    /// How old a user's last good save may be.
    pub max_age: Duration,
    pub retention: Rules,
    /// What is saved besides windows, panes and agents.
    pub keep: CapturePolicy,
    /// Whether tmux servers run a save after changes.
    pub save_on_change: bool,
    /// The file, if the command line names one.
    pub path: Option<PathBuf>,
    /// Whether the command line leaves directory, socket and file to the site: then the site's units
    /// do the same as the command.
    pub of_site: bool,
    pub restore: Settings,
    /// The command that is run for each event, with its arguments; empty if there is none.
    pub notify: Vec<String>,
    pub watch: WatchSettings,
    /// Which idle agents are suspended by themselves.
    pub suspend: suspend_request::Settings,
}

/// What the command line sets instead of the file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    pub state_dir: Option<PathBuf>,
    pub user_map: Option<PathBuf>,
    pub socket: Option<String>,
    /// The configuration file, unless it is the default one.
    pub config: Option<PathBuf>,
}

/// An invalid value of the file or the command line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{key} = {value}: expected {expected}")]
    Number { key: &'static str, value: f64, expected: &'static str },
    #[error("{key} = '{}': expected {expected}", shown(value))]
    Word { key: &'static str, value: String, expected: &'static str },
    #[error("--socket '{}' is not a socket name", shown(.0))]
    Socket(String),
    /// A sentence that names the key and the value.
    #[error("{0}")]
    Keep(String),
    #[error("{}: {}", shown(path), io_reason(source))]
    Path { path: PathBuf, source: io::Error },
    #[error("watch.notify = '{}': expected the path of a program, then its arguments", shown(.0))]
    Notify(String),
}

/// Combines the file with the command line.
pub fn resolve(given: &Overrides, file: File) -> Result<Config, ConfigError> {
    let socket = given.socket.clone().or(file.socket).unwrap_or_else(|| "default".to_owned());
    if socket.is_empty() || socket.contains('/') || socket.starts_with('.') {
        return Err(ConfigError::Socket(socket));
    }
    file.keep.check().map_err(|why| ConfigError::Keep(why.to_string()))?;
    let state_dir = given.state_dir.as_ref().or(file.state_dir.as_ref());
    Ok(Config {
        keep: file.keep,
        state_dir: state_dir.map(|dir| absolute(dir)).transpose()?,
        user_map: given.user_map.clone().or(file.user_map).unwrap_or_else(|| USER_MAP.into()),
        socket,
        save_deadline: seconds("save_deadline_seconds", file.save_deadline_seconds)?,
        restore_deadline: seconds("restore_deadline_seconds", file.restore_deadline_seconds)?,
        tmux_deadline: seconds("tmux_deadline_seconds", file.tmux_deadline_seconds)?,
        parallel_users: file.parallel_users.clamp(1, 256),
        lost_window: hours("lost_window_hours", file.lost_window_hours)?,
        max_age: Duration::from_secs(60 * u64::from(file.status.max_age_minutes)),
        retention: file.retention,
        save_on_change: file.save_on_change,
        path: given.config.as_ref().map(|path| absolute(path)).transpose()?,
        of_site: given.state_dir.is_none() && given.socket.is_none() && given.config.is_none(),
        restore: restore_settings(&file.restore)?,
        notify: notify(file.watch.notify)?,
        watch: WatchSettings {
            interval: minutes("watch.interval_minutes", file.watch.interval_minutes)?,
            comebacks: file.watch.comebacks,
            first_message: file.watch.first_message,
        },
        suspend: suspend_settings(&file.suspend)?,
    })
}

fn seconds(key: &'static str, value: f64) -> Result<Duration, ConfigError> {
    let valid = value.is_finite() && value > 0.0 && value <= 86_400.0;
    let invalid = ConfigError::Number { key, value, expected: "seconds, up to a day" };
    if valid { Ok(Duration::from_secs_f64(value)) } else { Err(invalid) }
}

fn hours(key: &'static str, value: f64) -> Result<Duration, ConfigError> {
    let valid = value.is_finite() && (0.0..=87_600.0).contains(&value);
    let invalid = ConfigError::Number { key, value, expected: "hours, up to ten years" };
    if valid { Ok(Duration::from_secs_f64(value * 3600.0)) } else { Err(invalid) }
}

/// No shell, and no search on a path that a user sets.
fn notify(command: Vec<String>) -> Result<Vec<String>, ConfigError> {
    match command.first() {
        Some(program) if !program.starts_with('/') || command.iter().any(|a| a.contains('\0')) => {
            Err(ConfigError::Notify(program.clone()))
        }
        _ => Ok(command),
    }
}

fn minutes(key: &'static str, value: f64) -> Result<Duration, ConfigError> {
    let valid = value.is_finite() && (0.0..=525_600.0).contains(&value);
    let invalid = ConfigError::Number { key, value, expected: "minutes, up to a year" };
    if valid { Ok(Duration::from_secs_f64(value * 60.0)) } else { Err(invalid) }
}

fn restore_settings(part: &Restore) -> Result<Settings, ConfigError> {
    let invalid =
        |key, value: &String, expected| ConfigError::Word { key, value: value.clone(), expected };
    Ok(Settings {
        mode: Mode::parse(&part.mode)
            .ok_or_else(|| invalid("restore.mode", &part.mode, "eager, lazy or auto"))?,
        memory: Memory::parse(&part.memory_budget).ok_or_else(|| {
            invalid("restore.memory_budget", &part.memory_budget, "a share (50%) or a size (8G)")
        })?,
        at_once: part.at_once.clamp(1, 64),
        ..Settings::default()
    })
}

fn suspend_settings(part: &Suspend) -> Result<suspend_request::Settings, ConfigError> {
    let read = |key, value: &String| {
        let expected = "a duration (72h, 30m) or off";
        let invalid = || ConfigError::Word { key, value: value.clone(), expected };
        suspend_request::parse_optional(value).ok_or_else(invalid)
    };
    Ok(suspend_request::Settings {
        after: read("suspend.after", &part.after)?,
        under_pressure: read("suspend.under_pressure", &part.under_pressure)?,
    })
}

impl Config {
    /// The state directory of the site, where root keeps every user's.
    pub fn site_state_dir(&self) -> PathBuf {
        self.state_dir.clone().unwrap_or_else(|| STATE_DIR.into())
    }
}

/// A user's process works in another directory than the caller.
fn absolute(path: &Path) -> Result<PathBuf, ConfigError> {
    std::path::absolute(path).map_err(|source| ConfigError::Path { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::{File, NAMES};

    #[test]
    fn the_keys_that_provision_ignores_are_those_of_this_file() {
        let error = toml::from_str::<File>("neither = 1\n").unwrap_err();
        let known = error.message().split_once("expected one of ").unwrap().1;
        let known: Vec<&str> = known.split(", ").map(|name| name.trim_matches('`')).collect();
        assert_eq!(known, [&NAMES[..], &["provision"]].concat());
    }
}
