//! How long an update may take, and how many clones are updated at the same time.

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// How clones are updated.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// For all clones together.
    pub deadline: Duration,
    /// How many repositories are updated at the same time; more if all of them are stuck.
    pub at_once: usize,
    /// A repository that was fetched less than this ago is not fetched again.
    pub fresh_for: Duration,
    /// Becomes readable when the user wants to stop the update (a pipe, an eventfd, a signalfd); it is
    /// not read.
    pub cancel: Option<BorrowedFd<'a>>,
    /// Variables for git, over the caller's environment.
    pub environment: Vec<(OsString, OsString)>,
    /// For tests only: git runs what the owner of a clone configured.
    pub even_as_root: bool,
}

impl Options<'_> {
    /// A copy that borrows nothing.
    pub(crate) fn without_cancel(&self) -> Options<'static> {
        Options {
            deadline: self.deadline,
            at_once: self.at_once,
            fresh_for: self.fresh_for,
            cancel: None,
            environment: self.environment.clone(),
            even_as_root: self.even_as_root,
        }
    }
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
