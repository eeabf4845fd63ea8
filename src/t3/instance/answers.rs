//! What an instance answers. None of it is believed further than it is checked here.

use super::{Cookie, InstanceError, Session};
use serde::Deserialize;
use ureq::http::Response;

/// Bounds of texts, in bytes: names measured have at most 35, versions 30, cookies 403.
const MAX_NAME: usize = 100;
const MAX_VERSION: usize = 64;
const MAX_VALUE: usize = 4096;
/// Maximum number of cookies that are looked at.
const MAX_COOKIES: usize = 32;

/// Reads `serverVersion`.
pub(super) fn version(body: &[u8]) -> Result<String, &'static str> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Environment {
        server_version: String,
    }
    let environment: Environment =
        serde_json::from_slice(body).map_err(|_| "the answer names no version")?;
    let version = environment.server_version;
    let is_version = (1..=MAX_VERSION).contains(&version.len())
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+_".contains(&byte))
        && version.as_bytes()[0].is_ascii_alphanumeric();
    if is_version { Ok(version) } else { Err("what it gives as its version is none") }
}

/// Reads whether there is a session, and the name of its cookie.
pub(super) fn session(body: &[u8]) -> Result<Session, &'static str> {
    #[derive(Deserialize)]
    struct Said {
        authenticated: bool,
        auth: Auth,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Auth {
        session_cookie_name: String,
    }
    let said: Said = serde_json::from_slice(body).map_err(|_| "the answer is no session check")?;
    let cookie_name = said.auth.session_cookie_name;
    if !is_name(&cookie_name) {
        return Err("what it gives as the name of its cookie is none");
    }
    Ok(Session { authenticated: said.authenticated, cookie_name })
}

/// Finds the cookie of that name which an answer sets.
pub(super) fn cookie(answer: &Response<Vec<u8>>, name: &str) -> Result<Cookie, InstanceError> {
    let lines = answer.headers().get_all("set-cookie").iter().take(MAX_COOKIES);
    let pairs = lines.filter_map(|line| line.to_str().ok()?.split(';').next()?.split_once('='));
    let mut cookies = pairs.map(|(name, value)| (name.trim(), value.trim()));
    let found = cookies.find(|(found, value)| *found == name && is_value(value));
    let (name, value) = found.ok_or_else(|| InstanceError::NoCookie(name.to_owned()))?;
    Ok(Cookie { name: name.to_owned(), value: value.to_owned() })
}

/// All versions have names that begin so; an instance cannot have a cookie of another service sent to it, or set.
fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with("t3")
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn is_value(value: &str) -> bool {
    let is_octet = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
    (1..=MAX_VALUE).contains(&value.len()) && value.bytes().all(is_octet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_one_and_bounded() {
        let of = |version: &str| {
            self::version(serde_json::json!({ "serverVersion": version }).to_string().as_bytes())
        };
        for version in ["0.0.24", "0.1.0-nightly.20260816.1+abc"] {
            assert_eq!(of(version).as_deref(), Ok(version));
        }
        for version in ["", "0.0.26\n", "../x", "-1", "a b", "é", &"1".repeat(65)] {
            assert!(of(version).is_err(), "{version:?}");
        }
        for body in ["", "{}", "[]", "<!doctype html>", r#"{"serverVersion": 26}"#] {
            assert!(self::version(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn the_name_of_a_cookie_is_t3s_own() {
        let of = |name: &str| {
            let body =
                serde_json::json!({"authenticated": false, "auth": {"sessionCookieName": name}});
            session(body.to_string().as_bytes())
        };
        for name in ["t3_session", "t3_session_3773_0123456789ab"] {
            assert_eq!(of(name).unwrap().cookie_name, name);
        }
        for name in ["", "__Host-lobby", "t3 session", "t3=x", "t3\r\nx", &"t3".repeat(60)] {
            assert!(of(name).is_err(), "{name:?}");
        }
        assert!(session(br#"{"authenticated": "yes", "auth": {}}"#).is_err());
    }

    #[test]
    fn of_several_cookies_the_one_with_the_right_name_counts() {
        let answer = Response::builder()
            .header("set-cookie", "other=1; Path=/")
            .header("set-cookie", "t3_session=; Path=/")
            .header("set-cookie", "t3_session=a.b; Path=/; HttpOnly")
            .body(Vec::new())
            .unwrap();
        let found = cookie(&answer, "t3_session").unwrap();
        assert_eq!((found.name.as_str(), found.value.as_str()), ("t3_session", "a.b"));
        assert_eq!(format!("{found:?}"), "t3_session=…");
        assert!(matches!(cookie(&answer, "t3_x"), Err(InstanceError::NoCookie(_))));
    }
}
