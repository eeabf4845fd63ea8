//! Cookies between browsers and instances (pure): which of a browser's are sessions, and what of an instance's a browser
//! gets.

use axum::http::{HeaderMap, header};

/// The name of a session's cookie, or how it begins.
const SESSION: &str = "t3_session";
/// How many sessions of one request are looked at.
const MAX: usize = 4;
/// The longest name and value, in bytes.
const MAX_NAME: usize = 128;
const MAX_VALUE: usize = 4096;

/// A session as a browser has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::gateway::t3) struct Session {
    pub(in crate::gateway::t3) name: String,
    pub(in crate::gateway::t3) value: String,
}

impl Session {
    /// As it is in the header `Cookie`.
    pub(in crate::gateway::t3) fn pair(&self) -> String {
        format!("{}={}", self.name, self.value)
    }
}

/// Whether a name is one that an instance may give a session's cookie.
pub(in crate::gateway::t3) fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    name.len() <= MAX_NAME
        && name.chars().all(is_plain)
        && name.strip_prefix(SESSION).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

fn is_value(value: &str) -> bool {
    // RFC 6265, 4.1.1, without the quotes.
    let is_octet =
        |b: u8| matches!(b, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e);
    !value.is_empty() && value.len() <= MAX_VALUE && value.bytes().all(is_octet)
}

/// The sessions of a request, of any instance, each once, in their order.
pub(in crate::gateway::t3) fn sessions(headers: &HeaderMap) -> Vec<Session> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs =
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut all = Vec::new();
    for (name, value) in pairs.filter(|(name, value)| is_name(name) && is_value(value)) {
        let session = Session { name: name.to_owned(), value: value.to_owned() };
        if !all.contains(&session) {
            all.push(session);
        }
    }
    all
}

/// Those of one name, as many as are looked at.
pub(in crate::gateway::t3) fn named(all: &[Session], name: &str) -> Vec<Session> {
    all.iter().filter(|session| session.name == name).take(MAX).cloned().collect()
}

/// A cookie that an instance sets for a session, as the browser gets it: for this host alone, and over TLS alone where
/// the address has TLS. `None` if it is no session's.
pub(in crate::gateway::t3) fn relayed(
    set_cookie: &str,
    is_secure: bool,
) -> Option<(Session, String)> {
    let mut parts = set_cookie.split(';');
    let (name, value) = parts.next()?.trim().split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    if !is_name(name) || !(value.is_empty() || is_value(value)) {
        return None;
    }
    let mut out = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax");
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let key = key.trim().to_ascii_lowercase();
        let is_plain = |c: char| c.is_ascii_graphic() && c != ';' || c == ' ';
        let value = value.trim();
        if matches!(key.as_str(), "expires" | "max-age") && value.chars().all(is_plain) {
            let key = if key == "expires" { "Expires" } else { "Max-Age" };
            out = format!("{out}; {key}={value}");
        }
    }
    if is_secure {
        out.push_str("; Secure");
    }
    Some((Session { name: name.to_owned(), value: value.to_owned() }, out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("cookie", line.parse().unwrap());
        }
        sessions(&headers).iter().map(Session::pair).collect()
    }

    #[test]
    fn sessions_are_found_among_other_cookies_and_nothing_else_is() {
        let found =
            of(&["a=b; t3_session=one; __Host-lobby=x", "t3_session_3773_0a1b=two;t3_session=one"]);
        assert_eq!(found, ["t3_session=one", "t3_session_3773_0a1b=two"]);
        for line in [
            "t3_sessions=x",
            "T3_session=x",
            "xt3_session=x",
            "t3_session=",
            "t3_session=a\"b",
            "t3_session",
        ] {
            assert_eq!(of(&[line]), [""; 0], "{line}");
        }
        let many: Vec<Session> = (0..9)
            .map(|number| Session { name: "t3_session".to_owned(), value: number.to_string() })
            .collect();
        assert_eq!(named(&many, "t3_session").len(), MAX);
        assert_eq!(named(&many, "t3_session_1").len(), 0);
    }

    #[test]
    fn a_relayed_cookie_is_for_this_host_alone() {
        let set = "t3_session=a.b-c_d; Path=/api; Expires=Wed, 30 Dec 2026 10:00:00 GMT; Domain=example.org";
        let (session, out) = relayed(set, true).unwrap();
        assert_eq!(session.pair(), "t3_session=a.b-c_d");
        assert_eq!(
            out,
            "t3_session=a.b-c_d; Path=/; HttpOnly; SameSite=Lax; Expires=Wed, 30 Dec 2026 10:00:00 GMT; Secure"
        );
        assert!(!relayed(set, false).unwrap().1.contains("Secure"));
        assert!(relayed("t3_session=; Max-Age=0", true).is_some(), "it is forgotten");
        for set in
            ["lobby=x", "__Host-lobby=x; Path=/", "t3_sessio=x", "t3_session", "t3_session=a b"]
        {
            assert!(relayed(set, true).is_none(), "{set}");
        }
    }
}
