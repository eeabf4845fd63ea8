//! The snapshot file, version 1: bytes, one row per pane, fields separated by one TAB, no
//! quoting; `-` is an absent field. A trailer tells a whole file from a cut one. The format is
//! released: see `docs/formats.md` before changing anything here.

use super::record::{PaneFlags, Row, Snapshot, State, WindowFlags};
use super::summary::Summary;
use crate::text::escape::{escape, unescape};

const TITLE: &[u8] = b"# tmux-persist snapshot";
const VERSION: &[u8] = b"1";

/// The columns, in the order they are written. The first three are fixed for good; the others
/// are found by name, and names of a later writer are passed over.
const COLUMNS: [&str; 24] = [
    "session",
    "cwd",
    "conversation",
    "agent",
    "state",
    "window",
    "window_name",
    "window_layout",
    "window_flags",
    "pane",
    "pane_flags",
    "title",
    "command",
    "evidence",
    "prompted",
    "group",
    "pane_id",
    "last_seen",
    "lost_since",
    "linked",
    "stack",
    "options",
    "environment",
    "program",
];

/// Why a file is not a sound snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Damage {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// Writes a snapshot. Equal snapshots give equal bytes.
pub fn encode(snapshot: &Snapshot) -> Vec<u8> {
    let mut text = Vec::with_capacity(256 * (snapshot.rows.len() + 1));
    let mut line = |parts: &[&[u8]]| {
        text.extend(parts.concat());
        text.push(b'\n');
    };
    line(&[TITLE]);
    line(&[b"# version ", VERSION]);
    line(&[b"# host ", escape(snapshot.host.as_bytes()).as_bytes()]);
    line(&[b"# boot ", escape(snapshot.boot.as_bytes()).as_bytes()]);
    line(&[b"# server ", escape(snapshot.server.as_bytes()).as_bytes()]);
    line(&[b"# columns\t", COLUMNS.join("\t").as_bytes()]);
    for row in &snapshot.rows {
        line(&[encode_row(row).as_bytes()]);
    }
    line(&[Summary::of(snapshot).line().as_bytes()]);
    line(&[b"# end ", snapshot.rows.len().to_string().as_bytes()]);
    text
}

/// Reads a snapshot: version 1, or the older hand-written manifests, rows of three columns
/// without header and trailer.
///
/// # Errors
/// The first line that does not belong in a sound snapshot.
pub fn decode(text: &[u8]) -> Result<Snapshot, Damage> {
    let Some(body) = text.strip_suffix(b"\n") else {
        let why = if text.is_empty() { "the file is empty" } else { "the line is cut short" };
        let line = text.split(|&byte| byte == b'\n').count();
        return Err(Damage { line, why: why.to_owned() });
    };
    let lines: Vec<&[u8]> = body.split(|&byte| byte == b'\n').collect();
    if lines[0] == TITLE { decode_version_1(&lines) } else { decode_three_columns(&lines) }
}

fn encode_row(row: &Row) -> String {
    let text = |value: &[u8]| field(Some(value));
    let optional = |value: &Option<Vec<u8>>| field(value.as_deref());
    let number = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let flags = |letters: String| field(Some(letters.as_bytes()).filter(|l| !l.is_empty()));
    [
        first_field(&row.session),
        text(&row.cwd),
        optional(&row.conversation),
        optional(&row.agent),
        row.state.word().to_owned(),
        row.window.to_string(),
        optional(&row.window_name),
        text(&row.window_layout),
        flags(row.window_flags.letters()),
        row.pane.to_string(),
        flags(row.pane_flags.letters()),
        optional(&row.title),
        optional(&row.command),
        optional(&row.evidence),
        row.prompted.map_or("-", |prompted| if prompted { "yes" } else { "no" }).to_owned(),
        optional(&row.group),
        number(row.pane_id.map(u64::from)),
        number(row.last_seen),
        number(row.lost_since),
        field(row.linked.as_ref().map(window_field).as_deref()),
        number(Some(u64::from(row.stack)).filter(|stack| *stack > 0)),
        optional(&row.options),
        optional(&row.environment),
        optional(&row.program),
    ]
    .join("\t")
}

