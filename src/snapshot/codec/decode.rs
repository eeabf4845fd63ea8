//! Reading a snapshot (pure).

use super::{COLUMNS, Damage, Fault, TITLE, VERSION};
use crate::snapshot::record::{PaneFlags, Row, Snapshot, State, WindowFlags};
use crate::text::escape::{escape, unescape};
use crate::text::tsv::{self, Line, Reader};

/// Reads a snapshot: version 1, or the older hand-written manifests, rows of three columns
/// without header and trailer.
///
/// # Errors
/// The first line that does not belong in a valid snapshot.
pub fn decode(text: &[u8]) -> Result<Snapshot, Damage> {
    if !text.ends_with(b"\n") {
        let fault = if text.is_empty() { Fault::Empty } else { Fault::CutShort };
        let line = text.split(|&byte| byte == b'\n').count();
        return Err(Damage { line, fault });
    }
    let titled = text.strip_prefix(TITLE).is_some_and(|rest| rest.starts_with(b"\n"));
    if titled { decode_version_1(text) } else { decode_three_columns(text) }
}

fn decode_version_1(text: &[u8]) -> Result<Snapshot, Damage> {
    let mut snapshot = Snapshot::default();
    let mut columns: Option<Vec<Vec<u8>>> = None;
    let mut lines = Reader::new(text);
    let mut number = 0;
    while let Some(line) = lines.line() {
        number = line.number;
        let damage = |fault| Damage { line: number, fault };
        if number == 1 {
            continue; // the title
        }
        let Some(header) = line.bytes.strip_prefix(b"# ") else {
            let columns = columns.as_ref().ok_or_else(|| damage(Fault::RowBeforeColumns))?;
            snapshot.rows.push(decode_row(line, columns).map_err(damage)?);
            continue;
        };
        let end = header.iter().position(|byte| matches!(byte, b' ' | b'\t'));
        let (key, value) = end.map_or((header, &b""[..]), |at| (&header[..at], &header[at + 1..]));
        let text = || header_text(value).ok_or_else(|| damage(Fault::HeaderEscape));
        match key {
            b"version" if value != VERSION => {
                return Err(damage(Fault::Version(escape(value))));
            }
            b"host" => snapshot.host = text()?,
            b"boot" => snapshot.boot = text()?,
            b"server" => snapshot.server = text()?,
            b"config_files" => {
                let path = |field| tsv::optional(field)?;
                snapshot.config_files = line.fields().skip(1).filter_map(path).collect();
            }
            b"columns" => {
                columns = Some(decode_columns(line).ok_or_else(|| damage(Fault::Columns))?);
            }
            b"end" => {
                if value != snapshot.rows.len().to_string().as_bytes() {
                    return Err(damage(Fault::RowCount));
                }
                return match lines.line() {
                    Some(line) => Err(Damage { line: line.number, fault: Fault::AfterTrailer }),
                    None => Ok(snapshot),
                };
            }
            _ => {} // a header line of a later writer
        }
    }
    Err(Damage { line: number + 1, fault: Fault::NoTrailer })
}

/// The names after `# columns`.
fn decode_columns(line: Line<'_>) -> Option<Vec<Vec<u8>>> {
    let names: Vec<Vec<u8>> = line.fields().skip(1).map(<[u8]>::to_vec).collect();
    let fixed = COLUMNS[..3].iter().map(|name| name.as_bytes());
    names.iter().map(Vec::as_slice).take(3).eq(fixed).then_some(names)
}

fn decode_row(line: Line<'_>, columns: &[Vec<u8>]) -> Result<Row, Fault> {
    let fields = line.fields();
    if fields.len() != columns.len() {
        return Err(Fault::FieldCount { found: fields.len(), expected: columns.len() });
    }
    let mut row = Row::default();
    for (column, field) in columns.iter().zip(fields) {
        let value = tsv::optional(field).ok_or_else(|| Fault::Escape(escape(column)))?;
        set(&mut row, column, value).ok_or_else(|| Fault::Value(escape(column)))?;
    }
    Ok(row)
}

