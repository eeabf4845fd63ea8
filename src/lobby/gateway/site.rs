//! The addresses: what browsers use, and where connections come from.

use crate::auth::Origins;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where connections come from when systemd hands over no socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listen {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Listen {
    /// Parses where to listen; gives why it is no such place.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(_) => Err("unix: needs an absolute path"),
            None => match text.parse::<SocketAddr>() {
                Ok(address) if address.ip().is_loopback() => Ok(Self::Tcp(address)),
                Ok(_) => Err("is no loopback address: a proxy with TLS belongs before the lobby"),
                Err(_) => Err("is neither an address with a port nor unix:/path"),
            },
        }
    }
}

/// The address of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) scheme: &'static str,
    /// With the port, unless it is the scheme's own.
    pub(crate) host: String,
}

impl Site {
    pub(crate) fn is_secure(&self) -> bool {
        self.scheme == "https"
    }

    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.host)
    }

    /// The host without its port.
    pub(crate) fn name(&self) -> &str {
        let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        match self.host.rsplit_once(':') {
            Some((name, port)) if is_port(port) => name,
            _ => &self.host,
        }
    }

    pub(crate) fn origins(&self) -> Origins {
        Origins::of(self.scheme, &self.host)
    }

    /// Parses `https://lobby.example.org`; gives why it is none.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, port, rest) =
            match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
                (Some(rest), _) => ("https", ":443", rest),
                (_, Some(rest)) => ("http", ":80", rest),
                _ => return Err("begins neither with https:// nor with http://"),
            };
        let host = rest.strip_suffix('/').unwrap_or(rest);
        let host = host.strip_suffix(port).unwrap_or(host).to_ascii_lowercase();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
        if host.is_empty() || !host.chars().all(is_plain) {
            return Err("is not scheme://host[:port], without a path");
        }
        Ok(Self { scheme, host })
    }
}
