//! The page, which is built by `npm run build` in `src/lobby/page` and is in the program.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};
use terminal_lobby::text::hex;

/// What the build of the page made.
#[derive(RustEmbed)]
#[folder = "page/dist"]
#[allow_missing = true]
struct Files;

const INDEX: &str = "index.html";
/// Files whose names hold a hash of what they hold.
const HASHED: &str = "assets/";
/// What every answer says: the page loads only what is ours, runs no inline script, and is in no frame. xterm.js
/// sets styles inline.
const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Whether the page is in this program.
pub(crate) fn is_built() -> bool {
    Files::get(INDEX).is_some()
}

/// A file of the page.
pub(crate) fn serve(path: &str, headers: &HeaderMap) -> Response {
    let path = path.trim_start_matches('/');
    let path = if is_address(path) { INDEX } else { path };
    let Some(file) = Files::get(path) else { return StatusCode::NOT_FOUND.into_response() };
    let tag = format!("\"{}\"", hex(&file.metadata.sha256_hash()[..16]));
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let kept =
        if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let accepts = |coding: &str| {
        let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
        accepted.is_some_and(|accepted| accepted.split(',').any(|word| word.trim() == coding))
    };
    let packed = Files::get(&format!("{path}.gz")).filter(|_| accepts("gzip"));
    let coding = packed.as_ref().map(|_| [(header::CONTENT_ENCODING, "gzip")]);
    let EmbeddedFile { data, .. } = packed.unwrap_or(file);
    let common = [
        (header::CONTENT_TYPE, content_type(path)),
        (header::CACHE_CONTROL, kept),
        (header::VARY, "accept-encoding"),
    ];
    (common, [(header::ETAG, tag)], coding.map(axum::response::AppendHeaders), data.into_owned())
        .into_response()
}

/// Whether it is an address of the page's own: the list, a session, the logins, what is shared, or one of these as an
/// admin sees them of another user, or a person of what is shared with them.
fn is_address(path: &str) -> bool {
    let own = match path.strip_prefix("as/").or_else(|| path.strip_prefix("shared/")) {
        Some(rest) => rest.split_once('/').map_or("", |(_, own)| own),
        None => path,
    };
    matches!(
        own,
        "" | "away" | "link" | "tiles" | "logins" | "restore" | "search" | "settings" | "sharing"
    ) || own.starts_with("session/")
        || own.starts_with("restore/")
        || own.starts_with("conversation/")
}

/// Adds what every answer says.
pub(crate) fn secure(response: &mut Response) {
    for (name, value) in HEADERS {
        // What is fetched for a user has a stricter policy of its own.
        response.headers_mut().entry(name).or_insert(header::HeaderValue::from_static(value));
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
