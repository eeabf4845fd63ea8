//! Which headers an instance and a browser get of each other (pure).
//!
//! An instance gets nothing of what login proxies say or keep: no identity, no password, no cookie but its own session.
//! A browser gets nothing that a web server in front would obey (`X-Accel-Redirect`), and nothing that a shared cache
//! would keep: the next user has the same address, and another instance.

pub(super) mod cookies;
pub(super) mod inject;
pub(super) mod navigation;

use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// What of a request an instance gets, besides what begins with one of the prefixes.
const TO_INSTANCE: [HeaderName; 21] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CACHE_CONTROL,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::DNT,
    header::HOST,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::ORIGIN,
    header::PRAGMA,
    header::RANGE,
    header::REFERER,
    header::USER_AGENT,
    HeaderName::from_static("x-requested-with"),
];
const PREFIXES_TO_INSTANCE: [&str; 6] =
    ["sec-fetch-", "sec-ch-", "sec-websocket-", "x-t3-", "traceparent", "b3"];

/// The same of an answer.
const TO_BROWSER: [HeaderName; 19] = [
    header::ACCEPT_RANGES,
    header::ALLOW,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_LOCATION,
    header::CONTENT_RANGE,
    header::CONTENT_SECURITY_POLICY,
    header::CONTENT_TYPE,
    header::DATE,
    header::ETAG,
    header::EXPIRES,
    header::LAST_MODIFIED,
    header::LOCATION,
    header::REFERRER_POLICY,
    header::RETRY_AFTER,
    header::VARY,
    header::X_CONTENT_TYPE_OPTIONS,
];
const PREFIXES_TO_BROWSER: [&str; 4] =
    ["access-control-", "cross-origin-", "sec-websocket-", "x-t3-"];

fn keep(headers: &mut HeaderMap, names: &[HeaderName], prefixes: &[&str]) {
    let is_kept = |name: &HeaderName| {
        names.contains(name) || prefixes.iter().any(|prefix| name.as_str().starts_with(prefix))
    };
    let gone: Vec<HeaderName> = headers.keys().filter(|name| !is_kept(name)).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
}

/// Leaves what an instance gets, with one session.
pub(super) fn to_instance(headers: &mut HeaderMap, session: Option<&cookies::Session>) {
    keep(headers, &TO_INSTANCE, &PREFIXES_TO_INSTANCE);
    if let Some(value) = session.and_then(|session| HeaderValue::from_str(&session.pair()).ok()) {
        headers.insert(header::COOKIE, value);
    }
}

/// Leaves what a browser gets. Of the cookies only the session's is relayed.
pub(super) fn to_browser(headers: &mut HeaderMap, is_secure: bool) {
    let caching = private(headers);
    let set: Vec<HeaderValue> = headers
        .get_all(header::SET_COOKIE)
        .iter()
        .filter_map(|line| cookies::relayed(line.to_str().ok()?, is_secure))
        .filter_map(|(_, line)| HeaderValue::from_str(&line).ok())
        .collect();
    keep(headers, &TO_BROWSER, &PREFIXES_TO_BROWSER);
    for line in set {
        headers.append(header::SET_COOKIE, line);
    }
    headers.insert(header::CACHE_CONTROL, caching);
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
}

/// How long a browser may keep the answer; no one else may.
fn private(headers: &HeaderMap) -> HeaderValue {
    let lines = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    let words = lines.flat_map(|line| line.split(',')).map(|word| word.trim().to_ascii_lowercase());
    let mut kept: Vec<String> = words
        .filter(|word| {
            !word.is_empty()
                && !["public", "private"].contains(&word.as_str())
                && !word.starts_with("s-maxage")
                && !word.starts_with("private=")
        })
        .collect();
    kept.insert(0, "private".to_owned());
    HeaderValue::from_str(&kept.join(", ")).unwrap_or(HeaderValue::from_static("private, no-store"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn an_instance_gets_no_identity_and_no_cookie_but_its_session() {
        let mut all = headers(&[
            ("host", "t3.example.org"),
            ("cookie", "__Host-lobby=secret; t3_session=stale; authentik_proxy=x"),
            ("authorization", "Basic YTpi"),
            ("x-authentik-username", "ann"),
            ("x-auth-request-access-token", "x"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-user", "ann"),
            ("proxy-authorization", "x"),
            ("sec-websocket-key", "k"),
            ("if-none-match", "\"e\""),
        ]);
        let session = cookies::Session { name: "t3_session".to_owned(), value: "good".to_owned() };
        to_instance(&mut all, Some(&session));
        let mut names: Vec<&str> = all.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["cookie", "host", "if-none-match", "sec-websocket-key"]);
        assert_eq!(all["cookie"], "t3_session=good");
    }

    #[test]
    fn a_browser_gets_nothing_that_others_on_the_way_would_obey() {
        let mut all = headers(&[
            ("content-type", "text/html"),
            ("x-accel-redirect", "/internal/secret"),
            ("x-sendfile", "/etc/shadow"),
            ("alt-svc", "h2=\"evil:443\""),
            ("strict-transport-security", "max-age=0"),
            ("cache-control", "public, max-age=31536000, s-maxage=9, immutable"),
            ("cdn-cache-control", "public"),
            ("set-cookie", "__Host-lobby=evil; Path=/; Secure"),
            ("set-cookie", "t3_session=a; Path=/; Domain=example.org"),
        ]);
        to_browser(&mut all, true);
        let mut names: Vec<&str> = all.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["cache-control", "content-type", "set-cookie", "x-frame-options"]);
        assert_eq!(all["cache-control"], "private, max-age=31536000, immutable");
        assert_eq!(all.get_all("set-cookie").iter().count(), 1);
        let mut none = HeaderMap::new();
        to_browser(&mut none, true);
        assert_eq!(none["cache-control"], "private");
    }
}
