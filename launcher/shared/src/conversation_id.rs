//! The forms of conversation ids (pure). Ids become arguments and parts of paths, so nothing else is one.

/// Whether a text is the id of a conversation: a UUID; `T-` and a UUID; or `ses_` and 26 letters and digits.
pub fn is_valid(text: &[u8]) -> bool {
    is_uuid(text)
        || text.strip_prefix(b"T-").is_some_and(is_uuid)
        || text
            .strip_prefix(CASE_COUNTS)
            .is_some_and(|rest| rest.len() == 26 && rest.iter().all(u8::is_ascii_alphanumeric))
}

/// Whether a text is a UUID in the usual form.
pub fn is_uuid(text: &[u8]) -> bool {
    let fits = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.iter().enumerate().all(fits)
}

/// The text by which ids are compared: UUIDs that differ by case alone are equal.
pub fn key(text: &[u8]) -> Vec<u8> {
    if text.starts_with(CASE_COUNTS) { text.to_vec() } else { text.to_ascii_lowercase() }
}

/// How ids begin of which the case counts.
const CASE_COUNTS: &[u8] = b"ses_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_of_three_forms() {
        const UUID: &str = "0d0a8f5e-0000-4000-8000-00000000000F";
        for id in [UUID, &format!("T-{UUID}"), "ses_5a1b2c3d4e5fAbCdEfGhIjKlMn"] {
            assert!(is_valid(id.as_bytes()), "{id}");
        }
        for text in
            ["", "ses_", "ses_../../../../../../../../x", "T-", "agent-x", &UUID[1..], "--help"]
        {
            assert!(!is_valid(text.as_bytes()), "{text}");
        }
        assert_eq!(key(UUID.as_bytes()), UUID.to_ascii_lowercase().as_bytes());
        assert_eq!(key(b"ses_5A"), b"ses_5A");
    }
}
