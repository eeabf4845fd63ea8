//! What must hold for any bytes; called by the fuzzer and, on the stored corpus, by the tests.

use std::collections::BTreeMap;
use terminal_lobby::agent::{ConversationId, Stamp, hooks};
use terminal_lobby::roster::edit::{Edit, edit};
use terminal_lobby::roster::{self, Layout, Row, Tier, members, ports, tiers};
use terminal_lobby::snapshot::{Endings, SnapshotId, Tombstones, decode, encode};

/// The files of the state directory: any bytes are read or refused, and what was read comes back
/// from what is written of it.
pub(crate) fn snapshot(bytes: &[u8]) {
    if let Ok(snapshot) = decode(bytes) {
        let text = encode(&snapshot);
        assert_eq!(decode(&text).as_ref(), Ok(&snapshot));
        assert_eq!(encode(&snapshot), text);
    }
    let (tombstones, bad) = Tombstones::decode(bytes);
    assert!(bad.is_sorted());
    assert_eq!(Tombstones::decode(&tombstones.encode()), (tombstones, vec![]));
    let (endings, _) = Endings::decode(bytes);
    assert_eq!(Endings::decode(&endings.encode()), (endings, vec![]));
    if let Some(id) = std::str::from_utf8(bytes).ok().and_then(SnapshotId::parse) {
        assert_eq!(SnapshotId::parse(&id.file_name()), Some(id));
    }
}

/// What an agent tells its hook: any bytes are an event of a conversation or nothing, and an event
/// says its conversation as it goes into a mark of a pane.
pub(crate) fn hook(bytes: &[u8]) {
    if let Some(hooked) = hooks::parse(bytes) {
        let id = hooked.conversation.as_str();
        assert_eq!(ConversationId::parse(id.as_bytes()).as_ref(), Some(&hooked.conversation));
        let plain = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        assert!(id.len() == 36 && id.bytes().all(plain), "{id}");
    }
    // The same bytes as a stamp that somebody left on a pane.
    if let Some(stamp) = Stamp::parse(bytes) {
        assert_eq!(Stamp::parse(stamp.to_string().as_bytes()), Some(stamp));
    }
}

/// A pane's stored scrollback, which the launcher prints: of any bytes only text, line feeds, tabs,
/// colours and the switch to line drawing reach the terminal, which is left as it was.
pub(crate) fn show(bytes: &[u8]) {
    let printed = launcher::terminal::scrollback::filtered(bytes);
    let (lines, letters) = ('\u{e}', '\u{f}');
    let mut rest = printed.strip_suffix("\x1b[0m").expect("the colours are reset");
    if let Some(drawn) = rest.strip_prefix("\x1b)0") {
        rest = drawn.strip_suffix("\x0f\x1b)B").expect("line drawing is switched off again");
    }
    let mut parts = rest.split('\x1b');
    let plain = |text: &str| {
        text.chars()
            .all(|c| !c.is_control() || matches!(c, '\n' | '\t') || c == lines || c == letters)
    };
    assert!(plain(parts.next().unwrap_or_default()), "{printed:?}");
    for part in parts {
        let sequence = part.strip_prefix('[').expect("only control sequences");
        let end = sequence.find('m').expect("only colours and attributes");
        let parameter = |c: char| c.is_ascii_digit() || matches!(c, ';' | ':');
        assert!(sequence[..end].chars().all(parameter), "{printed:?}");
        assert!(plain(&sequence[end + 1..]), "{printed:?}");
    }
}

/// The roster and the files beside it: any bytes are read or refused in messages of one line; a row
/// that is put in or commented out leaves every other byte where it was.
pub(crate) fn roster(bytes: &[u8]) {
    let _ = (
        members::read(bytes, &roster::identity_source::IdentitySource::default()),
        ports::read(bytes),
        tiers::read(bytes),
    );
    let document = match roster::parse(bytes) {
        Ok(document) => document,
        Err(problems) => {
            let lines = problems.iter().map(|problem| problem.in_file("r"));
            return assert!(lines.into_iter().all(|line| !line.contains(char::is_control)));
        }
    };
    let users: Vec<&String> = document.roster.users.keys().collect();
    let note = |user: &&String| ((*user).clone(), "left".to_owned());
    let comment_out = Edit { comment_out: users.iter().map(note).collect(), ..Edit::default() };
    let row = Row {
        authentik_user: "fuzz.ed".to_owned(),
        k8s_user: "fuzz:ed".to_owned(),
        tier: Tier::PowerUser,
        namespaces: vec![],
        code_layout: Layout::Workspace,
        repos: vec!["a".to_owned()],
        parked: true,
    };
    let add = Edit { add: BTreeMap::from([("fuzzed".to_owned(), row)]), ..Edit::default() };
    for (what, left) in [(comment_out, 0), (add, users.len() + 1)] {
        let Ok(edited) = edit(bytes, &what) else { continue };
        assert_eq!(roster::parse(&edited).map(|new| new.roster.users.len()), Ok(left));
        let mut rest = edited.iter();
        // Only what stands for no users at all is ever taken away.
        assert!(users.is_empty() || bytes.iter().all(|byte| rest.any(|other| other == byte)));
    }
}
