//! What kind of request it is (pure).

use axum::http::{HeaderMap, Method, header};

const FETCH_DEST: &str = "sec-fetch-dest";

/// Whether a browser asks for a document that a person sees, and follows a redirect to.
pub(in crate::gateway::t3) fn is_document(method: &Method, headers: &HeaderMap) -> bool {
    if *method != Method::GET {
        return false;
    }
    if let Some(dest) = headers.get(FETCH_DEST) {
        return dest.as_bytes() == b"document";
    }
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    accept.flat_map(|accept| accept.split(',')).any(|kind| {
        kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/html")
    })
}

/// Whether a WebSocket is to be opened.
pub(in crate::gateway::t3) fn is_websocket(method: &Method, headers: &HeaderMap) -> bool {
    let mut upgrades = headers.get_all(header::UPGRADE).iter();
    let is_websocket =
        upgrades.next().is_some_and(|name| name.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let connection = headers.get_all(header::CONNECTION).iter();
    let mut words =
        connection.filter_map(|words| words.to_str().ok()).flat_map(|words| words.split(','));
    *method == Method::GET
        && is_websocket
        && upgrades.next().is_none()
        && words.any(|word| word.trim().eq_ignore_ascii_case("upgrade"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_a_get_for_a_document_is_a_navigation() {
        let html = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        for (method, lines, expected) in [
            (Method::GET, vec![("sec-fetch-dest", "document")], true),
            (Method::GET, vec![html], true),
            (Method::GET, vec![("sec-fetch-dest", "empty"), html], false),
            (Method::GET, vec![("sec-fetch-dest", "iframe"), html], false),
            (Method::GET, vec![("accept", "application/json")], false),
            (Method::POST, vec![html], false),
            (Method::POST, vec![("sec-fetch-dest", "document")], false),
            (Method::HEAD, vec![html], false),
            (Method::GET, vec![], false),
        ] {
            assert_eq!(is_document(&method, &headers(&lines)), expected, "{method} {lines:?}");
        }
    }

    #[test]
    fn a_websocket_needs_both_headers() {
        for (upgrade, connection, expected) in [
            ("websocket", "Upgrade", true),
            ("websocket", "keep-alive, Upgrade", true),
            ("WebSocket", "upgrade", true),
            ("", "keep-alive", false),
            ("h2c", "Upgrade", false),
            ("websocket", "keep-alive", false),
        ] {
            let mut lines = vec![("connection", connection)];
            lines.extend((!upgrade.is_empty()).then_some(("upgrade", upgrade)));
            let headers = headers(&lines);
            assert_eq!(is_websocket(&Method::GET, &headers), expected, "{upgrade}/{connection}");
            assert!(!is_websocket(&Method::POST, &headers));
        }
    }
}
