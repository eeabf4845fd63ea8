//! Our hook in an agent's settings (pure): put into the text of a JSON file, found there and taken
//! out, with every other byte left as it is. Claude Code and Codex read one format:
//! `{"hooks": {"<event>": [{"hooks": [{"type": "command", "command": "...", "timeout": 5}]}]}}`.

use super::json_spans::{Member, Span, elements, members, root};
use serde_json::{Value, json};

/// How long an agent waits for the hook at most, in seconds; it takes some milliseconds.
const TIMEOUT: u32 = 5;
/// What a file of ours alone is after ours was taken out: as it was before, it was not there.
const NOTHING_ELSE: &str = "{\n}\n";

/// A command of ours, and the events that it is for.
#[derive(Debug, Clone, Copy)]
pub struct Wiring<'a> {
    /// The agent's names of the events.
    pub events: &'a [&'a str],
    /// The command line.
    pub command: &'a str,
    /// Whether a command line is one of ours, of this version or another.
    pub is_ours: fn(&str) -> bool,
}

/// Why a text cannot be changed; it is left alone then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It does not parse.
    #[error("line {0}: {1}")]
    Broken(usize, String),
    /// Something in it is not what the agent's format has there.
    #[error("{0}")]
    Shape(String),
}

/// The text with our command for each event, once: beside what is there, as the last of each.
pub fn install(text: Option<&str>, wiring: &Wiring<'_>) -> Result<String, Unfit> {
    let Some(text) = text else { return Ok(alone(wiring)) };
    let mut text = text.to_owned();
    check(&text)?;
    for event in wiring.events {
        if !is_installed(&text, event, wiring)? {
            while let Some(cut) = find(&text, Some(event), wiring)? {
                text.replace_range(cut, "");
            }
            text = add(&text, event, wiring)?;
        }
    }
    Ok(text)
}

/// The text without any command of ours; `None` when nothing is left that was there before it.
pub fn uninstall(text: &str, wiring: &Wiring<'_>) -> Result<Option<String>, Unfit> {
    check(text)?;
    let mut left = text.to_owned();
    while let Some(cut) = find(&left, None, wiring)? {
        left.replace_range(cut, "");
    }
    let made_by_us = left == NOTHING_ELSE && left != text && text.starts_with("{\n");
    Ok((!made_by_us).then_some(left))
}

/// A file that holds nothing but ours.
pub fn alone(wiring: &Wiring<'_>) -> String {
    let events: serde_json::Map<_, _> =
        wiring.events.iter().map(|event| ((*event).to_owned(), json!([group(wiring)]))).collect();
    pretty(&json!({ "hooks": events }), "  ", "") + "\n"
}

fn group(wiring: &Wiring<'_>) -> Value {
    json!({"hooks": [{"type": "command", "command": wiring.command, "timeout": TIMEOUT}]})
}

/// Whether the text is an object with at most one member of each name that we look into.
fn check(text: &str) -> Result<(), Unfit> {
    let parsed: Result<Value, _> = serde_json::from_str(text);
    let value = parsed.map_err(|error| Unfit::Broken(error.line(), error.to_string()))?;
    let shape = |what: &str| Err(Unfit::Shape(what.to_owned()));
    if !value.is_object() {
        return shape("it is not an object");
    }
    let Some(hooks) = hooks_of(text)? else { return Ok(()) };
    for member in object(text, &hooks.value, "hooks")? {
        if elements(text, &member.value).is_none() {
            return shape(&format!("hooks.{} is not a list", member.name));
        }
    }
    Ok(())
}

/// The member `hooks` of the file.
fn hooks_of(text: &str) -> Result<Option<Member>, Unfit> {
    let mut found = object(text, &root(text), "the file")?.into_iter();
    Ok(found.find(|member| member.name == "hooks"))
}

/// The members of an object, each of another name: with two of one, the last would count for the
/// agent, and the first for us.
fn object(text: &str, span: &Span, what: &str) -> Result<Vec<Member>, Unfit> {
    let members =
        members(text, span).ok_or_else(|| Unfit::Shape(format!("{what} is not an object")))?;
    let mut names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Unfit::Shape(format!("{what} has '{}' twice", pair[0]))),
        None => Ok(members),
    }
}

