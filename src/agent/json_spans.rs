//! Where things are in a JSON text (pure): for changing one thing in a file of a person's and
//! leaving every other byte. Only for text that `serde_json` has read as sound.

use std::ops::Range;

/// The bytes of one value.
pub(super) type Span = Range<usize>;

/// One member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// Its name.
    pub(super) name: String,
    /// Name and value.
    pub(super) whole: Span,
    /// The value.
    pub(super) value: Span,
}

/// The value that the whole text is.
pub(super) fn root(text: &str) -> Span {
    let start = skip_space(text, 0);
    start..end_of(text, start)
}

/// The members of the object at `object`; none for any other value.
pub(super) fn members(text: &str, object: &Span) -> Option<Vec<Member>> {
    if byte(text, object.start) != b'{' {
        return None;
    }
    let mut members = Vec::new();
    let mut at = skip_space(text, object.start + 1);
    while byte(text, at) == b'"' {
        let name_end = end_of(text, at);
        let colon = skip_space(text, name_end);
        let start = skip_space(text, colon + 1);
        let end = end_of(text, start);
        // With its escapes: a name may be written in many ways.
        let name = serde_json::from_str(&text[at..name_end]).unwrap_or_default();
        members.push(Member { name, whole: at..end, value: start..end });
        at = skip_comma(text, end);
    }
    Some(members)
}

/// The elements of the array at `array`; none for any other value.
pub(super) fn elements(text: &str, array: &Span) -> Option<Vec<Span>> {
    if byte(text, array.start) != b'[' {
        return None;
    }
    let mut elements = Vec::new();
    let mut at = skip_space(text, array.start + 1);
    while !matches!(byte(text, at), b']' | 0) {
        let end = end_of(text, at);
        elements.push(at..end);
        at = skip_comma(text, end);
    }
    Some(elements)
}

/// The byte there; 0 behind the end.
fn byte(text: &str, at: usize) -> u8 {
    text.as_bytes().get(at).copied().unwrap_or(0)
}

fn skip_space(text: &str, mut at: usize) -> usize {
    while matches!(byte(text, at), b' ' | b'\t' | b'\n' | b'\r') {
        at += 1;
    }
    at
}

fn skip_comma(text: &str, at: usize) -> usize {
    let at = skip_space(text, at);
    skip_space(text, at + usize::from(byte(text, at) == b','))
}

/// Where the value that begins at `start` ends.
fn end_of(text: &str, start: usize) -> usize {
    let (mut at, mut depth, mut in_string) = (start, 0_usize, false);
    while at < text.len() {
        match (in_string, byte(text, at)) {
            (true, b'\\') => at += 1,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') if depth > 0 => depth -= 1,
            (false, b'}' | b']' | b',' | b' ' | b'\t' | b'\n' | b'\r') if depth == 0 => return at,
            _ => {}
        }
        at += 1;
        let closed = !in_string && depth == 0 && matches!(byte(text, at - 1), b'"' | b'}' | b']');
        if closed {
            return at;
        }
    }
    at.min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_elements_are_found_whatever_is_in_them() {
        let text = r#" { "a\"}" : [1, "x]\\", {"b":[]} ,null],"\u0062":{} , "c" : -1.5e3}"#;
        let object = root(text);
        let found = members(text, &object).unwrap();
        let names: Vec<&str> = found.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["a\"}", "b", "c"]);
        let values: Vec<&str> = found.iter().map(|member| &text[member.value.clone()]).collect();
        assert_eq!(values[1..], ["{}", "-1.5e3"]);
        let list = elements(text, &found[0].value).unwrap();
        let list: Vec<&str> = list.into_iter().map(|span| &text[span]).collect();
        assert_eq!(list, ["1", r#""x]\\""#, r#"{"b":[]}"#, "null"]);
        assert_eq!(members(text, &found[1].value), Some(vec![]));
        assert_eq!((members(text, &found[0].value), elements(text, &object)), (None, None));
    }
}
