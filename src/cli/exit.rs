//! Exit codes, one table for both programs, and the error that ends a program.

use crate::supervisor;
use crate::supervisor::error::Kind;
use crate::sys::FileError;
use std::process::ExitCode;

/// How a program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything was done.
    Done,
    /// 1: it failed, wholly or for some users.
    Failed,
    /// 2: the arguments or the configuration are invalid.
    Usage,
    /// 2: there are differences, for a caller who asked for a detailed exit code.
    Differs,
    /// 3: it was refused.
    Refused,
    /// 4: something that it depends on could not be determined.
    Unknown,
    /// 5: everything else was done, and something is left to a person.
    LeftToAPerson,
    /// 6: the service manager should start the user's sessions again (`persist watch --by-unit`).
    SessionsToStart,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage | Exit::Differs => 2,
            Exit::Refused => 3,
            Exit::Unknown => 4,
            Exit::LeftToAPerson => 5,
            Exit::SessionsToStart => 6,
        })
    }
}

/// An error that ends the program: printed as `error: MESSAGE`, then `hint: HINT`.
///
/// Typed errors of the rooms become one by `?` where their kind gives the exit code; elsewhere
/// [`Failure::failed`] and its siblings take any error by its `Display`.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What failed, with which file, line, user or argument, and why. Several lines are several
    /// errors.
    pub message: String,
    /// A command or an action that helps, as it can be pasted.
    pub hint: Option<String>,
    /// How the program ends.
    pub exit: Exit,
}

impl Failure {
    /// Exit 1.
    pub fn failed(message: impl ToString) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Exit 2.
    pub fn usage(message: impl ToString) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Exit 3.
    pub fn refused(message: impl ToString) -> Self {
        Self::new(Exit::Refused, message)
    }

    /// Exit 4.
    pub fn unknown(message: impl ToString) -> Self {
        Self::new(Exit::Unknown, message)
    }

    /// Exit 5.
    pub fn left_to_a_person(message: impl ToString) -> Self {
        Self::new(Exit::LeftToAPerson, message)
    }

    #[expect(clippy::needless_pass_by_value, reason = "callers pass errors as they have them")]
    fn new(exit: Exit, message: impl ToString) -> Self {
        Self { message: message.to_string(), hint: None, exit }
    }

    /// Adds what helps.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Adds what helps, if anything does.
    #[must_use]
    pub fn with_optional_hint(self, hint: Option<String>) -> Self {
        Self { hint: hint.or(self.hint), ..self }
    }

    /// For a caller to whom 2 means that there are differences: invalid arguments are 1 then.
    #[must_use]
    pub fn in_detail(self, detailed: bool) -> Self {
        let exit = if detailed && self.exit == Exit::Usage { Exit::Failed } else { self.exit };
        Self { exit, ..self }
    }
}

/// A file that cannot be read or written is exit 1; one that is not root's own where it must be, 3.
impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        if error.is_untrusted() { Self::refused(error) } else { Self::failed(error) }
    }
}

impl From<supervisor::Error> for Failure {
    fn from(error: supervisor::Error) -> Self {
        let exit = match error.kind() {
            Kind::Usage => Exit::Usage,
            Kind::Refused => Exit::Refused,
            Kind::Failed => Exit::Failed,
        };
        Self { message: error.to_string(), hint: error.hint(), exit }
    }
}