/// Whether an event has our command once and just as it should be.
fn is_installed(text: &str, event: &str, wiring: &Wiring<'_>) -> Result<bool, Unfit> {
    let Some(hooks) = hooks_of(text)? else { return Ok(false) };
    let members = object(text, &hooks.value, "hooks")?;
    let Some(list) = members.iter().find(|member| member.name == event) else { return Ok(false) };
    let groups: Vec<Value> = serde_json::from_str(&text[list.value.clone()]).unwrap_or_default();
    let ours = |group: &&Value| {
        let entries = group["hooks"].as_array().map(Vec::as_slice).unwrap_or_default();
        entries.iter().any(|entry| entry["command"].as_str().is_some_and(wiring.is_ours))
    };
    let ours: Vec<&Value> = groups.iter().filter(ours).collect();
    Ok(matches!(ours[..], [one] if *one == group(wiring)))
}

/// What to cut out next: the first entry of ours (of an event), with all that was made for it
/// alone. What we make begins on a line of its own; what we found empty was filled in its line,
/// and is left empty.
fn find(text: &str, event: Option<&str>, wiring: &Wiring<'_>) -> Result<Option<Span>, Unfit> {
    let file = root(text);
    let Some(hooks) = hooks_of(text)? else { return Ok(None) };
    let top: Vec<Span> = spans(object(text, &file, "the file")?);
    let members = object(text, &hooks.value, "hooks")?;
    let lists: Vec<Span> = spans(members.clone());
    for (at_list, list) in members.iter().enumerate() {
        if event.is_some_and(|event| event != list.name) {
            continue;
        }
        let groups = elements(text, &list.value).unwrap_or_default();
        for (at_group, group) in groups.iter().enumerate() {
            let Some(entries) = entries(text, group) else { continue };
            let ours = |entry: &Span| {
                let entry: Value = serde_json::from_str(&text[entry.clone()]).unwrap_or_default();
                entry["command"].as_str().is_some_and(wiring.is_ours)
            };
            let Some(at_entry) = entries.iter().position(ours) else { continue };
            if entries.len() > 1 {
                return Ok(Some(cut(&entries, at_entry, 0)));
            }
            if groups.len() > 1 || !begins_a_line(text, &list.value, group) {
                return Ok(Some(cut(&groups, at_group, list.value.start + 1)));
            }
            if lists.len() > 1 || !begins_a_line(text, &hooks.value, &lists[0]) {
                return Ok(Some(cut(&lists, at_list, hooks.value.start + 1)));
            }
            let at_hooks = top.iter().position(|span| *span == hooks.whole).unwrap_or(0);
            return Ok(Some(cut(&top, at_hooks, file.start + 1)));
        }
    }
    Ok(None)
}

fn spans(members: Vec<Member>) -> Vec<Span> {
    members.into_iter().map(|member| member.whole).collect()
}

/// The entries of a group: its member `hooks`.
fn entries(text: &str, group: &Span) -> Option<Vec<Span>> {
    let list = members(text, group)?.into_iter().find(|member| member.name == "hooks")?;
    elements(text, &list.value)
}

/// Whether the first thing inside a list or object stands in another line than its bracket.
fn begins_a_line(text: &str, around: &Span, first: &Span) -> bool {
    text[around.start..first.start].contains('\n')
}

/// The bytes of one of several, with the comma that goes with it; all that follows `open` up to
/// its end when it is the only one.
fn cut(all: &[Span], at: usize, open: usize) -> Span {
    match (at.checked_sub(1), all.get(at + 1)) {
        (Some(before), _) => all[before].end..all[at].end,
        (None, Some(next)) => all[at].start..next.start,
        (None, None) => open..all[at].end,
    }
}

