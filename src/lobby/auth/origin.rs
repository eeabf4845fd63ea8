//! Where a request comes from. A page of another origin in the same browser has the cookie, too; a request for
//! another host's name may come from a name that an attacker pointed here (DNS rebinding).

use axum::http::{HeaderMap, Method, header};

/// The names under which the page is reached: `127.0.0.1:8000`.
#[derive(Debug, Clone)]
pub struct Origins {
    scheme: &'static str,
    hosts: Vec<String>,
}

impl Origins {
    /// Those of a lobby on this machine.
    pub fn local(port: u16) -> Self {
        let hosts = ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{port}"));
        Self { scheme: "http", hosts: hosts.into() }
    }

    /// Those of a page with one name: `https` and `lobby.example.org`.
    pub fn of(scheme: &'static str, host: &str) -> Self {
        Self { scheme, hosts: vec![host.to_owned()] }
    }

    /// Whether the request is for a name of ours, once.
    pub fn is_our_host(&self, headers: &HeaderMap) -> bool {
        only(headers, &header::HOST).is_some_and(|host| self.hosts.iter().any(|own| own == host))
    }

    /// Whether the request comes from our page. A missing origin is refused, except for what changes nothing and
    /// opens no WebSocket.
    pub fn is_our_page(&self, method: &Method, headers: &HeaderMap) -> bool {
        let is_reading = *method == Method::GET && !headers.contains_key(header::UPGRADE);
        if !headers.contains_key(header::ORIGIN) {
            return is_reading;
        }
        let host = only(headers, &header::ORIGIN)
            .and_then(|origin| origin.strip_prefix(self.scheme)?.strip_prefix("://"));
        // Of the names that we have, the one that the request is for.
        host.is_some() && host == only(headers, &header::HOST) && self.is_our_host(headers)
    }
}

/// The value of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
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
    fn only_our_own_page_may_change_things_or_open_a_websocket() {
        let origins = Origins::local(80);
        let host = ("host", "127.0.0.1:80");
        let page = |method: Method, lines: &[_]| origins.is_our_page(&method, &headers(lines));
        assert!(page(Method::POST, &[host, ("origin", "http://127.0.0.1:80")]));
        assert!(page(Method::GET, &[host]));
        for origin in [
            "http://evil.example",
            "null",
            "",
            "https://127.0.0.1:80",
            "http://localhost:80",
            "http://127.0.0.1:80.evil.example",
            "http://127.0.0.1",
        ] {
            assert!(!page(Method::POST, &[host, ("origin", origin)]), "{origin}");
            assert!(!page(Method::GET, &[host, ("origin", origin)]), "{origin}");
        }
        assert!(!page(Method::POST, &[host]));
        assert!(!page(Method::GET, &[host, ("upgrade", "websocket")]));
        let own = ("origin", "http://127.0.0.1:80");
        assert!(!page(Method::POST, &[host, own, own]));
    }

    #[test]
    fn a_request_for_another_name_or_for_two_is_refused() {
        let origins = Origins::local(80);
        let is_ours = |lines: &[_]| origins.is_our_host(&headers(lines));
        assert!(is_ours(&[("host", "localhost:80")]));
        assert!(!is_ours(&[("host", "evil.example:80")]));
        assert!(!is_ours(&[("host", "localhost:80"), ("host", "localhost:80")]));
        assert!(!is_ours(&[]));
    }
}