/// The first field of a line: one that begins `#` would make the line a comment.
pub(super) fn first_field(value: &[u8]) -> String {
    let text = field(Some(value));
    text.strip_prefix('#').map_or_else(|| text.clone(), |rest| format!("\\x23{rest}"))
}

/// A field that is really `-` is not an absent one.
fn field(value: Option<&[u8]>) -> String {
    match value {
        None => "-".to_owned(),
        Some(b"-") => "\\x2d".to_owned(),
        Some(value) => escape(value),
    }
}

fn decode_version_1(lines: &[&[u8]]) -> Result<Snapshot, Damage> {
    let mut snapshot = Snapshot::default();
    let mut columns: Option<Vec<&[u8]>> = None;
    for (index, line) in lines.iter().enumerate().skip(1) {
        let damage = |why: &str| Damage { line: index + 1, why: why.to_owned() };
        let Some(header) = line.strip_prefix(b"# ") else {
            let columns = columns.as_ref().ok_or_else(|| damage("a row before the columns"))?;
            snapshot.rows.push(decode_row(line, columns).map_err(|why| damage(&why))?);
            continue;
        };
        let (key, value) = split_once(header, |byte| byte == b' ' || byte == b'\t');
        match key {
            b"version" if value != VERSION => {
                return Err(damage(&format!(
                    "version {}, which this program does not know",
                    escape(value)
                )));
            }
            b"host" => snapshot.host = header_text(value).ok_or_else(|| damage("bad escape"))?,
            b"boot" => snapshot.boot = header_text(value).ok_or_else(|| damage("bad escape"))?,
            b"server" => {
                snapshot.server = header_text(value).ok_or_else(|| damage("bad escape"))?;
            }
            b"columns" => {
                columns = Some(decode_columns(value).ok_or_else(|| damage("bad columns"))?);
            }
            b"end" => {
                if value != snapshot.rows.len().to_string().as_bytes() {
                    return Err(damage("the trailer counts another number of rows"));
                }
                if index + 1 != lines.len() {
                    return Err(Damage {
                        line: index + 2,
                        why: "something follows the trailer".to_owned(),
                    });
                }
                return Ok(snapshot);
            }
            _ => {} // a header line of a later writer
        }
    }
    Err(Damage { line: lines.len() + 1, why: "the trailer is missing".to_owned() })
}

fn decode_columns(value: &[u8]) -> Option<Vec<&[u8]>> {
    let columns: Vec<&[u8]> = value.split(|&byte| byte == b'\t').collect();
    let fixed = COLUMNS[..3].iter().map(|name| name.as_bytes());
    columns.iter().copied().take(3).eq(fixed).then_some(columns)
}

fn decode_row(line: &[u8], columns: &[&[u8]]) -> Result<Row, String> {
    let fields: Vec<&[u8]> = line.split(|&byte| byte == b'\t').collect();
    if fields.len() != columns.len() {
        return Err(format!("{} fields instead of {}", fields.len(), columns.len()));
    }
    let mut row = Row::default();
    for (&column, &field) in columns.iter().zip(&fields) {
        let name = || escape(column);
        let value = match field {
            b"-" => None,
            field => {
                Some(unescape(field).ok_or_else(|| format!("bad escape in column {}", name()))?)
            }
        };
        set(&mut row, column, value).ok_or_else(|| format!("bad value in column {}", name()))?;
    }
    Ok(row)
}

