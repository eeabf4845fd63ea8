//! Putting one entry into the text of a settings file, finding it there, and what to cut (pure).

use super::json_spans::{Member, Span, elements, members, root};
use super::{HookCommand, SettingsError};
use serde_json::{Value, json};

pub(super) fn group(hook: &HookCommand<'_>) -> Value {
    json!({"hooks": [{"type": "command", "command": hook.command, "timeout": hook.timeout}]})
}

/// Checks that the text is an object with at most one member of each name that is read here.
pub(super) fn check(text: &str) -> Result<(), SettingsError> {
    let parsed: Result<Value, _> = serde_json::from_str(text);
    let value =
        parsed.map_err(|error| SettingsError::Syntax { line: error.line(), source: error })?;
    let shape = |what: &str| Err(SettingsError::Shape(what.to_owned()));
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
fn hooks_of(text: &str) -> Result<Option<Member>, SettingsError> {
    let mut found = object(text, &root(text), "the file")?.into_iter();
    Ok(found.find(|member| member.name == "hooks"))
}

/// The members of an object, each of another name: with two of one, the last would count for the
/// agent, and the first for us.
fn object(text: &str, span: &Span, what: &str) -> Result<Vec<Member>, SettingsError> {
    let members = members(text, span)
        .ok_or_else(|| SettingsError::Shape(format!("{what} is not an object")))?;
    let mut names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(SettingsError::Shape(format!("{what} has '{}' twice", pair[0]))),
        None => Ok(members),
    }
}

/// Whether an event has our command once and just as it should be.
pub(super) fn is_installed(
    text: &str,
    event: &str,
    hook: &HookCommand<'_>,
) -> Result<bool, SettingsError> {
    let Some(hooks) = hooks_of(text)? else { return Ok(false) };
    let members = object(text, &hooks.value, "hooks")?;
    let Some(list) = members.iter().find(|member| member.name == event) else { return Ok(false) };
    let groups: Vec<Value> = serde_json::from_str(&text[list.value.clone()]).unwrap_or_default();
    let ours = |group: &&Value| {
        let entries = group["hooks"].as_array().map(Vec::as_slice).unwrap_or_default();
        entries.iter().any(|entry| entry["command"].as_str().is_some_and(hook.is_ours))
    };
    let ours: Vec<&Value> = groups.iter().filter(ours).collect();
    Ok(matches!(ours[..], [one] if *one == group(hook)))
}

/// What to cut out next: our first entry (of an event), with everything that was made for it alone.
/// What `add` makes begins on a line of its own; what it found empty was filled on the same line, and
/// is left empty.
pub(super) fn find(
    text: &str,
    event: Option<&str>,
    hook: &HookCommand<'_>,
) -> Result<Option<Span>, SettingsError> {
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
                entry["command"].as_str().is_some_and(hook.is_ours)
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

/// Adds our command to an event that does not have it.
pub(super) fn add(
    text: &str,
    event: &str,
    hook: &HookCommand<'_>,
) -> Result<String, SettingsError> {
    let unit = indent_unit(text);
    let file = root(text);
    let list = json!([group(hook)]);
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
                    let group = pretty(&group(hook), &unit, &unit.repeat(3));
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

/// A value over several lines, to be put where the first is already indented.
pub(super) fn pretty(value: &Value, unit: &str, indent: &str) -> String {
    use serde::Serialize;
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(unit.as_bytes());
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    let _ = value.serialize(&mut serializer); // of a value into memory: cannot fail
    String::from_utf8_lossy(&bytes).replace('\n', &format!("\n{indent}"))
}
