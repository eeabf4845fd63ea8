//! What an owner's agent says of shares, in headers of its answers that no browser gets. An agent speaks for its own
//! user alone: the worst that it can say is that its user shares something.

use super::ending::cut_soon;
use super::index::Shared;
use crate::gateway::audit::Audit;
use crate::gateway::open::Pass;
use crate::gateway::state::Gateway;
use axum::http::HeaderMap;
use terminal_lobby::identity::is_user_name;

/// What may be said to have happened.
const EVENTS: [&str; 10] = [
    "share_watch",
    "share_drive",
    "share_revoked",
    "share_opened",
    "share_read",
    "share_prompted",
    "share_handed_over",
    "link_made",
    "link_revoked",
    "link_opened",
];

/// Learns what the headers of an answer say.
pub(crate) fn learn(gateway: &Gateway, pass: &Pass, headers: &HeaderMap) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(people) = text("x-lobby-shared-with") {
        let shared = Shared::parse(people, text("x-lobby-links").unwrap_or_default());
        if gateway.index.take(&pass.target, shared) {
            let of_task = gateway.clone();
            tokio::spawn(async move { of_task.index.write().await });
            cut_soon(gateway);
        }
    }
    if let Some(event) = text("x-lobby-share-event") {
        note(gateway, &pass.target, event);
    }
}

fn note(gateway: &Gateway, owner: &str, event: &str) {
    let mut words = event.split(' ');
    let (Some(kind), Some(person), Some(session), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return;
    };
    let Some(kind) = EVENTS.iter().find(|known| **known == kind) else { return };
    let is_id = session.len() == 16 && session.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id && (is_user_name(person) || person == "-") {
        Audit::shared(kind, person, owner, session);
        gateway.metrics.shared(kind);
    }
}
