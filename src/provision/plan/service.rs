//! The services of a user that have a port, and their environment files (pure).

use crate::provision::paths::{playwright_file, service_file};
use crate::provision::state::digest;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Service {
    Terminal,
    /// The browser tool.
    Playwright,
}

impl Service {
    /// The key of the port.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Terminal => "T3_PORT",
            Self::Playwright => "PLAYWRIGHT_PORT",
        }
    }

    /// The name of the unit, before the `@`.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::Terminal => "t3-serve",
            Self::Playwright => "playwright-mcp",
        }
    }

    /// The path of the environment file.
    pub(super) fn file(self, user: &str) -> String {
        match self {
            Self::Terminal => service_file(user),
            Self::Playwright => playwright_file(user),
        }
    }

    /// The name of the change that sets the key.
    pub(super) fn change_id(self, user: &str) -> String {
        format!("{user}/{}", self.key())
    }
}

/// A short number as it is, every other value as its hash: it may be a secret.
pub(super) fn shown_port(value: &[u8]) -> String {
    let text = std::str::from_utf8(value).unwrap_or_default();
    let digits = !text.is_empty() && text.len() <= 8 && text.chars().all(|c| c.is_ascii_digit());
    if digits { text.to_owned() } else { digest::short(value) }
}
