//! The snapshot (cookies and storage) that the caller's browser tool begins with: fetched from the site's
//! server with the caller's own token. An answer that is not a snapshot leaves the old one.

use super::{HomeError, files};
use crate::sys::Dir;
use crate::sys::fs::Existing;
use crate::sys::net::http::{Client, HttpError};
use crate::sys::net::secret;
use serde_json::Value;
use std::fmt;
use std::path::Path;
use std::time::Duration;

const TOKEN_DIRECTORIES: [&str; 2] = [".config", "playwright"];
const TOKEN: &str = "token";
const CACHE: &str = ".cache";
/// The snapshot, in [`CACHE`].
const SNAPSHOT: &str = "playwright-shared-storage-state.json";
/// How long the server may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// Maximum size of a snapshot, in bytes.
const MAX_SNAPSHOT: u64 = 32 << 20;

/// Why there is no new snapshot. The old one is as it was.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error(transparent)]
    File(#[from] crate::sys::FileError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the server answered with status {0}: the snapshot is left as it was")]
    Status(u16),
    #[error("the answer is not a snapshot ({0}): the snapshot is left as it was")]
    Form(&'static str),
}

/// What a new snapshot holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Refreshed {
    pub cookies: usize,
    pub origins: usize,
}

impl fmt::Display for Refreshed {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "~/{CACHE}/{SNAPSHOT}: {} cookies, {} origins", self.cookies, self.origins)
    }
}

/// Fetches the snapshot at `url` and replaces the one in the home (0600); `None` if there is no token.
pub fn refresh(url: &str, ca_file: Option<&Path>) -> Result<Option<Refreshed>, SnapshotError> {
    let home = files::open_home()?;
    let mut dir = files::open_home()?;
    for name in TOKEN_DIRECTORIES {
        match files::dir(&dir, name)? {
            Some(below) => dir = below,
            None => return Ok(None),
        }
    }
    let token = match dir.open_file(TOKEN) {
        Ok(file) => secret::read_open(file, &dir.path().join(TOKEN))?,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let client = Client::new("authorization", token.prefixed("Bearer "), DEADLINE, ca_file)?;
    let answer = client.get(url, MAX_SNAPSHOT)?;
    if answer.status != 200 {
        return Err(SnapshotError::Status(answer.status));
    }
    let refreshed = check(&answer.body)?;
    put(&files::ensure_dir(&home, CACHE)?, &answer.body)?;
    Ok(Some(refreshed))
}

fn put(cache: &Dir, body: &[u8]) -> Result<(), SnapshotError> {
    Ok(cache.write(SNAPSHOT, body, Existing::Replaced)?)
}

/// Checks that an answer has the form of Playwright's storage state.
fn check(body: &[u8]) -> Result<Refreshed, SnapshotError> {
    let value: Value = serde_json::from_slice(body).map_err(|_| SnapshotError::Form("not JSON"))?;
    let count = |key: &str| value.get(key).and_then(Value::as_array).map(Vec::len);
    let cookies = count("cookies").ok_or(SnapshotError::Form("no list of cookies"))?;
    let origins = count("origins").ok_or(SnapshotError::Form("no list of origins"))?;
    Ok(Refreshed { cookies, origins })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_with_cookies_and_origins_is_a_snapshot() {
        let done = check(br#"{"cookies": [{}, {}], "origins": [{}]}"#).unwrap();
        assert_eq!(done, Refreshed { cookies: 2, origins: 1 });
        for other in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"cookies": []}"#,
            r#"{"origins": []}"#,
            r#"{"cookies": {}, "origins": []}"#,
            r#"{"cookies": 1, "origins": 1}"#,
            "<html>Sign in</html>",
            "{\"cookies\": [], \"origins\": [",
        ] {
            assert!(check(other.as_bytes()).is_err(), "{other}");
        }
    }
}
