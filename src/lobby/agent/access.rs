//! Who asks, and whether they may change anything: as the gateway says it.

use crate::present::UNKNOWN;
use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Maximum length of an identity, in bytes.
const MAX_ACTOR: usize = 256;

/// What a connection may do, and on whose behalf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Nothing is changed, and a terminal only watches.
    pub(super) watch: bool,
    /// The identity of somebody else than the user whose sessions these are.
    pub(super) onlooker: Option<String>,
    /// How much can be reached.
    pub(super) reach: Reach,
}

/// How much of the user's lobby a connection can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    /// The user's own, or that of an admin who looks.
    All,
    /// What the user shares with this person: what the user's own file says of it.
    Shared,
    /// One conversation, by the hash of a link's secret; and by what its viewers are counted.
    Link { hash: String, viewer: String },
}

impl Access {
    /// That of the user.
    pub fn own() -> Self {
        Self { watch: false, onlooker: None, reach: Reach::All }
    }

    /// That of one who has a link.
    pub fn by_link(hash: String, viewer: String) -> Self {
        Self {
            watch: true,
            onlooker: Some(UNKNOWN.to_owned()),
            reach: Reach::Link { hash, viewer },
        }
    }

    /// Whether it is the user who asks, and may change things.
    pub(super) fn is_own(&self) -> bool {
        !self.watch && self.onlooker.is_none()
    }

    /// `None` if the headers do not say it, or not once.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let one = |name: &str| {
            let mut all = headers.get_all(name).iter();
            let value = all.next();
            match (value, all.next()) {
                (Some(value), None) => value.to_str().ok().map(Some),
                (None, _) => Some(None),
                _ => None,
            }
        };
        let actor = one("x-lobby-actor")??;
        let is_fit = (1..=MAX_ACTOR).contains(&actor.len());
        let (watch, reach) = match one("x-lobby-access")?? {
            "drive" => (false, Reach::All),
            "watch" => (true, Reach::All),
            "share" => (true, Reach::Shared),
            "link" => {
                let (hash, viewer) = (one("x-lobby-link")??, one("x-lobby-viewer")??);
                let is_fit = hash.len() == 64 && (1..=MAX_ACTOR).contains(&viewer.len());
                let reach = Reach::Link { hash: hash.to_owned(), viewer: viewer.to_owned() };
                is_fit.then_some((true, reach))?
            }
            _ => return None,
        };
        let is_owner = match one("x-lobby-owner")? {
            Some("yes") => true,
            Some("no") => false,
            None => !watch,
            Some(_) => return None,
        };
        // A share is another person's, whatever else is said.
        let is_owner = is_owner && reach == Reach::All;
        is_fit.then(|| Self { watch, onlooker: (!is_owner).then(|| actor.to_owned()), reach })
    }
}

/// Lets a request of the gateway's in, with what it may do.
pub(crate) async fn from_gateway(mut request: Request, next: Next) -> Response {
    match Access::of(request.headers()) {
        Some(access) => {
            request.extensions_mut().insert(access);
            next.run(request).await
        }
        None => refused(StatusCode::BAD_REQUEST, "the gateway does not say who asks"),
    }
}

/// Refuses everyone but the user whose lobby it is.
pub(super) async fn only_own(request: Request, next: Next) -> Response {
    match request.extensions().get::<Access>() {
        Some(Access { onlooker: None, watch: false, .. }) => next.run(request).await,
        _ => refused(StatusCode::FORBIDDEN, "this is the user's own"),
    }
}

/// Refuses what only the user does.
pub(super) fn not_own() -> Response {
    refused(StatusCode::FORBIDDEN, "only their user may do this")
}

pub(super) fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(serde_json::json!({ "error": error }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn access(headers: &[(&str, &str)]) -> Option<Access> {
        let pairs = headers.iter().map(|(name, value)| {
            let name: HeaderName = format!("x-lobby-{name}").parse().unwrap();
            (name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
        });
        Access::of(&pairs.collect())
    }

    #[test]
    fn the_gateway_says_who_asks_and_what_they_may() {
        let own = [("actor", "alice@example.org"), ("access", "drive"), ("owner", "yes")];
        assert_eq!(access(&own), Some(Access::own()));
        assert_eq!(access(&own[..2]), Some(Access::own()));
        let watch = Access { watch: true, onlooker: Some("root".into()), reach: Reach::All };
        assert_eq!(access(&[("actor", "root"), ("access", "watch")]), Some(watch.clone()));
        let no = [("actor", "root"), ("access", "watch"), ("owner", "no")];
        assert_eq!(access(&no), Some(watch));
    }

    #[test]
    fn a_share_is_never_the_owner_and_a_link_says_which() {
        let share = [("actor", "ann"), ("access", "share"), ("owner", "yes")];
        let guest = Access { watch: true, onlooker: Some("ann".into()), reach: Reach::Shared };
        assert_eq!(access(&share), Some(guest));
        let hash = "0".repeat(64);
        let link = [("actor", "-"), ("access", "link"), ("link", &hash), ("viewer", "b:1")];
        assert_eq!(access(&link), Some(Access::by_link(hash.clone(), "b:1".into())));
        assert_eq!(access(&link[..3]), None);
        assert_eq!(access(&[link[0], link[1], ("link", "0"), link[3]]), None);
    }

    #[test]
    fn what_it_does_not_say_or_says_twice_is_refused() {
        let long = "x".repeat(257);
        for wrong in [
            &[][..],
            &[("actor", "a")],
            &[("access", "drive")],
            &[("actor", ""), ("access", "drive")],
            &[("actor", &long), ("access", "drive")],
            &[("actor", "a"), ("access", "DRIVE")],
            &[("actor", "a"), ("access", "drive"), ("access", "watch")],
            &[("actor", "a"), ("actor", "b"), ("access", "drive")],
            &[("actor", "a"), ("access", "drive"), ("owner", "maybe")],
            &[("actor", "\u{e9}"), ("access", "drive")],
        ] {
            assert_eq!(access(wrong), None, "{wrong:?}");
        }
    }
}
