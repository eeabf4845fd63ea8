//! The title that Codex gives its pane (pure): the item `thread-id` of `[tui] terminal_title` in its
//! `config.toml`, put there and taken out, with every other byte left as it is. With Codex's shared
//! daemon nothing else says which pane runs which thread.

use super::SettingsError;
use toml::de::{DeTable, DeValue};

/// The item that shows the thread.
const ITEM: &str = "\"thread-id\"";
/// A line that is ours alone; what is before `=` depends on the place.
const VALUE: &str = "terminal_title = [\"thread-id\", \"project\"] # by persist hook";
/// A table that is ours alone, in a file that had none.
const TABLE: &str = "[tui] # by persist hook\n";
/// The same after a last line that had no end.
const TABLE_AFTER_BREAK: &str = "\n[tui] # by persist hook, with a line break before\n";
/// Marks a line of the user's own in which the item is ours.
const MARK: &str = " # thread-id by persist hook";

/// The text with the item; `None` for a file that does not exist.
///
/// # Errors
/// The text is not TOML, or the setting is written in a way that is not changed here.
pub fn install(text: Option<&str>) -> Result<String, SettingsError> {
    let text = text.unwrap_or_default();
    let changed = match shown(text)? {
        Shown::Thread => return Ok(text.to_owned()),
        Shown::Items(list) => with_item(text, list),
        Shown::Nothing { dotted: Some(key) } => {
            let at = line_start(text, key);
            let line_end = if text[at..].contains("\r\n") { "\r\n" } else { "\n" };
            format!("{}tui.{VALUE}{line_end}{}", &text[..at], &text[at..])
        }
        Shown::Nothing { dotted: None } => with_line(text),
    };
    match shown(&changed)? {
        Shown::Thread => Ok(changed),
        _ => Err(SettingsError::Shape(format!("add {ITEM} to terminal_title of [tui] by hand"))),
    }
}

/// The text without what [`install`] added; `None` if nothing is left.
pub fn uninstall(text: &str) -> Option<String> {
    let mut left = text.to_owned();
    for table in [TABLE_AFTER_BREAK, TABLE] {
        left = left.replacen(&format!("{table}{VALUE}\n"), "", 1);
    }
    for line in [format!("tui.{VALUE}"), VALUE.to_owned()] {
        let Some(at) = left.find(&line) else { continue };
        let end = at + line.len();
        let line_end = ["\r\n", "\n"].into_iter().find(|mark| left[end..].starts_with(mark));
        match line_end {
            Some(mark) => left.replace_range(at..end + mark.len(), ""),
            None => left.replace_range(left[..at].trim_end_matches('\n').len()..end, ""),
        }
    }
    if let Some(at) = left.find(MARK)
        && let Ok(DeTable { .. }) = DeTable::parse(&left).map(toml::Spanned::into_inner)
    {
        left.replace_range(at..at + MARK.len(), "");
        if let Some(item) = left[..at].rfind(ITEM) {
            let rest = &left[item + ITEM.len()..];
            let comma = rest.len() - rest.strip_prefix(", ").unwrap_or(rest).len();
            left.replace_range(item..item + ITEM.len() + comma, "");
        }
    }
    (!left.is_empty() || text.is_empty()).then_some(left)
}

/// Whether the title shows the thread.
pub fn shows_thread(text: &str) -> bool {
    matches!(shown(text), Ok(Shown::Thread))
}

/// What the title is set to show.
enum Shown {
    Thread,
    /// Other items, in the list at these bytes.
    Items(std::ops::Range<usize>),
    /// It is not set; where a dotted key of the table begins, if that is how it is written.
    Nothing {
        dotted: Option<usize>,
    },
}

