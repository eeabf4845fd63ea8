//! What a browser is called in the list of logins (pure): by what it says itself, so only a help to its person.

use axum::http::{HeaderMap, header};

/// Browsers by what only they say, the more special first.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];
/// More of a user agent is not read.
const MAX: usize = 512;

/// The browser of a request and its system: `Firefox on Linux`. Only words of this list, whatever the browser says.
pub fn device(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    of_agent(agent.unwrap_or_default())
}

fn of_agent(user_agent: &str) -> String {
    let end = (0..=user_agent.len().min(MAX)).rev().find(|at| user_agent.is_char_boundary(*at));
    let said = &user_agent[..end.unwrap_or(0)];
    let word = |list: &[(&str, &'static str)]| {
        list.iter().find(|(part, _)| said.contains(part)).map(|(_, word)| *word)
    };
    match (word(&BROWSERS), word(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "unknown browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::of_agent as device;

    #[test]
    fn a_device_is_in_our_words_whatever_the_browser_says() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile Safari/604";
        let edge =
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0";
        assert_eq!(device(firefox), "Firefox on Linux");
        assert_eq!(device(phone), "Safari on iPhone");
        assert_eq!(device(edge), "Edge on Windows");
        assert_eq!(device("<script>\n"), "unknown browser");
        assert_eq!(device(&"\u{e4}".repeat(9000)), "unknown browser");
    }
}
