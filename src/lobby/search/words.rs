//! Words that are searched (pure): from what a person typed to a query, and from a text to what is indexed of it.
//!
//! The tokenizer `unicode61` takes a run of letters for one word. Chinese, Japanese and Thai are written without spaces, so
//! each of their characters is made a word of its own, and a run of them becomes a phrase.

/// Between characters that are words of their own; no letter, and not seen.
const APART: char = '\u{200b}';
/// Around a word in a snippet.
pub(super) const BEGIN: char = '\u{1}';
pub(super) const END: char = '\u{2}';
/// Maximum length of what is searched, in bytes.
pub(super) const MAX_QUERY: usize = 1000;
/// Maximum number of words and phrases.
const MAX_TERMS: usize = 20;

/// Whether words of its script are not set apart.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{2fdf}'
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

/// A text as it is indexed: without characters that mark, and with words apart.
pub(super) fn apart(text: &str) -> String {
    let mut made = String::with_capacity(text.len() + 16);
    let mut was_alone = false;
    for c in text.chars() {
        if c == APART {
            continue;
        }
        let is_alone = stands_alone(c);
        if (is_alone || was_alone) && !made.is_empty() {
            made.push(APART);
        }
        made.push(if matches!(c, BEGIN | END | '\0') { ' ' } else { c });
        was_alone = is_alone;
    }
    made
}

/// The query of FTS5 for what a person typed: all of the words, of which the last may have only begun, if it has more than
/// one letter; what is between quotes is a phrase. `None` if there is no word.
pub(super) fn query(typed: &str) -> Option<String> {
    let mut terms: Vec<String> = Vec::new();
    let mut rest = typed;
    let mut is_open = false;
    while !rest.is_empty() && terms.len() < MAX_TERMS {
        let (term, after, is_phrase) = if let Some(inner) = rest.strip_prefix('"') {
            match inner.split_once('"') {
                Some((phrase, after)) => (phrase, after, true),
                None => (inner, "", false),
            }
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            (word, after, false)
        };
        if term.chars().any(is_of_word) {
            terms.push(format!("\"{}\"", apart(term).replace('"', " ")));
            // All words with one letter at their beginning are nearly all messages, and too many words to look for.
            is_open = !is_phrase && after.is_empty() && term.chars().nth(1).is_some();
        }
        rest = if after.starts_with('"') { after } else { after.trim_start() };
    }
    if terms.is_empty() {
        return None;
    }
    Some(terms.join(" ") + if is_open { " *" } else { "" })
}

/// Whether the tokenizer takes it for a part of a word, as far as Rust knows.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || stands_alone(c)
}

/// A snippet as pieces, of which every second one is a word that was found.
pub(super) fn pieces(snippet: &str) -> Vec<String> {
    let joined: String = snippet.chars().filter(|c| *c != APART).collect();
    let joined = joined.replace(&format!("{END}{BEGIN}"), "");
    joined.split([BEGIN, END]).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_all_wanted_and_the_last_may_have_only_begun() {
        for (typed, expected) in [
            ("one two", Some(r#""one" "two" *"#)),
            ("one two ", Some(r#""one" "two""#)),
            (r#"a "b c" de"#, Some(r#""a" "b c" "de" *"#)),
            (r#"a "b c" d"#, Some(r#""a" "b c" "d""#)),
            (r#"a "b c""#, Some(r#""a" "b c""#)),
            (r#""b c"#, Some(r#""b c" *"#)),
            (r#"x"y z"wo"#, Some(r#""x" "y z" "wo" *"#)),
            ("foo_bar.rs", Some(r#""foo_bar.rs" *"#)),
            ("a AND NOT (b* OR c:d)", Some(r#""a" "AND" "NOT" "(b*" "OR" "c:d)" *"#)),
            ("--- !", None),
            ("\"\"", None),
            ("", None),
            ("日本語", Some("\"日\u{200b}本\u{200b}語\" *")),
        ] {
            assert_eq!(query(typed).as_deref(), expected, "{typed}");
        }
        assert_eq!(query(&"w ".repeat(500)).unwrap().matches("\"w\"").count(), MAX_TERMS);
    }

    #[test]
    fn what_was_set_apart_is_joined_again() {
        assert_eq!(apart("ab日本c"), "ab\u{200b}日\u{200b}本\u{200b}c");
        assert_eq!(apart("a\u{1}b\u{200b}c"), "a bc");
        let snippet = "x \u{1}日\u{2}\u{200b}\u{1}本\u{2}\u{200b}語 y";
        assert_eq!(pieces(snippet), ["x ", "日本", "語 y"]);
        assert_eq!(pieces("\u{1}a\u{2}"), ["", "a", ""]);
    }
}
