//! Why an agent gave no answer.

/// The reasons: each has a word for the metrics and a sentence for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Failure {
    /// There is no socket: the user has no agent on this host.
    Missing,
    /// Nothing takes the connection.
    Refused,
    /// The socket is another user's.
    Foreign,
    Slow,
    /// Its answer is no HTTP, or none that may be passed on.
    Garbled,
}

impl Failure {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Refused => "refused",
            Self::Foreign => "foreign",
            Self::Slow => "slow",
            Self::Garbled => "garbled",
        }
    }

    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Missing => "the lobby of this user is not set up on this host",
            Self::Refused => "the lobby's part of this user cannot be reached",
            Self::Foreign => "the lobby's socket of this user is another user's",
            Self::Slow => "the lobby's part of this user does not answer",
            Self::Garbled => "the lobby's part of this user gives no valid answer",
        }
    }
}
