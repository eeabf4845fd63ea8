//! What the journal keeps of T3 Code: pairings, and WebSockets with the side that ended them.

use crate::gateway::audit::Audit;
use crate::gateway::open::Person;
use crate::gateway::people::who::Peer;
use axum::http::{HeaderMap, HeaderValue};
use std::time::Duration;
use terminal_lobby::text::escape;

/// The most of an address that is kept, in bytes.
const MAX_CLIENT: usize = 128;

/// Where a request comes from: what the web server in front says, or the other side of the connection.
pub(super) fn client(headers: &HeaderMap, peer: Peer) -> String {
    let lines = headers.get_all("x-forwarded-for").iter();
    let lines: Vec<&[u8]> = lines.map(HeaderValue::as_bytes).collect();
    if lines.is_empty() {
        return match peer {
            Peer::Anybody(address) => address.to_string(),
            Peer::Account(uid) => format!("uid-{uid}"),
        };
    }
    let line = lines.join(&b", "[..]);
    // One word, so that nothing in it looks like another field.
    escape(&line[..line.len().min(MAX_CLIENT)]).replace(' ', "")
}

pub(super) fn opened(person: &Person, client: &str) {
    let message = format!("ws open user={} ip={client}", person.user);
    Audit::t3("t3_open", false, person, message);
}

pub(super) fn closed(person: &Person, client: &str, (side, cause): (&str, &str), time: Duration) {
    let ms = time.as_millis();
    let message =
        format!("ws close user={} ip={client} dur_ms={ms} side={side} cause={cause}", person.user);
    Audit::t3("t3_close", false, person, message);
}

pub(super) fn paired(person: &Person, endpoint: &str, fallback: bool, time: Duration) {
    let ms = time.as_millis();
    let user = &person.user;
    let message = format!("paired user={user} endpoint={endpoint} fallback={fallback} dur_ms={ms}");
    Audit::t3(if fallback { "t3_fallback" } else { "t3_paired" }, fallback, person, message);
}

pub(super) fn not_paired(person: &Person, why: &str) {
    Audit::t3("t3_pairing_failed", true, person, why.to_owned());
}

pub(super) fn loops(person: &Person) {
    let message = format!("pairing of {} goes in circles: given up", person.user);
    Audit::t3("t3_loop", true, person, message);
}

pub(super) fn foreign_port(person: &Person, port: u16) {
    let user = &person.user;
    let message = format!("port {port} of {user} is another account's: nothing was sent there");
    Audit::t3("t3_foreign_port", true, person, message);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_client_is_what_the_web_server_says_or_the_peer() {
        let peer = Peer::Anybody(Ipv4Addr::LOCALHOST.into());
        let mut headers = HeaderMap::new();
        assert_eq!(client(&headers, peer), "127.0.0.1");
        assert_eq!(client(&headers, Peer::Account(33)), "uid-33");
        headers.append("x-forwarded-for", "1.2.3.4, 10.0.0.1".parse().unwrap());
        assert_eq!(client(&headers, peer), "1.2.3.4,10.0.0.1");
        headers.append("x-forwarded-for", "x user=root".parse().unwrap());
        assert_eq!(client(&headers, peer), "1.2.3.4,10.0.0.1,xuser=root");
    }
}
