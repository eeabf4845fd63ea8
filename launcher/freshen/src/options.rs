//! How long freshening may take, and how much of it happens at once.

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// How to freshen.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// For everything together.
    pub deadline: Duration,
    /// How many repositories at once; more when all of these are stuck.
    pub at_once: usize,
    /// What was fetched less than this ago is not fetched again.
    pub fresh_for: Duration,
    /// Becomes readable when the user wants to go on at once (a pipe, an eventfd, a signalfd);
    /// it is not read from.
    pub cancel: Option<BorrowedFd<'a>>,
    /// Set for git, over the caller's own environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Set by tests alone: in a clone, git runs what the clone's owner likes.
    pub even_as_root: bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            at_once: 8,
            fresh_for: Duration::from_mins(1),
            cancel: None,
            environment: Vec::new(),
            even_as_root: false,
        }
    }
}
