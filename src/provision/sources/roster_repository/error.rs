//! Why there is no roster of a commit, or no commit of a roster.

use crate::sys::FileError;
use crate::sys::accounts::AccountError;

/// Why there is no roster of a commit.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    #[error("the roster's repository: owner: {0}")]
    Owner(#[from] AccountError),
    /// The clone or the list of signers is not root's own.
    #[error(transparent)]
    File(#[from] FileError),
    #[error("fetching the roster's repository {clone}: {why}")]
    Fetch { clone: String, why: String },
    #[error("the roster's repository {clone}: {why}")]
    Git { clone: String, why: String },
    #[error(
        "the roster's repository {clone}: commit {commit} is not signed by an allowed key: {why}"
    )]
    NotSigned { clone: String, commit: String, why: String },
    #[error(
        "the roster's repository {clone}: commit {new} does not follow on {old}, which was applied last"
    )]
    NotForward { clone: String, old: String, new: String },
    #[error(
        "the roster's repository {clone} is root's: commits are made by an account without privileges"
    )]
    OfRoot { clone: String },
    #[error("committing to the roster's repository {clone}: {why}")]
    Commit { clone: String, why: String },
    #[error("pushing from the roster's repository {clone}: {why}")]
    Push { clone: String, why: String },
}

impl RepositoryError {
    /// Whether a rule forbids it, rather than that something failed.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::NotSigned { .. } | Self::NotForward { .. } | Self::OfRoot { .. })
    }

    /// What a person can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotForward { .. } => Some(
                "if the branch was rewritten on purpose, remove roster_commit from \
                 /var/lib/terminal-lobby/applied/written.json",
            ),
            Self::OfRoot { .. } => {
                Some("give the clone to an account of its own, and name it as owner")
            }
            Self::Commit { .. } => Some(
                "the owner needs user.name and user.email in its git configuration, and for a signature \
                 user.signingKey with a key that has no passphrase",
            ),
            _ => None,
        }
    }
}
