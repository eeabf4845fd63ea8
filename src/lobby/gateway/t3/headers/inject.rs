//! What makes the page of an instance installable as an app (pure): a manifest, and how it looks on a phone.

/// Where the manifest is.
pub(in crate::gateway::t3) const MANIFEST_PATH: &str = "/manifest.webmanifest";

/// The manifest of the app.
pub(in crate::gateway::t3) const MANIFEST: &str = r##"{"name":"T3 Code","short_name":"T3 Code","id":"/","start_url":"/","scope":"/","display":"standalone","background_color":"#161616","theme_color":"#161616","icons":[{"src":"/apple-touch-icon.png","sizes":"180x180","type":"image/png"}]}"##;

/// The manifest is fetched with the cookie of the login, without which the web server in front would redirect it. The
/// translucent status bar would hide the controls at the top of the page.
const HEAD: &str = r#"<link rel="manifest" href="/manifest.webmanifest" crossorigin="use-credentials"><meta name="mobile-web-app-capable" content="yes"><meta name="apple-mobile-web-app-capable" content="yes"><meta name="apple-mobile-web-app-status-bar-style" content="default"><meta name="apple-mobile-web-app-title" content="T3 Code">"#;

/// The page with these lines at the end of its head; `None` if it has no head.
pub(in crate::gateway::t3) fn inject(page: &[u8]) -> Option<Vec<u8>> {
    let end = b"</head>";
    let at = page.windows(end.len()).position(|part| part.eq_ignore_ascii_case(end))?;
    Some([&page[..at], HEAD.as_bytes(), &page[at..]].concat())
}

/// Whether a type is a page.
pub(in crate::gateway::t3) fn is_html(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("text/html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_in_the_head_and_nothing_else_changes() {
        let page = b"<html><head><title>x</title></HEAD><body></head></body></html>";
        let with = String::from_utf8(inject(page).unwrap()).unwrap();
        assert!(with.starts_with("<html><head><title>x</title><link rel=\"manifest\""), "{with}");
        assert!(with.ends_with("</HEAD><body></head></body></html>"), "{with}");
        assert!(with.contains("crossorigin=\"use-credentials\""));
        assert!(with.contains("status-bar-style\" content=\"default\""));
        assert_eq!(inject(b"<html><body>no head</body></html>"), None);
        let manifest: serde_json::Value = serde_json::from_str(MANIFEST).unwrap();
        assert_eq!(manifest["display"], "standalone");
        assert_eq!((&manifest["start_url"], &manifest["scope"]), (&"/".into(), &"/".into()));
        assert_eq!(manifest["icons"][0]["sizes"], "180x180");
        assert!(is_html("Text/HTML; charset=utf-8") && !is_html("application/json"));
    }
}
