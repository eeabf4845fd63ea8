//! Why a request is refused.

use axum::http::StatusCode;

/// The reasons: each has a status, a sentence for the person, and a word for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Refusal {
    Version,
    Method,
    Target,
    Framing,
    Path,
    Host,
    Origin,
    /// It does not come from the login proxy.
    NoProof,
    /// The login proxy's header is there twice, empty, or no name.
    Header,
    NotLoggedIn,
    /// No one of that identity is in the map.
    Unknown,
    Unreadable,
    NotAdmin,
    NoSuchUser,
    TooMany,
    TooManyLogins,
    NoSuchPath,
    /// Nothing of this user is shared with the person.
    NotShared,
    /// There is no such link, or not any more.
    NoLink,
    /// T3 Code: no instance was set up for this person.
    NoInstance,
    /// The instance of this person does not run, on purpose.
    Parked,
    /// The person left.
    Left,
    /// The browser has no session, and asks for no document.
    NoSession,
    /// The tables of instances cannot be read.
    NoTable,
}

impl Refusal {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Target | Self::Framing | Self::Path | Self::Header => StatusCode::BAD_REQUEST,
            Self::Host
            | Self::Origin
            | Self::NoProof
            | Self::Unknown
            | Self::NotAdmin
            | Self::NotShared
            | Self::NoInstance
            | Self::Parked
            | Self::Left => StatusCode::FORBIDDEN,
            Self::NotLoggedIn | Self::NoSession => StatusCode::UNAUTHORIZED,
            Self::Unreadable | Self::NoTable => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoSuchUser | Self::NoSuchPath | Self::NoLink => StatusCode::NOT_FOUND,
            Self::TooMany | Self::TooManyLogins => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Method => "method",
            Self::Target => "target",
            Self::Framing => "framing",
            Self::Path => "path",
            Self::Host => "host",
            Self::Origin => "origin",
            Self::NoProof => "proof",
            Self::Header => "header",
            Self::NotLoggedIn => "not_logged_in",
            Self::Unknown => "unknown",
            Self::Unreadable => "map_unreadable",
            Self::NotAdmin => "not_admin",
            Self::NoSuchUser => "no_such_user",
            Self::TooMany => "too_many",
            Self::TooManyLogins => "too_many_logins",
            Self::NoSuchPath => "no_such_path",
            Self::NotShared => "not_shared",
            Self::NoLink => "no_link",
            Self::NoInstance => "no_instance",
            Self::Parked => "parked",
            Self::Left => "left",
            Self::NoSession => "no_session",
            Self::NoTable => "table_unreadable",
        }
    }

    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Version => "only HTTP/1.1 is spoken here",
            Self::Method => "this method is not used here",
            Self::Target => "the target is not a path",
            Self::Framing => "a body must have a length",
            Self::Path => "the path is not a plain one",
            Self::Host => "this is not the lobby's name",
            Self::Origin => "the request does not come from the lobby's page",
            Self::NoProof => "the request does not come from the login proxy",
            Self::Header => "the login proxy's header is not valid",
            Self::NotLoggedIn => "log in first",
            Self::Unknown => "you have no account on this host",
            Self::Unreadable => "the host's list of users cannot be read at present",
            Self::NotAdmin => "only admins may look at another lobby",
            Self::NoSuchUser => "there is no such user",
            Self::TooMany => "too much is open; close other pages of the lobby",
            Self::TooManyLogins => "too many logins; try again in a minute",
            Self::NoSuchPath => "there is nothing here",
            Self::NotShared => "this user shares nothing with you",
            Self::NoLink => "this link leads to nothing, or not any more",
            Self::NoInstance => "there is no instance of T3 Code for you on this host",
            Self::Parked => "your T3 Code is parked: ask who runs this host to start it again",
            Self::Left => "your account on this host is closed, and your T3 Code with it",
            Self::NoSession => "this browser has no session; load the page again",
            Self::NoTable => "the host's list of instances cannot be read at present",
        }
    }
}