/// Puts one field into the row; `None` when the column cannot hold it.
fn set(row: &mut Row, column: &[u8], value: Option<Vec<u8>>) -> Option<()> {
    match column {
        b"session" => row.session = value?,
        b"cwd" => row.cwd = value?,
        b"conversation" => row.conversation = value,
        b"agent" => row.agent = value,
        b"state" => row.state = State::parse(&value?)?,
        b"window" => row.window = index(&value?)?,
        b"window_name" => row.window_name = value,
        b"window_layout" => row.window_layout = value?,
        b"window_flags" => row.window_flags = WindowFlags::parse(&value.unwrap_or_default()),
        b"pane" => row.pane = index(&value?)?,
        b"pane_flags" => row.pane_flags = PaneFlags::parse(&value.unwrap_or_default()),
        b"title" => row.title = value,
        b"command" => row.command = value,
        b"evidence" => row.evidence = value,
        b"prompted" => row.prompted = absent_or(value, yes_or_no)?,
        b"group" => row.group = value,
        b"pane_id" => row.pane_id = absent_or(value, index)?,
        b"last_seen" => row.last_seen = absent_or(value, number)?,
        b"lost_since" => row.lost_since = absent_or(value, number)?,
        b"linked" => row.linked = absent_or(value, window)?,
        b"stack" => row.stack = absent_or(value, index)?.unwrap_or(0),
        b"options" => row.options = value,
        b"environment" => row.environment = value,
        b"program" => row.program = value,
        b"agent_environment" => row.agent_environment = value,
        b"parent" => row.parent = value,
        b"agent_version" => row.agent_version = value,
        b"origin" => row.origin = value,
        b"session_path" => row.session_path = value,
        b"user_options" => row.user_options = value,
        b"agent_program" => row.agent_program = value,
        b"plain_window_name" => {
            row.plain_window_name = absent_or(value, yes_or_no)?.unwrap_or(false);
        }
        _ => {}
    }
    Some(())
}

/// An absent value is fine, one that does not parse is not.
#[expect(clippy::option_option, reason = "absent and invalid are two things")]
fn absent_or<T>(value: Option<Vec<u8>>, parse: fn(&[u8]) -> Option<T>) -> Option<Option<T>> {
    value.map_or(Some(None), |value| parse(&value).map(Some))
}

fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// An index, within tmux's own limit.
fn index(text: &[u8]) -> Option<u32> {
    number(text).filter(|index| i32::try_from(*index).is_ok())
}

fn yes_or_no(text: &[u8]) -> Option<bool> {
    match text {
        b"yes" => Some(true),
        b"no" => Some(false),
        _ => None,
    }
}

/// A window: its session's name, which may hold colons, a colon, its index.
fn window(text: &[u8]) -> Option<(Vec<u8>, u32)> {
    let colon = text.iter().rposition(|&byte| byte == b':')?;
    Some((text[..colon].to_vec(), index(&text[colon + 1..])?))
}

/// A manifest of the older suite: session, cwd, conversation, in that order, each a session of
/// one pane. An empty conversation there means none.
fn decode_three_columns(text: &[u8]) -> Result<Snapshot, Damage> {
    let columns: Vec<Vec<u8>> = COLUMNS[..3].iter().map(|name| name.as_bytes().to_vec()).collect();
    let mut snapshot = Snapshot::default();
    let mut lines = Reader::new(text);
    while let Some(line) = lines.line() {
        if !line.is_record() {
            continue;
        }
        let mut row =
            decode_row(line, &columns).map_err(|fault| Damage { line: line.number, fault })?;
        row.conversation = row.conversation.filter(|conversation| !conversation.is_empty());
        if row.conversation.is_some() {
            row.state = State::Live;
        }
        row.window_flags.active = true;
        row.window_flags.automatic_rename = true;
        row.pane_flags.active = true;
        snapshot.rows.push(row);
    }
    if snapshot.rows.is_empty() {
        return Err(Damage { line: 1, fault: Fault::NoRows });
    }
    Ok(snapshot)
}

fn header_text(value: &[u8]) -> Option<String> {
    String::from_utf8(unescape(value)?).ok()
}
