//! Writing a snapshot (pure).

use super::{COLUMNS, FIRST_LATER, TITLE, VERSION};
use crate::snapshot::record::{Row, Snapshot};
use crate::snapshot::summary::Summary;
use crate::text::escape;
use crate::text::tsv::Writer;

/// Writes a snapshot. Equal snapshots give equal bytes.
pub fn encode(snapshot: &Snapshot) -> Vec<u8> {
    let mut file = Writer::default();
    file.raw(TITLE).end();
    file.raw(&[b"# version ", VERSION].concat()).end();
    for (name, value) in
        [("host", &snapshot.host), ("boot", &snapshot.boot), ("server", &snapshot.server)]
    {
        file.plain(format_args!("# {name} {}", escape(value.as_bytes()))).end();
    }
    if !snapshot.config_files.is_empty() {
        let files = snapshot.config_files.iter();
        files
            .fold(file.raw(b"# config_files"), |line, path| line.optional(Some(path.as_slice())))
            .end();
    }
    let later = |row| later_columns(row).iter().rposition(Option::is_some).map_or(0, |at| at + 1);
    let columns = FIRST_LATER + snapshot.rows.iter().map(later).max().unwrap_or(0);
    COLUMNS[..columns]
        .iter()
        .fold(file.raw(b"# columns"), |line, name| line.raw(name.as_bytes()))
        .end();
    for row in &snapshot.rows {
        encode_row(row, columns, &mut file);
    }
    file.plain(Summary::of(snapshot).line()).end();
    file.plain(format_args!("# end {}", snapshot.rows.len())).end();
    file.into_bytes()
}

fn encode_row(row: &Row, columns: usize, file: &mut Writer) {
    file.first(&row.session).optional(Some(&row.cwd));
    file.optional(row.conversation.as_deref()).optional(row.agent.as_deref());
    file.raw(row.state.word().as_bytes()).plain(row.window);
    file.optional(row.window_name.as_deref()).optional(Some(&row.window_layout));
    flags(&row.window_flags.letters(), file);
    file.plain(row.pane);
    flags(&row.pane_flags.letters(), file);
    file.optional(row.title.as_deref()).optional(row.command.as_deref());
    file.optional(row.evidence.as_deref());
    file.raw(row.prompted.map_or(b"-", |prompted| if prompted { b"yes" } else { b"no" }));
    file.optional(row.group.as_deref());
    number(row.pane_id.map(u64::from), file);
    number(row.last_seen, file);
    number(row.lost_since, file);
    // A window: its session's name, a colon, its index.
    let linked = row.linked.as_ref();
    let linked =
        linked.map(|(session, index)| [&session[..], format!(":{index}").as_bytes()].concat());
    file.optional(linked.as_deref());
    number(Some(row.stack).filter(|stack| *stack > 0).map(u64::from), file);
    file.optional(row.options.as_deref()).optional(row.environment.as_deref());
    file.optional(row.program.as_deref());
    for value in later_columns(row).into_iter().take(columns - FIRST_LATER) {
        file.optional(value);
    }
    file.end();
}

/// The columns from [`FIRST_LATER`] on: written as far as any row has something there, so that a
/// snapshot of an older version is written as it was.
fn later_columns(row: &Row) -> [Option<&[u8]>; COLUMNS.len() - FIRST_LATER] {
    [
        row.agent_environment.as_deref(),
        row.parent.as_deref(),
        row.agent_version.as_deref(),
        row.origin.as_deref(),
        row.session_path.as_deref(),
        row.user_options.as_deref(),
        row.agent_program.as_deref(),
        Some(&b"yes"[..]).filter(|_| row.plain_window_name),
    ]
}

fn number(number: Option<u64>, file: &mut Writer) {
    match number {
        Some(number) => file.plain(number),
        None => file.optional(None),
    };
}

/// A flag's letter may be `-`, the mark of an absent field.
fn flags(letters: &str, file: &mut Writer) {
    file.optional(Some(letters.as_bytes()).filter(|letters| !letters.is_empty()));
}
