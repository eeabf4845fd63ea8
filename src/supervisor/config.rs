//! Site values: the configuration file, with a default for each, and the command line over it.

use crate::cli::exit::Failure;
use crate::cli::persist::args::Common;
use crate::persist::CapturePolicy;
use crate::persist::restore::mode::{Memory, Mode, Settings};
use crate::snapshot::retention::Rules;
use crate::sys::accounts;
use crate::sys::fs::{self, trusted_path};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) const CONFIG: &str = "/etc/terminal-lobby/config.toml";
/// What `File` has besides the other program's table, which refuses what is neither's.
pub(crate) const NAMES: [&str; 13] = [
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
];
const USER_MAP: &str = "/etc/ttyd-user-map";
const STATE_DIR: &str = "/var/lib/tmux-persist";
/// No configuration file is larger (bytes).
const MAX_CONFIG: u64 = 1 << 20;

/// The configuration file. Unknown keys are errors: a misspelt one would silently do nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
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
    /// The other program's.
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

/// Its part about restoring agents.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Restore {
    mode: String,
    memory_budget: String,
    at_once: usize,
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
    /// The state directory, when the command line or the file names one.
    pub state_dir: Option<PathBuf>,
    /// The map of terminal users.
    pub user_map: PathBuf,
    /// tmux's `-L`.
    pub socket: String,
    /// How long one user's save, list, show or forget may take.
    pub save_deadline: Duration,
    /// How long one user's restore may take.
    pub restore_deadline: Duration,
    /// How long one answer of tmux may take.
    pub tmux_deadline: Duration,
    /// Users worked on at once.
    pub parallel_users: usize,
    /// For how long what is lost is carried forward from snapshot to snapshot.
    pub lost_window: Duration,
    /// How old a user's last good save may be.
    pub max_age: Duration,
    /// Which snapshots are kept.
    pub retention: Rules,
    /// What is kept besides windows, panes and agents.
    pub keep: CapturePolicy,
    /// Whether tmux servers are to tell of changes.
    pub save_on_change: bool,
    /// The file, when the command line names one.
    pub path: Option<PathBuf>,
    /// Whether the command line leaves place, socket and file to the site: then the site's units do
    /// the same as the command.
    pub of_site: bool,
    /// How agents are restored.
    pub restore: Settings,
}

/// What holds when the configuration cannot be used: the command line over the defaults.
pub fn without_file(common: &Common) -> Result<Config, Failure> {
    resolve(common, File::default())
}

/// Loads the configuration; an absent default file is no error, an absent `--config` is.
pub fn load(common: &Common) -> Result<Config, Failure> {
    let file: File = read_file(common.config.as_deref())?.unwrap_or_default();
    resolve(common, file)
}

fn resolve(common: &Common, file: File) -> Result<Config, Failure> {
    let socket = common.socket.clone().or(file.socket).unwrap_or_else(|| "default".to_owned());
    if socket.is_empty() || socket.contains('/') || socket.starts_with('.') {
        let shown = crate::text::escape(socket.as_bytes());
        return Err(Failure::usage(format!("--socket '{shown}' is not a socket name")));
    }
    let seconds = |key: &str, value: f64| {
        let valid = value.is_finite() && value > 0.0 && value <= 86_400.0;
        let refuse = || Failure::usage(format!("{key} = {value}: expected seconds, up to a day"));
        valid.then(|| Duration::from_secs_f64(value)).ok_or_else(refuse)
    };
    let hours = |key: &str, value: f64| {
        let valid = value.is_finite() && (0.0..=87_600.0).contains(&value);
        let refuse = || Failure::usage(format!("{key} = {value}: expected hours, up to ten years"));
        valid.then(|| Duration::from_secs_f64(value * 3600.0)).ok_or_else(refuse)
    };
    file.keep.check().map_err(Failure::usage)?;
    Ok(Config {
        keep: file.keep,
        state_dir: common
            .state_dir
            .as_ref()
            .or(file.state_dir.as_ref())
            .map(|dir| absolute(dir))
            .transpose()?,
        user_map: common.user_map.clone().or(file.user_map).unwrap_or_else(|| USER_MAP.into()),
        socket,
        save_deadline: seconds("save_deadline_seconds", file.save_deadline_seconds)?,
        restore_deadline: seconds("restore_deadline_seconds", file.restore_deadline_seconds)?,
        tmux_deadline: seconds("tmux_deadline_seconds", file.tmux_deadline_seconds)?,
        parallel_users: file.parallel_users.clamp(1, 256),
        lost_window: hours("lost_window_hours", file.lost_window_hours)?,
        max_age: Duration::from_secs(60 * u64::from(file.status.max_age_minutes)),
        retention: file.retention,
        save_on_change: file.save_on_change,
        path: common.config.as_ref().map(|path| absolute(path)).transpose()?,
        of_site: common.state_dir.is_none() && common.socket.is_none() && common.config.is_none(),
        restore: restore_settings(&file.restore)?,
    })
}

