//! Where things are in a JSON text (pure): for changing one thing in a user's file and leaving every
//! other byte. Only for text that `serde_json` has read as valid.

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use std::ops::Range;

/// The bytes of one value.
pub(super) type Span = Range<usize>;

/// One member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// With its escapes undone: a name may be written in many ways.
    pub(super) name: String,
    /// Name and value.
    pub(super) whole: Span,
    pub(super) value: Span,
}

/// The value that the whole text is.
pub(super) fn root(text: &str) -> Span {
    parse(text).map_or(0..0, |value| span(&value, 0))
}

/// The members of the object at `object`; `None` for any other value.
pub(super) fn members(text: &str, object: &Span) -> Option<Vec<Member>> {
    let Some(Value::Object(found)) = parse(&text[object.clone()]) else { return None };
    let member = |member: jsonc_parser::ast::ObjectProp<'_>| Member {
        whole: span(&member, object.start),
        value: span(&member.value, object.start),
        name: member.name.into_string(),
    };
    Some(found.properties.into_iter().map(member).collect())
}

/// The elements of the array at `array`; `None` for any other value.
pub(super) fn elements(text: &str, array: &Span) -> Option<Vec<Span>> {
    let Some(Value::Array(found)) = parse(&text[array.clone()]) else { return None };
    Some(found.elements.iter().map(|element| span(element, array.start)).collect())
}

/// The same parser would take comments and trailing commas, too; such a text does not come here.
fn parse(text: &str) -> Option<Value<'_>> {
    parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default()).ok()?.value
}

fn span(node: &impl Ranged, offset: usize) -> Span {
    let range = node.range();
    offset + range.start..offset + range.end
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