fn shown(text: &str) -> Result<Shown, SettingsError> {
    let shape = |what: &str| Err(SettingsError::Shape(what.to_owned()));
    let Ok(file) = DeTable::parse(text) else { return shape("it is not valid TOML") };
    let found = file.get_ref().iter().find(|(key, _)| key.get_ref() == "tui");
    let Some((key, tui)) = found else { return Ok(Shown::Nothing { dotted: None }) };
    let DeValue::Table(tui) = tui.get_ref() else { return shape("tui is not a table") };
    let title = tui.iter().find(|(key, _)| key.get_ref() == "terminal_title");
    let Some((_, title)) = title else {
        let line = &text[line_start(text, key.span().start)..];
        let is_dotted =
            !line.trim_start().starts_with('[') && !line.trim_start().starts_with("tui =");
        return Ok(Shown::Nothing { dotted: is_dotted.then_some(key.span().start) });
    };
    let DeValue::Array(items) = title.get_ref() else {
        return shape("terminal_title of [tui] is not a list");
    };
    let has_thread = items.iter().any(|item| item.get_ref().as_str() == Some("thread-id"));
    Ok(if has_thread { Shown::Thread } else { Shown::Items(title.span()) })
}

/// The item as the first of a list, and our mark at the end of that line.
fn with_item(text: &str, list: std::ops::Range<usize>) -> String {
    let open = list.start + 1;
    let is_empty = text[open..list.end].trim_start().starts_with(']');
    let comma = if is_empty { "" } else { ", " };
    // The first item stays on the line of the bracket: so does ours.
    let line_end = text[open..].find('\n').map_or(text.len(), |at| open + at);
    let line_end = if text[..line_end].ends_with('\r') { line_end - 1 } else { line_end };
    let (before, line, after) = (&text[..open], &text[open..line_end], &text[line_end..]);
    format!("{before}{ITEM}{comma}{line}{MARK}{after}")
}

/// A line of ours: below the header of the table, or with a table of its own at the end.
fn with_line(text: &str) -> String {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        let header = line.split('#').next().unwrap_or_default().trim();
        let name = header.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if name.is_some_and(|name| name.trim().trim_matches(['"', '\'']) == "tui") {
            let (before, after) = (&text[..at], &text[at..]);
            let line_end = if line.ends_with("\r\n") { "\r\n" } else { "\n" };
            return if line.ends_with('\n') {
                format!("{before}{VALUE}{line_end}{after}")
            } else {
                format!("{before}\n{VALUE}")
            };
        }
    }
    let table = if text.is_empty() || text.ends_with('\n') { TABLE } else { TABLE_AFTER_BREAK };
    format!("{text}{table}{VALUE}\n")
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_item_is_added_once_and_taking_it_out_gives_the_bytes_back() {
        for text in [
            "",
            "model = \"x\"\n",
            "model = \"x\"",
            "# notes\n[tui]\ntheme = \"x\"\n\n[other]\na = 1\n",
            "[tui]",
            "[tui]\r\ntheme = \"x\"\r\n",
            "[ \"tui\" ] # mine\nnotifications = true\n",
            "tui.theme = \"x\"\nmodel = \"y\"\n[a]\n",
            "[tui]\nterminal_title = [\"project\"]\n[b]\n",
            "[tui]\nterminal_title = [] # mine\n",
            "[tui]\nterminal_title = [\n  \"project\",\n]\n",
            "[tui]\r\nterminal_title = [\"activity\", \"project\"]\r\n",
            "tui = { terminal_title = [\"project\"] }\n",
            "[projects.\"/a b\"]\ntrust_level = \"trusted\"\n[tui.model]\nx = 1\n",
        ] {
            let Ok(added) = install(Some(text)) else { panic!("{text:?}") };
            assert!(shows_thread(&added) && !shows_thread(text), "{text:?} {added:?}");
            assert_eq!(install(Some(&added)).unwrap(), added, "{text:?}");
            let expected = (!text.is_empty()).then_some(text);
            assert_eq!(uninstall(&added).as_deref(), expected, "{added:?}");
        }
    }

    #[test]
    fn what_the_user_set_stays_and_what_cannot_be_changed_is_refused() {
        let own = "[tui]\nterminal_title = [\"thread-id\", \"model\"]\n";
        assert_eq!(install(Some(own)).unwrap(), own);
        assert_eq!(uninstall(own).as_deref(), Some(own));
        for text in ["[tui", "tui = 1\n", "[tui]\nterminal_title = \"x\"\n", "tui = { a = 1 }\n"] {
            assert!(install(Some(text)).is_err(), "{text}");
        }
        assert!(install(None).unwrap().contains("[tui]"));
    }
}
