//! Why an instance gave no answer.

/// The reasons: each has a word for the metrics and a sentence for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Failure {
    /// Nothing listens: it starts, or is down.
    Refused,
    /// The port is another account's.
    Foreign,
    Slow,
    /// Its answer is no HTTP.
    Garbled,
}

impl Failure {
    pub(super) const ALL: [Self; 4] = [Self::Refused, Self::Foreign, Self::Slow, Self::Garbled];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Foreign => "foreign",
            Self::Slow => "slow",
            Self::Garbled => "garbled",
        }
    }

    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Refused => "your T3 Code is starting, or is down",
            Self::Foreign => "the port of your T3 Code is another account's",
            Self::Slow => "your T3 Code does not answer",
            Self::Garbled => "your T3 Code gives no valid answer",
        }
    }
}
