//! Requests to an HTTP server that need not be trusted: no redirects, no proxy from the environment, a
//! bounded answer, one deadline for all requests together.

use super::secret::Secret;
use crate::sys::fs;
use crate::text::shown;
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

/// Why there is no answer. The header with the secret is never part of it.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is invalid.
    #[error("the address {0}")]
    Address(&'static str),
    /// The certificates of the authorities cannot be used.
    #[error("{0}")]
    Authorities(String),
    /// It did not answer, not in time, or with too much.
    #[error("{host}: {why}")]
    NoAnswer { host: String, why: String },
}

/// A server's answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// A client that sends one secret header, until one deadline.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    header: &'static str,
    secret: Secret,
    end: Instant,
}

impl Client {
    /// A client whose requests all end `within`. Servers are checked with the authorities in `ca_file`,
    /// else with the host's.
    pub fn new(
        header: &'static str,
        secret: Secret,
        within: Duration,
        ca_file: Option<&Path>,
    ) -> Result<Self, HttpError> {
        let agent = agent(None, Some(authorities(ca_file)?));
        Ok(Self { agent, header, secret, end: Instant::now() + within })
    }

    /// Sends a request. An answer of more than `limit` bytes is an error.
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

/// A client for requests that are made elsewhere: a protocol's own library. Each has its deadline.
#[derive(Debug, Clone)]
pub struct Messenger {
    agent: ureq::Agent,
}

impl Messenger {
    /// A client whose requests each take at most `within`. Servers are checked with the authorities in `ca_file`,
    /// else with the host's.
    pub fn new(within: Duration, ca_file: Option<&Path>) -> Result<Self, HttpError> {
        Ok(Self { agent: agent(Some(within), Some(authorities(ca_file)?)) })
    }

    /// A client for a server on this host alone, without certificates. Requests each take at most `within`.
    pub fn to_loopback(within: Duration) -> Self {
        Self { agent: agent(Some(within), None) }
    }

    /// Sends a request. An answer of more than `limit` bytes is an error.
    pub fn send(
        &self,
        request: ureq::http::Request<Vec<u8>>,
        limit: u64,
    ) -> Result<ureq::http::Response<Vec<u8>>, HttpError> {
        let url = request.uri().to_string();
        check_address(&url)?;
        let no_answer = |error: &ureq::Error| HttpError::NoAnswer {
            host: host(&url).to_owned(),
            why: reason(error),
        };
        let (parts, body) = request.into_parts();
        let answer = if body.is_empty() {
            self.agent.run(ureq::http::Request::from_parts(parts, ()))
        } else {
            self.agent.run(ureq::http::Request::from_parts(parts, body))
        };
        let (parts, mut body) = answer.map_err(|error| no_answer(&error))?.into_parts();
        let bytes =
            body.with_config().limit(limit).read_to_vec().map_err(|error| no_answer(&error))?;
        Ok(ureq::http::Response::from_parts(parts, bytes))
    }

    /// Sends a request; gives the status of the answer and its `Retry-After`. Nothing else of it is read.
    pub fn deliver(
        &self,
        request: ureq::http::Request<Vec<u8>>,
    ) -> Result<(u16, Option<String>), HttpError> {
        let url = request.uri().to_string();
        check_address(&url)?;
        let answer = self.agent.run(request).map_err(|error| HttpError::NoAnswer {
            host: host(&url).to_owned(),
            why: reason(&error),
        })?;
        let after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
        Ok((answer.status().as_u16(), after.map(str::to_owned)))
    }
}

/// What sends the requests, each within `each`, if that is given. Servers with TLS are checked with
/// these authorities.
fn agent(each: Option<Duration>, authorities: Option<RootCerts>) -> ureq::Agent {
    let mut config = ureq::Agent::config_builder()
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_global(each)
        .user_agent(concat!("terminal-lobby/", env!("CARGO_PKG_VERSION")));
    if each.is_some() {
        // A server closes idle connections, and a POST on one that it has just closed fails.
        config = config.max_idle_connections(0);
    }
    if let Some(authorities) = authorities {
        config = config.tls_config(TlsConfig::builder().root_certs(authorities).build());
    }
    config.build().new_agent()
}

/// Whether the secret would be sent unencrypted to another host.
pub fn is_exposed(url: &str) -> bool {
    let name = host(url);
    let local = ["localhost", "127.0.0.1", "[::1]"];
    let local = local.iter().any(|local| {
        name.strip_prefix(local).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    });
    url.starts_with("http://") && !local
}

/// Checks an address. The error does not repeat it: it may contain a password.
pub fn check_address(url: &str) -> Result<(), HttpError> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or(HttpError::Address("begins with neither https:// nor http://"))?;
    if rest.chars().any(|c| c.is_control() || c.is_whitespace() || !c.is_ascii()) {
        return Err(HttpError::Address("contains characters that must be escaped"));
    }
    let host = host(url);
    if host.contains('@') {
        return Err(HttpError::Address("contains a user or a password: use a token file instead"));
    }
    if host.is_empty() || host.starts_with(':') {
        return Err(HttpError::Address("names no host"));
    }
    Ok(())
}

pub fn host(url: &str) -> &str {
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
        ureq::Error::Io(error) => crate::text::io_reason(error),
        other => other.to_string(),
    }
}

pub(crate) fn authorities(ca_file: Option<&Path>) -> Result<RootCerts, HttpError> {
    let present = HOST_BUNDLES.iter().map(Path::new).find(|bundle| bundle.exists());
    let Some(file) = ca_file.or(present) else { return Ok(RootCerts::WebPki) };
    let failed = |why: &str| HttpError::Authorities(format!("{}: {why}", shown(file)));
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
        return Err(failed("contains no certificate"));
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
