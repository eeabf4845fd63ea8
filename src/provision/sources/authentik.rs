//! Authentik's API: the members of a group, page by page.

use super::{HttpAnswer, RequestError};
use crate::roster::identity_source::IdentitySource;
use crate::roster::members::{Member, MembersUnknown, PAGE_SIZE, Pages};
use std::fmt::Write;

/// Maximum size of a page, in bytes; a user with all attributes has a few kilobytes.
pub const MAX_PAGE: u64 = 4 << 20;

/// Collects the members of a group from the API at `base`. `get` requests an address.
///
/// # Errors
/// A page is missing or invalid: a partial list must not be taken for the whole group.
pub fn members<E: Into<RequestError>>(
    base: &str,
    group: &str,
    source: &IdentitySource,
    mut get: impl FnMut(&str) -> Result<HttpAnswer, E>,
) -> Result<Vec<Member>, MembersUnknown> {
    let mut pages = Pages::new(group, source.clone());
    while let Some(page) = pages.next() {
        let answer = get(&address(base, group, page));
        let (status, body) = answer.map_err(|error| MembersUnknown(error.into().to_string()))?;
        if status != 200 {
            return Err(MembersUnknown(format!(
                "page {page}: the server answered with status {status}"
            )));
        }
        pages.add(&body)?;
    }
    pages.finish()
}

fn address(base: &str, group: &str, page: u32) -> String {
    let base = base.trim_end_matches('/');
    let group = percent_encoded(group);
    format!("{base}/api/v3/core/users/?groups_by_name={group}&page={page}&page_size={PAGE_SIZE}")
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}"); // to a String: cannot fail
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_requested() {
        let mut requested = Vec::new();
        let source = IdentitySource::default();
        let members = members("https://auth/", "a b&c", &source, |url| {
            requested.push(url.to_owned());
            let (user, next) = if requested.len() == 1 { ("x", 2) } else { ("y", 0) };
            let page = format!(
                r#"{{"pagination":{{"next":{next},"count":2}},"results":[{{"username":"{user}"}}]}}"#
            );
            Ok::<_, String>((200, page.into_bytes()))
        });
        assert_eq!(members.unwrap().len(), 2);
        let api = "https://auth/api/v3/core/users/?groups_by_name=a%20b%26c";
        let expected = [1, 2].map(|page| format!("{api}&page={page}&page_size=100"));
        assert_eq!(requested, expected);
    }

    #[test]
    fn an_answer_with_another_status_is_an_error() {
        let members = members("http://x", "g", &IdentitySource::default(), |_| {
            Ok::<_, String>((302, b"[]".to_vec()))
        });
        assert_eq!(members.unwrap_err().to_string(), "page 1: the server answered with status 302");
    }
}
