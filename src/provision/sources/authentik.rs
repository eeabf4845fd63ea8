//! Authentik's API: the members of a group, page by page.

use crate::roster::members::{Member, PAGE_SIZE, Pages, Unknown};
use std::fmt::Write;

/// No page is larger (bytes): a user with all attributes has a few kilobytes.
pub const MAX_PAGE: u64 = 4 << 20;

/// Collects a group's members. `get` asks for an address and gives status and body.
pub fn members(
    base: &str,
    group: &str,
    mut get: impl FnMut(&str) -> Result<(u16, Vec<u8>), String>,
) -> Result<Vec<Member>, Unknown> {
    let mut pages = Pages::new(group);
    while let Some(page) = pages.next() {
        let (status, body) = get(&address(base, group, page)).map_err(Unknown)?;
        if status != 200 {
            return Err(Unknown(format!("page {page}: the answer is status {status}")));
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
    fn every_page_is_asked_for_until_there_is_none() {
        let mut asked = Vec::new();
        let members = members("https://auth/", "a b&c", |url| {
            asked.push(url.to_owned());
            let (user, next) = if asked.len() == 1 { ("x", 2) } else { ("y", 0) };
            let page = format!(
                r#"{{"pagination":{{"next":{next},"count":2}},"results":[{{"username":"{user}"}}]}}"#
            );
            Ok((200, page.into_bytes()))
        });
        assert_eq!(members.unwrap().len(), 2);
        let api = "https://auth/api/v3/core/users/?groups_by_name=a%20b%26c";
        let expected = [1, 2].map(|page| format!("{api}&page={page}&page_size=100"));
        assert_eq!(asked, expected);
    }

    #[test]
    fn an_answer_of_another_status_is_none() {
        let members = members("http://x", "g", |_| Ok((302, b"[]".to_vec())));
        assert_eq!(members.unwrap_err().to_string(), "page 1: the answer is status 302");
    }
}