/// Puts one field into the row; `None` when the column cannot hold it.
fn set(row: &mut Row, column: &[u8], value: Option<Vec<u8>>) -> Option<()> {
    // tmux's own limit for an index.
    let in_range = |number: &u32| i32::try_from(*number).is_ok();
    let number =
        |value: Option<Vec<u8>>| std::str::from_utf8(&value?).ok()?.parse().ok().filter(in_range);
    let seconds = |value: Option<Vec<u8>>| {
        let parse = |value: Vec<u8>| std::str::from_utf8(&value).ok()?.parse().ok();
        value.map_or(Ok(None), |value| parse(value).map(Some).ok_or(())).ok()
    };
    match column {
        b"session" => row.session = value?,
        b"cwd" => row.cwd = value?,
        b"conversation" => row.conversation = value,
        b"agent" => row.agent = value,
        b"state" => row.state = State::parse(&value?)?,
        b"window" => row.window = number(value)?,
        b"window_name" => row.window_name = value,
        b"window_layout" => row.window_layout = value?,
        b"window_flags" => row.window_flags = WindowFlags::parse(&value.unwrap_or_default()),
        b"pane" => row.pane = number(value)?,
        b"pane_flags" => row.pane_flags = PaneFlags::parse(&value.unwrap_or_default()),
        b"title" => row.title = value,
        b"command" => row.command = value,
        b"evidence" => row.evidence = value,
        b"prompted" => {
            row.prompted = match value.as_deref() {
                None => None,
                Some(b"yes") => Some(true),
                Some(b"no") => Some(false),
                Some(_) => return None,
            }
        }
        b"group" => row.group = value,
        b"pane_id" => {
            row.pane_id = value.map(|value| number(Some(value)).ok_or(())).transpose().ok()?;
        }
        b"last_seen" => row.last_seen = seconds(value)?,
        b"lost_since" => row.lost_since = seconds(value)?,
        b"linked" => row.linked = value.map(|value| window(&value).ok_or(())).transpose().ok()?,
        b"stack" => row.stack = value.map_or(Some(0), |value| number(Some(value)))?,
        b"options" => row.options = value,
        b"environment" => row.environment = value,
        b"program" => row.program = value,
        _ => {}
    }
    Some(())
}

/// A window: its session's name, a colon, its index.
fn window_field((session, index): &(Vec<u8>, u32)) -> Vec<u8> {
    [session.as_slice(), b":", index.to_string().as_bytes()].concat()
}

/// Reads [`window_field`]; the name may hold colons.
fn window(value: &[u8]) -> Option<(Vec<u8>, u32)> {
    let colon = value.iter().rposition(|&byte| byte == b':')?;
    let index = std::str::from_utf8(&value[colon + 1..]).ok()?.parse().ok()?;
    i32::try_from(index).ok()?;
    Some((value[..colon].to_vec(), index))
}

/// A manifest of the older suite: session, cwd, conversation, in that order, each a session of
/// one pane. An empty conversation there means none.
fn decode_three_columns(lines: &[&[u8]]) -> Result<Snapshot, Damage> {
    let mut snapshot = Snapshot::default();
    for (index, line) in lines.iter().enumerate() {
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let columns: Vec<&[u8]> = COLUMNS[..3].iter().map(|name| name.as_bytes()).collect();
        let mut row = decode_row(line, &columns).map_err(|why| Damage { line: index + 1, why })?;
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
        return Err(Damage { line: 1, why: "no rows".to_owned() });
    }
    Ok(snapshot)
}

fn header_text(value: &[u8]) -> Option<String> {
    String::from_utf8(unescape(value)?).ok()
}

