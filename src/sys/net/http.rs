//! One question at a time to an HTTP server that need not be trusted: no redirects, no proxy of
//! the environment's, a bounded answer, one deadline for all questions together.

use super::secret::Secret;
use crate::sys::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// Bundles of the authorities that the host trusts, by distribution.
const HOST_BUNDLES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
];
const MAX_BUNDLE: u64 = 8 << 20;

/// Why there is no answer. The header that holds the secret is never part of it.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is none that is asked.
    #[error("the address {0}")]
    Address(&'static str),
    /// The authorities cannot be read.
    #[error("{0}")]
    Authorities(String),
    /// It did not answer, or not in time, or too much.
    #[error("{host}: {why}")]
    NoAnswer {
        /// Whom.
        host: String,
        /// What happened.
        why: String,
    },
}

/// A server's answer.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// No longer than was asked for.
    pub body: Vec<u8>,
}

/// Asks with one secret header, until one deadline.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    header: &'static str,
    secret: Secret,
    end: Instant,
}

impl Client {
    /// A client whose questions all end `within`. Its servers are known by the authorities in
    /// `ca_file`, else by the host's.
    pub fn new(
        header: &'static str,
        secret: Secret,
        within: Duration,
        ca_file: Option<&Path>,
    ) -> Result<Self, HttpError> {
        let tls = TlsConfig::builder().root_certs(authorities(ca_file)?).build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("terminal-lobby/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { agent: config.new_agent(), header, secret, end: Instant::now() + within })
    }

    /// Asks. An answer of more than `limit` bytes is none.
    pub fn get(&self, url: &str, limit: u64) -> Result<Answer, HttpError> {
        check_address(url)?;
        let host = host(url).to_owned();
        let no_answer = |why: String| HttpError::NoAnswer { host: host.clone(), why };
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(no_answer("no answer in time".to_owned()));
        }
        let request = self.agent.get(url).header(self.header, self.secret.text());
        let request = request.header("accept", "application/json");
        let request = request.config().timeout_global(Some(left)).build();
        let mut response = request.call().map_err(|error| no_answer(reason(&error)))?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(limit).read_to_vec();
        Ok(Answer { status, body: body.map_err(|error| no_answer(reason(&error)))? })
    }
}

/// Whether the secret would travel in the clear to another host.
pub fn is_exposed(url: &str) -> bool {
    let name = host(url);
    let local = ["localhost", "127.0.0.1", "[::1]"];
    let local = local.iter().any(|local| {
        name.strip_prefix(local).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    });
    url.starts_with("http://") && !local
}

/// Refuses what is no plain address of a server. The address itself is not repeated: it may hold
/// a password.
pub fn check_address(url: &str) -> Result<(), HttpError> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or(HttpError::Address("begins with neither https:// nor http://"))?;
    if rest.chars().any(|c| c.is_control() || c.is_whitespace() || !c.is_ascii()) {
        return Err(HttpError::Address("holds characters that must be escaped"));
    }
    let host = host(url);
    if host.contains('@') {
        return Err(HttpError::Address("holds a user or a password: give a token file instead"));
    }
    if host.is_empty() || host.starts_with(':') {
        return Err(HttpError::Address("names no host"));
    }
    Ok(())
}

pub(crate) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

pub(crate) fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        ureq::Error::BodyExceedsLimit(limit) => format!("an answer of more than {limit} bytes"),
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            "no answer in time".to_owned()
        }
        other => other.to_string(),
    }
}

pub(crate) fn authorities(ca_file: Option<&Path>) -> Result<RootCerts, HttpError> {
    let present = HOST_BUNDLES.iter().map(Path::new).find(|bundle| bundle.exists());
    let Some(file) = ca_file.or(present) else { return Ok(RootCerts::WebPki) };
    let failed = |why: &str| HttpError::Authorities(format!("{}: {why}", file.display()));
    let pem =
        fs::read(file, MAX_BUNDLE).map_err(|error| HttpError::Authorities(error.to_string()))?;
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|error| failed(&error.to_string()))?
        {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(failed("no certificate in it"));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_lead_elsewhere_or_hold_secrets_are_refused() {
        for url in [
            "ftp://x/",
            "file:///etc/passwd",
            "x",
            "",
            "https://",
            "http://:80/",
            "https://u:p@x/",
            "https://x/a b",
            "https://x/\n",
            "https://é/",
        ] {
            let error = check_address(url).unwrap_err().to_string();
            assert!(!error.contains("u:p"), "{error}");
        }
        for url in ["https://auth.example.com", "http://127.0.0.1:9000/x?y=z"] {
            check_address(url).unwrap();
        }
    }

    #[test]
    fn a_secret_is_exposed_over_plain_http_to_another_host() {
        assert!(is_exposed("http://auth.example.com/x"));
        assert!(is_exposed("http://localhost.example.com"));
        for url in ["https://x", "http://localhost/x", "http://127.0.0.1:80", "http://[::1]:80/"] {
            assert!(!is_exposed(url), "{url}");
        }
    }
}
