//! Events in the system journal, by its native protocol (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>).

use super::event::{Cause, Event};
use crate::sys::journal::Entry;
use crate::sys::notify::send_datagram;
use std::io;
use std::path::Path;

pub use crate::sys::journal::SOCKET;
/// The identifier of all our entries: `journalctl -t persist`.
pub const IDENTIFIER: &str = "persist";

/// Enters an event. `_UID` and the like are added by the journal itself, which asks the kernel.
///
/// # Errors
/// If there is no journal, or it takes no more.
pub(super) fn send(socket: &Path, event: &Event) -> io::Result<()> {
    send_datagram(socket, &entry(event))
}

/// The entry, field by field.
fn entry(event: &Event) -> Vec<u8> {
    let mut entry = Entry::default();
    let mut field = |name: &str, value: &[u8]| entry.field(name, value);
    field("MESSAGE", event.sentence().as_bytes());
    field("MESSAGE_ID", event.kind.message_id().as_bytes());
    field("PRIORITY", event.kind.priority().to_string().as_bytes());
    field("SYSLOG_IDENTIFIER", IDENTIFIER.as_bytes());
    field("PERSIST_KIND", event.kind.word().as_bytes());
    field("PERSIST_TIME", event.time.to_string().as_bytes());
    let named = [
        ("PERSIST_SESSION", event.session.clone()),
        ("PERSIST_PANE", event.pane.map(|pane| format!("%{pane}").into_bytes())),
        ("PERSIST_AGENT", event.agent.clone()),
        ("PERSIST_CONVERSATION", event.conversation.clone()),
        ("PERSIST_CAUSE", event.cause.map(Cause::word).map(Into::into)),
        ("PERSIST_BYTES", event.bytes.map(|bytes| bytes.to_string().into_bytes())),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            field(name, &value);
        }
    }
    entry.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::event::Kind;
    use super::*;
    use std::collections::BTreeMap;
    use std::os::unix::net::UnixDatagram;

    /// Reads an entry as the journal does.
    fn fields(mut entry: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut fields = BTreeMap::new();
        while !entry.is_empty() {
            let end = entry.iter().position(|byte| matches!(byte, b'=' | b'\n')).unwrap();
            let name = String::from_utf8(entry[..end].to_vec()).unwrap();
            let (length, rest) = if entry[end] == b'=' {
                let rest = &entry[end + 1..];
                (rest.iter().position(|byte| *byte == b'\n').unwrap(), rest)
            } else {
                let length = u64::from_le_bytes(entry[end + 1..end + 9].try_into().unwrap());
                (usize::try_from(length).unwrap(), &entry[end + 9..])
            };
            fields.insert(name, rest[..length].to_vec());
            assert_eq!(rest[length], b'\n');
            entry = &rest[length + 1..];
        }
        fields
    }

    #[test]
    fn an_entry_has_our_fields_and_a_name_cannot_add_another() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("socket");
        let journal = UnixDatagram::bind(&path).unwrap();
        let event = Event {
            time: 7,
            kind: Kind::NotResumed,
            session: Some(b"web\n_UID=0\nPRIORITY=0".to_vec()),
            pane: Some(4),
            cause: Some(Cause::HostMemory),
            ..Event::default()
        };
        send(&path, &event).unwrap();
        let mut buffer = [0; 4096];
        let length = journal.recv(&mut buffer).unwrap();
        let fields = fields(&buffer[..length]);
        let text = |name: &str| String::from_utf8(fields[name].clone()).unwrap();
        assert_eq!(fields["PERSIST_SESSION"], event.session.clone().unwrap());
        assert_eq!((text("PRIORITY"), text("PERSIST_PANE")), ("3".into(), "%4".into()));
        assert_eq!(text("SYSLOG_IDENTIFIER"), "persist");
        assert_eq!(text("MESSAGE_ID"), Kind::NotResumed.message_id());
        assert_eq!(text("MESSAGE"), event.sentence());
        assert!(!fields.contains_key("_UID") && !fields.contains_key("PERSIST_BYTES"));
    }

    #[test]
    fn a_host_without_a_journal_gives_an_error_at_once() {
        let root = tempfile::tempdir().unwrap();
        let error = send(&root.path().join("socket"), &Event::default()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_journal_that_reads_nothing_delays_nothing() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("socket");
        let _journal = UnixDatagram::bind(&path).unwrap();
        let refused = (0..10_000).find_map(|_| send(&path, &Event::default()).err());
        assert_eq!(refused.map(|error| error.kind()), Some(io::ErrorKind::WouldBlock));
    }
}