/// Adds our command to an event, which has none of ours.
fn add(text: &str, event: &str, wiring: &Wiring<'_>) -> Result<String, Unfit> {
    let unit = indent_unit(text);
    let file = root(text);
    let list = json!([group(wiring)]);
    let name = Value::from(event);
    let (around, inside, depth, new) = match hooks_of(text)? {
        None => {
            let hooks = pretty(&json!({ event: list }), &unit, &unit);
            (
                file.clone(),
                spans(object(text, &file, "the file")?),
                1,
                format!("\"hooks\": {hooks}"),
            )
        }
        Some(hooks) => {
            let events = object(text, &hooks.value, "hooks")?;
            match events.iter().find(|member| member.name == event) {
                None => {
                    let list = pretty(&list, &unit, &unit.repeat(2));
                    (hooks.value, spans(events), 2, format!("{name}: {list}"))
                }
                Some(member) => {
                    let groups = elements(text, &member.value).unwrap_or_default();
                    let group = pretty(&group(wiring), &unit, &unit.repeat(3));
                    (member.value.clone(), groups, 3, group)
                }
            }
        }
    };
    let (at, new) = match inside.last() {
        Some(before) => (before.end, format!(",\n{}{new}", unit.repeat(depth))),
        None => (around.start + 1, new),
    };
    let mut text = text.to_owned();
    text.insert_str(at, &new);
    Ok(text)
}

/// What the file indents by: the space before its first member, or two spaces.
fn indent_unit(text: &str) -> String {
    let after = text.split_once('{').map_or("", |(_, after)| after);
    let space = &after[..after.len() - after.trim_start().len()];
    let indent = space.rsplit_once('\n').map_or("", |(_, indent)| indent);
    if indent.is_empty() || indent.len() > 8 { "  ".to_owned() } else { indent.to_owned() }
}

