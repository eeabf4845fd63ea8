//! Downloads a file whose hash is known: to a temporary file, bounded, with a deadline.

use super::http::{HttpError, authorities, check_address, host, reason};
use crate::sys::fs::{FileError, StagedFile};
use crate::text::io_reason;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;
use ureq::tls::TlsConfig;

/// Limits of a download.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Maximum size, in bytes.
    pub size: u64,
    pub within: Duration,
    /// Whether `http://` and `file://` are allowed: the hash is checked in any case.
    pub insecure: bool,
}

/// Why a file was not downloaded.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{host}: status {status}")]
    Status { host: String, status: u16 },
    #[error("{host}: more than {limit} bytes")]
    TooLarge { host: String, limit: u64 },
    #[error("{host}: {}", io_reason(source))]
    Interrupted { host: String, source: io::Error },
}

/// Downloads `url` into `into`. Redirects are followed (releases are served by other hosts than their
/// addresses name), only to `https://` unless `insecure`. No proxy from the environment is used.
pub fn fetch(url: &str, bounds: Bounds, into: &mut StagedFile<'_>) -> Result<(), FetchError> {
    if let Some(path) = url.strip_prefix("file://").filter(|_| bounds.insecure) {
        let failed = |source| FileError { doing: "reading", path: path.into(), source };
        if !Path::new(path).metadata().map_err(failed)?.is_file() {
            return Err(FileError::refused("reading", path, "not a regular file").into());
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
    let answer = config.new_agent().get(url).call();
    let mut response = answer.map_err(|error| no_answer(reason(&error)))?;
    if response.status() != 200 {
        let status = response.status().as_u16();
        return Err(FetchError::Status { host: host(url).to_owned(), status });
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
        let interrupted = |source| FetchError::Interrupted { host: host(url).to_owned(), source };
        let read = read.map_err(interrupted)?;
        if read == 0 {
            return Ok(());
        }
        total += read as u64;
        if total > limit {
            return Err(FetchError::TooLarge { host: host(url).to_owned(), limit });
        }
        into.write(&buffer[..read])?;
    }
}
