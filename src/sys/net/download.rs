//! Downloading a file whose bytes are known by their hash: to a place beside the target, bounded, under
//! one deadline.

use super::http::{HttpError, authorities, check_address, host, reason};
use crate::sys::fs::StagedFile;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;
use ureq::tls::TlsConfig;

/// What may be fetched how.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// More bytes than these are refused.
    pub size: u64,
    /// How long it may take.
    pub within: Duration,
    /// Whether `http://` and `file://` will do: the hash counts, not the way.
    pub insecure: bool,
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server.
    #[error("{0}")]
    Http(#[from] HttpError),
    /// The disk.
    #[error("{0}")]
    File(#[from] crate::sys::fs::FileError),
    /// The answer.
    #[error("{0}")]
    Answer(String),
}

/// Fetches `url` into `into`. Redirects are followed (releases are served by other hosts than their
/// addresses name), to `https://` only unless `insecure`. No proxy of the environment's is used.
pub fn fetch(url: &str, bounds: Bounds, into: &mut StagedFile<'_>) -> Result<(), FetchError> {
    if let Some(path) = url.strip_prefix("file://").filter(|_| bounds.insecure) {
        let failed = |error| FetchError::Answer(format!("reading {path}: {error}"));
        if !Path::new(path).metadata().map_err(failed)?.is_file() {
            return Err(FetchError::Answer(format!("reading {path}: not a regular file")));
        }
        let file = File::open(Path::new(path)).map_err(failed)?;
        return copy(file, url, bounds.size, into);
    }
    check_address(url)?;
    let tls = TlsConfig::builder().root_certs(authorities(None)?).build();
    let config = ureq::Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .https_only(!bounds.insecure)
        .max_redirects(5)
        .http_status_as_error(false)
        .timeout_global(Some(bounds.within))
        .user_agent(concat!("terminal-lobby/", env!("CARGO_PKG_VERSION")))
        .build();
    let no_answer = |why: String| HttpError::NoAnswer { host: host(url).to_owned(), why };
    let asked = config.new_agent().get(url).call();
    let mut response = asked.map_err(|error| no_answer(reason(&error)))?;
    if response.status() != 200 {
        let why = format!("{}: the answer is status {}", host(url), response.status().as_u16());
        return Err(FetchError::Answer(why));
    }
    copy(response.body_mut().as_reader(), url, bounds.size, into)
}

fn copy(
    mut from: impl Read,
    url: &str,
    limit: u64,
    into: &mut StagedFile<'_>,
) -> Result<(), FetchError> {
    let (mut total, mut buffer) = (0_u64, vec![0; 64 << 10]);
    loop {
        let read = from.read(&mut buffer);
        let read = read.map_err(|error| FetchError::Answer(format!("{}: {error}", host(url))))?;
        if read == 0 {
            return Ok(());
        }
        total += read as u64;
        if total > limit {
            let why = format!("{}: an answer of more than {limit} bytes", host(url));
            return Err(FetchError::Answer(why));
        }
        into.write(&buffer[..read])?;
    }
}
