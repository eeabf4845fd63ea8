//! Reading the configuration file, which both programs share.

use super::exit::Failure;
use crate::supervisor::config::{self, Config, Overrides};
use crate::sys::fs::trusted_path;
use crate::text::{escape, shown};
use serde::de::DeserializeOwned;
use std::path::Path;

pub(crate) const CONFIG: &str = "/etc/terminal-lobby/config.toml";
/// Maximum size of the file, in bytes.
const MAX_CONFIG: u64 = 1 << 20;

/// Loads the configuration; a missing default file is no error, a missing `--config` is.
pub fn load(given: &Overrides) -> Result<Config, Failure> {
    resolve(given, read_file(given.config.as_deref())?.unwrap_or_default())
}

/// The configuration if the file cannot be used: the command line over the defaults.
pub(crate) fn without_file(given: &Overrides) -> Result<Config, Failure> {
    resolve(given, config::File::default())
}

fn resolve(given: &Overrides, file: config::File) -> Result<Config, Failure> {
    config::resolve(given, file).map_err(Failure::usage)
}

/// Reads the named file, or the default one if it exists; for root, only one that no other user could
/// have changed.
pub(crate) fn read_file<T: DeserializeOwned>(named: Option<&Path>) -> Result<Option<T>, Failure> {
    let default = Path::new(CONFIG);
    let path = named.unwrap_or(default);
    match trusted_path::read_as_caller(path, MAX_CONFIG) {
        Ok(bytes) => parse(path, bytes).map(Some),
        Err(error) if error.is_not_found() && named.is_none() => Ok(None),
        Err(error) if error.is_not_found() => {
            Err(Failure::usage(format!("--config {}: no such file", shown(path))))
        }
        Err(error) if error.is_untrusted() => Err(Failure::refused(error)),
        Err(error) => Err(Failure::usage(error)),
    }
}

/// Parses a configuration file.
///
/// # Errors
/// If it is not TOML, or not what is expected: with the file, the line, and the key of a wrong value.
pub fn parse<T: DeserializeOwned>(path: &Path, bytes: Vec<u8>) -> Result<T, Failure> {
    let name = shown(path);
    let text =
        String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{name}: not UTF-8")))?;
    toml::from_str(&text).map_err(|error| {
        let before = error.span().map_or("", |span| &text[..span.start.min(text.len())]);
        let line = before.matches('\n').count() + 1;
        let key = key_of(before, error.message());
        Failure::usage(format!("{name}:{line}: {key}{}", error.message()))
    })
}

/// The key of a value of the wrong type; the parser's own message has only the line.
fn key_of(before: &str, message: &str) -> String {
    let key = before.rsplit('\n').next().and_then(|line| line.trim_end().strip_suffix('='));
    let key = key.filter(|_| message.starts_with("invalid ")).map(str::trim);
    key.map_or_else(String::new, |key| format!("{}: ", escape(key.as_bytes())))
}