/// A value over several lines, the first of which is in place already.
fn pretty(value: &Value, unit: &str, indent: &str) -> String {
    use serde::Serialize;
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(unit.as_bytes());
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    let _ = value.serialize(&mut serializer); // of a value into memory: cannot fail
    String::from_utf8_lossy(&bytes).replace('\n', &format!("\n{indent}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OURS: Wiring<'static> =
        Wiring { events: &["Stop", "SessionEnd"], command: "ours 2", is_ours };

    fn is_ours(command: &str) -> bool {
        command.starts_with("ours ")
    }

    fn hooks(text: &str) -> Value {
        serde_json::from_str::<Value>(text).unwrap()["hooks"].clone()
    }

    /// Files of all kinds: each as it was before, and how often others' hooks are in it.
    const FILES: [&str; 15] = [
        "{}",
        "{\n}\n",
        "{ }\n",
        "{\n}",
        r#"{"theme":"dark","spinnerTipsEnabled":false}"#,
        "{\n  \"theme\": \"dark\"\n}\n",
        "{\n\t\"theme\": \"dark\",\n\t\"a\": {\"hooks\": 1}\n}\n",
        "{\r\n    \"theme\": \"dark\"\r\n}\r\n",
        r#"{"hooks":{}}"#,
        r#"{"hooks":{ },"z":1}"#,
        r#"{"hooks":{"Stop":[]}}"#,
        r#"{"hooks":{"Stop":[ ],"SessionEnd":[{"hooks":[]}]}}"#,
        r#"{"hooks":{"Stop":[{"matcher":"x","hooks":[{"type":"command","command":"theirs"}]}]}}"#,
        "{\n  \"hooks\": {\n    \"Stop\": [\n      {\n        \"hooks\": []\n      }\n    ]\n  },\n  \"b\": \"\\u00e9 \u{1f600}\"\n}\n",
        r#"{"a":"]}\"{[","hooks":{"PreToolUse":[{"hooks":[{"command":"x, \"y\""}]}]}}"#,
    ];

    #[test]
    fn every_file_gets_ours_once_and_comes_back_byte_by_byte() {
        for before in FILES {
            let installed = install(Some(before), &OURS).unwrap();
            assert_eq!(install(Some(&installed), &OURS).unwrap(), installed, "idempotent");
            for event in OURS.events {
                let groups = hooks(&installed)[event].as_array().unwrap().clone();
                assert_eq!(groups.last().unwrap(), &group(&OURS), "{installed}");
                assert_eq!(groups.iter().filter(|each| **each == group(&OURS)).count(), 1);
            }
            assert_eq!(uninstall(&installed, &OURS).unwrap().as_deref(), Some(before));
            assert_eq!(uninstall(before, &OURS).unwrap().as_deref(), Some(before));
        }
    }

    #[test]
    fn a_file_of_ours_alone_appears_and_goes() {
        let installed = install(None, &OURS).unwrap();
        assert!(installed.starts_with("{\n  \"hooks\": {\n    \"Stop\": [\n      {\n"));
        assert_eq!(install(Some(&installed), &OURS).unwrap(), installed);
        assert_eq!(uninstall(&installed, &OURS).unwrap(), None);
    }

    #[test]
    fn what_changed_meanwhile_stays() {
        let installed = install(Some(FILES[5]), &OURS).unwrap();
        // The agent writes its settings anew; a person adds hooks behind and beside ours.
        let mut value: Value = serde_json::from_str(&installed).unwrap();
        value["hooks"]["Stop"].as_array_mut().unwrap().push(json!({"hooks": [{"command": "z"}]}));
        let entries = value["hooks"]["SessionEnd"][0]["hooks"].as_array_mut().unwrap();
        entries.insert(0, json!({"command": "y"}));
        value["new"] = json!(1);
        let left = uninstall(&value.to_string(), &OURS).unwrap().unwrap();
        let expected = json!({"theme": "dark", "new": 1, "hooks": {
            "Stop": [{"hooks": [{"command": "z"}]}],
            "SessionEnd": [{"hooks": [{"command": "y"}]}]}});
        assert_eq!(serde_json::from_str::<Value>(&left).unwrap(), expected);
    }

    #[test]
    fn an_older_command_of_ours_is_replaced() {
        let old = Wiring { command: "ours 1", ..OURS };
        let installed = install(Some(FILES[12]), &old).unwrap();
        let updated = install(Some(&installed), &OURS).unwrap();
        assert_eq!(updated, install(Some(FILES[12]), &OURS).unwrap());
    }

    #[test]
    fn what_does_not_parse_or_has_another_shape_is_refused() {
        for text in [
            "",
            "{",
            "\u{feff}{}",
            "// settings\n{}",
            "[]",
            r#"{"hooks":[]}"#,
            r#"{"hooks":{"Stop":{}}}"#,
            r#"{"hooks":{},"hooks":{}}"#,
            r#"{"hooks":{"Stop":[],"\u0053top":[]}}"#,
        ] {
            assert!(install(Some(text), &OURS).is_err(), "{text}");
            assert!(uninstall(text, &OURS).is_err(), "{text}");
        }
        let error = install(Some("{\n\n x"), &OURS).unwrap_err();
        assert!(error.to_string().starts_with("line 3: "), "{error}");
    }

    /// Settings of any shape, pretty or not, with hooks of others in them.
    fn settings() -> impl Strategy<Value = String> {
        let text = "[a-z\"\\\\{}\\[\\],: é]{0,6}";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i32>().prop_map(Value::from),
            text.prop_map(Value::from)
        ];
        let value = leaf.prop_recursive(3, 20, 4, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec((text, inner), 0..4)
                    .prop_map(|all| Value::Object(all.into_iter().collect())),
            ]
        });
        let group = proptest::collection::vec(value.clone(), 0..3);
        let lists = proptest::collection::vec(
            (
                prop_oneof![Just("Stop".to_owned()), Just("SessionEnd".to_owned()), text.boxed()],
                group,
            ),
            0..4,
        );
        let others = proptest::collection::vec((text, value), 0..3);
        (others.clone(), proptest::option::of(lists), others, any::<bool>()).prop_map(
            |(before, hooks, after, pretty)| {
                let mut all: serde_json::Map<_, _> = before.into_iter().collect();
                if let Some(lists) = hooks {
                    let lists = lists.into_iter().map(|(name, list)| (name, Value::from(list)));
                    all.insert("hooks".to_owned(), Value::Object(lists.collect()));
                }
                all.extend(after.into_iter().filter(|(name, _)| name != "hooks"));
                let all = Value::Object(all);
                if pretty { serde_json::to_string_pretty(&all).unwrap() } else { all.to_string() }
            },
        )
    }

    proptest! {
        #[test]
        fn any_settings_come_back_byte_by_byte(before in settings()) {
            let installed = install(Some(&before), &OURS).unwrap();
            prop_assert_eq!(&install(Some(&installed), &OURS).unwrap(), &installed);
            let after = uninstall(&installed, &OURS).unwrap();
            prop_assert_eq!(after, Some(before));
        }
    }
}
