//! What a word of YAML is taken for, and how to write a word so that it is taken for text.

/// What readers of YAML take a scalar for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Bool(bool),
    /// `yes`, `off`, ...: a boolean to readers of YAML 1.1, text to those of 1.2.
    OldBool,
    Number,
    /// A day, or a time: text to readers of YAML 1.2.
    Date,
    Null,
}

impl Kind {
    /// For a message.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bool(_) => "true or false",
            Self::OldBool => "a word that some readers take for true or false",
            Self::Number => "a number",
            Self::Date => "a word that some readers take for a date",
            Self::Null => "nothing",
        }
    }
}

/// What an unquoted word is; quoted, everything is text.
pub(crate) fn kind(text: &str, plain: bool) -> Kind {
    if !plain {
        return Kind::Text;
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ if ["y", "n", "yes", "no", "on", "off"].contains(&text.to_ascii_lowercase().as_str()) => {
            Kind::OldBool
        }
        _ if is_number(text) => Kind::Number,
        _ if is_date(text) => Kind::Date,
        _ => Kind::Text,
    }
}

/// A timestamp of YAML 1.1: `2026-11-28`, perhaps with a time behind it.
fn is_date(text: &str) -> bool {
    let (day, time) = match text.find(['T', 't', ' ', '\t']) {
        Some(at) => (&text[..at], text[at + 1..].trim_start()),
        None => (text, ""),
    };
    let parts: Vec<&str> = day.split('-').collect();
    let digits = |part: &str, lengths: &[usize]| {
        lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let [year, month, day] = parts[..] else { return false };
    digits(year, &[4])
        && digits(month, &[1, 2])
        && digits(day, &[1, 2])
        && time.bytes().all(|byte| byte.is_ascii_digit() || b":.+- \tZz".contains(&byte))
}

/// Numbers of YAML 1.1 and 1.2: integers of any base, with underscores or colons (base 60),
/// floats, infinities.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let special = [".inf", ".nan"].contains(&digits.to_ascii_lowercase().as_str());
    let prefixed = |prefix: &str, radix: u32| {
        let rest = digits.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.chars().all(|c| c == '_' || c.is_digit(radix)))
    };
    let decimal = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(|c: char| c.is_ascii_digit())
        && (digits.replace('_', "").parse::<f64>().is_ok()
            || digits.chars().all(|c| c.is_ascii_digit() || "_:.".contains(c)));
    special || decimal || prefixed("0x", 16) || prefixed("0o", 8) || prefixed("0b", 2)
}

/// Writes a word of a row so that every reader takes it for that text. Only words that the rules
/// for identities and names let through are ever written: no quote is among their characters.
pub(crate) fn write(text: &str) -> String {
    let bare = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.@+-".contains(c))
        && kind(text, true) == Kind::Text;
    if bare { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_any_reader_takes_them_for() {
        for (text, expected) in [
            ("alice", Kind::Text),
            ("e1", Kind::Text),
            ("builder42", Kind::Text),
            ("1a", Kind::Text),
            ("", Kind::Null),
            ("~", Kind::Null),
            ("true", Kind::Bool(true)),
            ("No", Kind::OldBool),
            ("0777", Kind::Number),
            ("1e5", Kind::Number),
            ("-.inf", Kind::Number),
            ("1_000", Kind::Number),
            ("12:30", Kind::Number),
            ("0x1F", Kind::Number),
            (".5", Kind::Number),
            (".", Kind::Text),
            ("2026-11-28", Kind::Date),
            ("2026-1-2", Kind::Date),
            ("2026-11-28T10:00:00Z", Kind::Date),
            ("2026-11-28 10:00:00.5 +02:00", Kind::Date),
            ("2026-11-28-x", Kind::Text),
            ("26-11-28", Kind::Text),
            ("2026-11", Kind::Text),
        ] {
            assert_eq!(kind(text, true), expected, "{text}");
            assert_eq!(kind(text, false), Kind::Text, "{text}");
        }
    }

    #[test]
    fn words_that_would_be_taken_for_something_else_are_quoted() {
        assert_eq!(write("ops.lead@x"), "ops.lead@x");
        for word in ["no", "null", "2026-11-28", "42", "1e5", "0x1", "true", "oidc:bob", "-x", ""] {
            assert_eq!(write(word), format!("'{word}'"));
        }
    }
}
