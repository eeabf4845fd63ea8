//! The settings of this part: `/etc/terminal-lobby/t3.toml`. Each key has a default, and unknown keys are errors.

use crate::sys::fs::FileError;
use crate::sys::fs::trusted_path;
use crate::t3::backup::Limits;
use crate::t3::enforce::settings::Enforce;
use crate::t3::paths::Paths;
use crate::text::shown;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// Maximum size of the file, in bytes.
const MAX_FILE: u64 = 64 << 10;

/// What a site sets.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub enforce: Enforce,
    pub mint: Mint,
    pub watchdog: Watchdog,
    /// What bounds a backup, and how many are kept: `[backup]`.
    pub backup: Limits,
}

/// How credentials are made: `[mint]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mint {
    /// The accounts that may ask for credentials, besides root.
    pub accounts: Vec<String>,
    /// How long one may take, with all checks.
    #[serde(deserialize_with = "seconds")]
    pub deadline_seconds: Duration,
    /// How many requests are worked on at once; the others wait.
    pub parallel: usize,
}

impl Default for Mint {
    fn default() -> Self {
        let accounts = vec!["lobby".to_owned()];
        Self { accounts, deadline_seconds: Duration::from_secs(20), parallel: 16 }
    }
}

/// When an instance that does not answer is restarted: `[watchdog]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watchdog {
    /// How long an instance may take to answer.
    #[serde(deserialize_with = "seconds")]
    pub deadline_seconds: Duration,
    /// After how many failures in a row it is restarted.
    pub failures: u32,
    /// An instance that was started at most this long ago is left alone.
    #[serde(deserialize_with = "seconds")]
    pub grace_seconds: Duration,
    /// How many restarts in `window_seconds` are tried.
    pub restarts: usize,
    #[serde(deserialize_with = "seconds")]
    pub window_seconds: Duration,
}

impl Default for Watchdog {
    fn default() -> Self {
        Self {
            deadline_seconds: Duration::from_secs(10),
            failures: 3,
            grace_seconds: Duration::from_mins(2),
            restarts: 3,
            window_seconds: Duration::from_mins(30),
        }
    }
}

/// A duration in seconds, more than 0 and at most a day.
fn seconds<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(from)?;
    if seconds > 0.0 && seconds <= 86400.0 {
        return Ok(Duration::from_secs_f64(seconds));
    }
    Err(serde::de::Error::custom("not more than 0 and at most 86400 seconds"))
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}: {why}", shown(path))]
    Invalid { path: PathBuf, why: String },
}

impl Settings {
    /// Reads the settings of a host; the defaults if there is no file.
    ///
    /// # Errors
    /// If the file is not root's own, or not of the form.
    pub fn read(paths: &Paths) -> Result<Self, SettingsError> {
        let path = paths.settings();
        let bytes = match trusted_path::read_as_caller(&path, MAX_FILE) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Ok(Self::default()),
            Err(error) => return Err(error.into()),
        };
        let invalid = |why: String| SettingsError::Invalid { path: path.clone(), why };
        let text = std::str::from_utf8(&bytes).map_err(|error| invalid(error.to_string()))?;
        toml::from_str(text).map_err(|error| invalid(error.to_string().trim_end().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_settings_has_the_defaults_and_a_misspelt_key_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::below(dir.path());
        assert_eq!(Settings::read(&paths).unwrap().mint.accounts, ["lobby"]);
        let file = paths.settings();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "[watchdog]\ngrace_seconds = 0.5\n[mint]\naccounts = []\n").unwrap();
        let settings = Settings::read(&paths).unwrap();
        assert_eq!(settings.watchdog.grace_seconds, Duration::from_millis(500));
        assert_eq!((settings.watchdog.failures, settings.mint.accounts.len()), (3, 0));
        for text in ["[mint]\naccount = []", "[watchdog]\ngrace_seconds = 0", "[watch]"] {
            std::fs::write(&file, text).unwrap();
            let error = Settings::read(&paths).unwrap_err().to_string();
            assert!(error.contains("t3.toml: "), "{error}");
        }
    }
}
