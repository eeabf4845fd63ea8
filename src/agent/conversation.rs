//! Conversation ids (pure).

use shared::conversation_id;

/// The id of a conversation, in one of the forms of [`shared::conversation_id`]. It is kept as it was given,
/// since files are named so; UUIDs that differ by case alone are equal.
#[derive(Debug, Clone)]
pub struct ConversationId {
    given: String,
    key: String,
}

impl ConversationId {
    /// Parses an id; nothing else can become an argument or a part of a path.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let given = String::from_utf8(text.to_vec()).ok()?;
        let key = String::from_utf8(conversation_id::key(text)).ok()?;
        conversation_id::is_valid(text).then_some(Self { given, key })
    }

    /// The id as it was given.
    pub fn as_str(&self) -> &str {
        &self.given
    }

    /// The id as it is compared: equal ids have equal keys.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// The key of an id in a record, valid or not.
pub fn key_of(id: &[u8]) -> Vec<u8> {
    conversation_id::key(id)
}

impl PartialEq for ConversationId {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for ConversationId {}

impl PartialOrd for ConversationId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ConversationId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl std::fmt::Display for ConversationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.given)
    }
}

/// The value of `--name VALUE` or `--name=VALUE` in an argument list, for the first of `names`
/// that has one.
pub(super) fn option<'a>(argv: &'a [Vec<u8>], names: &[&str]) -> Option<&'a [u8]> {
    argv.iter().enumerate().find_map(|(at, word)| {
        let name = names.iter().map(|name| name.as_bytes()).find(|name| word.starts_with(name))?;
        match &word[name.len()..] {
            [] => argv.get(at + 1).map(Vec::as_slice),
            [b'=', value @ ..] => Some(value),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_the_form_of_an_id_is_one() {
        let text = "0D0a8f5e-0000-4000-8000-00000000000F";
        let id = ConversationId::parse(text.as_bytes()).unwrap();
        assert_eq!((id.as_str(), id.to_string().as_str()), (text, text));
        assert_eq!(id.key(), text.to_ascii_lowercase());
        assert_eq!(ConversationId::parse(id.key().as_bytes()), Some(id));
        for text in [
            "",
            "0d0a8f5e",
            "0d0a8f5e-0000-4000-8000-00000000000g",
            "0d0a8f5e-0000-4000-8000-0000000000001",
            "../../../../../../../../../etc/passwd",
        ] {
            assert_eq!(ConversationId::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn an_option_is_found_in_both_spellings() {
        let argv = |words: &[&str]| words.iter().map(|w| w.as_bytes().to_vec()).collect::<Vec<_>>();
        let names = ["--resume", "-r"];
        assert_eq!(option(&argv(&["claude", "--resume", "u"]), &names), Some(&b"u"[..]));
        assert_eq!(option(&argv(&["claude", "-x", "--resume=u"]), &names), Some(&b"u"[..]));
        assert_eq!(option(&argv(&["claude", "-r", "u"]), &names), Some(&b"u"[..]));
        assert_eq!(option(&argv(&["claude", "--resumed", "u"]), &names), None);
        assert_eq!(option(&argv(&["claude", "--resume"]), &names), None);
    }
}