fn restore_settings(part: &Restore) -> Result<Settings, Failure> {
    let refuse = |key: &str, value: &str, expected: &str| {
        let value = crate::text::escape(value.as_bytes());
        Failure::usage(format!("restore.{key} = '{value}': expected {expected}"))
    };
    Ok(Settings {
        mode: Mode::parse(&part.mode)
            .ok_or_else(|| refuse("mode", &part.mode, "eager, lazy or auto"))?,
        memory: Memory::parse(&part.memory_budget).ok_or_else(|| {
            refuse("memory_budget", &part.memory_budget, "a share (50%) or a size (8G)")
        })?,
        at_once: part.at_once.clamp(1, 64),
        ..Settings::default()
    })
}

impl Config {
    /// The state directory of the site, where root keeps every user's.
    pub fn site_state_dir(&self) -> PathBuf {
        self.state_dir.clone().unwrap_or_else(|| STATE_DIR.into())
    }
}

/// A user's process works in another directory than the caller.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

/// Reads the file that is named, or the default one if it is there.
pub(crate) fn read_file<T: DeserializeOwned>(named: Option<&Path>) -> Result<Option<T>, Failure> {
    let default = Path::new(CONFIG);
    let path = named.or_else(|| default.exists().then_some(default));
    path.map(read).transpose()
}

/// Reads the file; for root, only one that nobody else could have changed.
fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    if accounts::is_root() {
        trusted_path::assert_roots_own(path)
            .map_err(|error| Failure::refused(error.to_string()))?;
    }
    let bytes = fs::read(path, MAX_CONFIG).map_err(|error| Failure::usage(error.to_string()))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::usage(format!("{}: not UTF-8", path.display())))?;
    toml::from_str(&text).map_err(|error| {
        let before = error.span().map_or("", |span| &text[..span.start.min(text.len())]);
        let line = before.matches('\n').count() + 1;
        let key = key_of(before, error.message());
        Failure::usage(format!("{}:{line}: {key}{}", path.display(), error.message()))
    })
}

/// The key before a value of another type than wanted: the parser's own message has its line alone.
fn key_of(before: &str, message: &str) -> String {
    let key = before.rsplit('\n').next().and_then(|line| line.trim_end().strip_suffix('='));
    let key = key.filter(|_| message.starts_with("invalid ")).map(str::trim);
    key.map_or_else(String::new, |key| format!("{}: ", key.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::{File, NAMES};

    #[test]
    fn the_names_that_the_other_program_passes_over_are_those_of_this_file() {
        let error = toml::from_str::<File>("neither = 1\n").unwrap_err();
        let known = error.message().split_once("expected one of ").unwrap().1;
        let known: Vec<&str> = known.split(", ").map(|name| name.trim_matches('`')).collect();
        assert_eq!(known, [&NAMES[..], &["provision"]].concat());
    }
}