fn split_once(text: &[u8], at: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    match text.iter().position(|&byte| at(byte)) {
        Some(found) => (&text[..found], &text[found + 1..]),
        None => (text, b""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..12),
            "[-#\\\\\t\n\rx ]{0,4}".prop_map(String::into_bytes),
        ]
    }

    fn optional() -> impl Strategy<Value = Option<Vec<u8>>> {
        proptest::option::of(bytes())
    }

    prop_compose! {
        fn row()(
            (session, cwd, window_name, window_layout) in (bytes(), bytes(), optional(), bytes()),
            (conversation, agent, title, command, evidence, group) in
                (optional(), optional(), optional(), optional(), optional(), optional()),
            linked in proptest::option::of((bytes(), 0..=0x7fff_ffff_u32)), stack in 0..9_u32,
            (options, environment, program) in (optional(), optional(), optional()),
            state in prop_oneof![Just(State::Live), Just(State::Suspended), Just(State::Lost), Just(State::Shell)],
            (window, pane) in (0..=0x7fff_ffff_u32, 0..=0x7fff_ffff_u32),
            (w, p, prompted) in any::<([bool; 4], [bool; 3], Option<bool>)>(),
            (pane_id, last_seen, lost_since) in (proptest::option::of(0..=0x7fff_ffff_u32), any::<Option<u64>>(), any::<Option<u64>>()),
        ) -> Row {
            let window_flags = WindowFlags { active: w[0], last: w[1], zoomed: w[2], automatic_rename: w[3] };
            let pane_flags = PaneFlags { active: p[0], last: p[1], dead: p[2] };
            Row {
                session, cwd, conversation, agent, state, window, window_name, window_layout,
                window_flags, pane, pane_flags, title, command, evidence, prompted, group,
                pane_id, last_seen, lost_since,
                linked, stack, options, environment, program,
            }
        }
    }

    fn sample() -> Snapshot {
        let row = Row { session: b"#a".to_vec(), cwd: b"/x".to_vec(), ..Row::default() };
        let second = Row { session: b"-".to_vec(), cwd: b"/y".to_vec(), ..Row::default() };
        let rows = vec![row, second];
        Snapshot { host: "h".into(), boot: "b".into(), server: "1-2".into(), rows }
    }

    proptest! {
        #[test]
        fn any_snapshot_comes_back_and_equal_ones_are_equal_bytes(
            rows in proptest::collection::vec(row(), 0..5), host in ".*", boot in "[0-9a-f-]*",
            server in "[0-9-]*",
        ) {
            let snapshot = Snapshot { host, boot, server, rows };
            let text = encode(&snapshot);
            prop_assert_eq!(decode(&text).unwrap(), snapshot.clone());
            prop_assert_eq!(encode(&snapshot), text);
        }

        #[test]
        fn a_file_cut_anywhere_is_damaged(cut in 0_usize..1000) {
            let text = encode(&sample());
            let cut = cut % text.len();
            prop_assert!(decode(&text[..cut]).is_err());
        }

        #[test]
        fn any_bytes_are_read_or_refused(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&text);
            let _ = decode(&[b"# tmux-persist snapshot\n", text.as_slice()].concat());
        }
    }

    #[test]
    fn damage_is_reported_by_line() {
        let text = String::from_utf8(encode(&sample())).unwrap();
        for (from, to, expected) in [
            ("# end 2\n", "", "line 10: the trailer is missing"),
            ("# end 2", "# end 3", "line 10: the trailer counts another number of rows"),
            ("# end 2\n", "# end 2\nx\n", "line 11: something follows the trailer"),
            ("/x\t", "/x\\q\t", "line 7: bad escape in column cwd"),
            ("/x\t", "", "line 7: 23 fields instead of 24"),
            ("\tshell\t0", "\tshell\tx", "line 7: bad value in column window"),
            ("# version 1", "# version 2", "line 2: version 2, which this program does not know"),
            ("# columns\tsession", "# columns\tname", "line 6: bad columns"),
        ] {
            let damaged = text.replacen(from, to, 1);
            assert_eq!(decode(damaged.as_bytes()).unwrap_err().to_string(), expected);
        }
        assert_eq!(decode(b"").unwrap_err().to_string(), "line 1: the file is empty");
    }

    #[test]
    fn columns_of_a_later_writer_are_passed_over() {
        let text = String::from_utf8(encode(&sample())).unwrap();
        let text =
            text.replace("\tprogram\n", "\tprogram\tcolour\n").replace("\t-\t-\n", "\t-\t-\tred\n");
        assert_eq!(decode(text.as_bytes()).unwrap(), sample());
    }

    #[test]
    fn an_older_manifest_of_three_columns_reads_as_sessions_of_one_pane() {
        let text = b"web\t/home/a b\t0d0a8f5e-0000-4000-8000-000000000001\nsh\t/tmp\t-\n";
        let rows = decode(text).unwrap().rows;
        assert_eq!((rows[0].session.as_slice(), rows[0].state), (&b"web"[..], State::Live));
        assert_eq!((rows[1].conversation.clone(), rows[1].state), (None, State::Shell));
        let error = decode(b"web\t/home/a\n").unwrap_err();
        assert_eq!(error.to_string(), "line 1: 2 fields instead of 3");
    }
}
