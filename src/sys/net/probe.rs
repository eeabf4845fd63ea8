//! Whether a server answers, and what time it has.

use super::http::{HttpError, authorities, check_address, host, reason};
use crate::sys::clock::Epoch;
use std::time::Duration;
use ureq::tls::TlsConfig;

/// How a server answered that was sent nothing but a request.
#[derive(Debug)]
pub struct Probe {
    pub status: u16,
    /// The server's clock; `None` if it does not say.
    pub date: Option<Epoch>,
}

/// Asks for an address, with the host's authorities; follows no redirect and reads no body.
pub fn probe(url: &str, within: Duration) -> Result<Probe, HttpError> {
    check_address(url)?;
    let config = ureq::Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(authorities(None)?).build())
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_global(Some(within))
        .user_agent(concat!("terminal-lobby/", env!("CARGO_PKG_VERSION")))
        .build();
    let failed = |error: ureq::Error| HttpError::NoAnswer {
        host: host(url).to_owned(),
        why: reason(&error),
    };
    let response = config.new_agent().get(url).call().map_err(failed)?;
    let date = response.headers().get("date").and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| chrono::DateTime::parse_from_rfc2822(date).ok());
    let date = date.and_then(|date| Epoch::try_from(date.timestamp()).ok());
    Ok(Probe { status: response.status().as_u16(), date })
}
