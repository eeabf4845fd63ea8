//! Announcing an event wherever it is to be seen.

use super::event::Event;
use super::notify::{self, Hook};
use super::{journal, store};
use crate::text::io_reason;
use std::io::ErrorKind;
use std::path::Path;

/// Records an event in the user's state directory, enters it in the journal, and hands it to the site's
/// command, which is not waited for. One that fails does not keep the others from being done.
///
/// Returns what failed, as notes. A host without a journal is none.
pub fn announce(dir: &Path, event: &Event, hook: &Hook) -> Vec<String> {
    announce_to(Path::new(journal::SOCKET), dir, event, hook)
}

fn announce_to(journal: &Path, dir: &Path, event: &Event, hook: &Hook) -> Vec<String> {
    let mut notes = Vec::new();
    if let Err(error) = store::append(dir, event) {
        notes.push(format!("event not recorded: {error}"));
    }
    match journal::send(journal, event) {
        Err(error)
            if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) =>
        {
            notes.push(format!("event not in the journal: {}", io_reason(&error)));
        }
        _ => {}
    }
    if !hook.command.is_empty()
        && let Err(error) = notify::hand_over(hook, dir, event)
    {
        notes.push(format!("no notification: {error}"));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;

    #[test]
    fn an_event_that_cannot_be_recorded_is_still_in_the_journal() {
        let root = tempfile::tempdir().unwrap();
        let socket = root.path().join("socket");
        let journal = UnixDatagram::bind(&socket).unwrap();
        let absent = root.path().join("absent");
        let notes = announce_to(&socket, &absent, &Event::default(), &Hook::default());
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].starts_with("event not recorded: "), "{notes:?}");
        let mut buffer = [0; 4096];
        assert!(journal.recv(&mut buffer).unwrap() > 0);
    }

    #[test]
    fn a_host_without_a_journal_keeps_its_record_silently() {
        let root = tempfile::tempdir().unwrap();
        let socket = root.path().join("socket");
        let notes = announce_to(&socket, root.path(), &Event::default(), &Hook::default());
        assert_eq!(notes, [""; 0]);
        assert_eq!(store::read(root.path(), 0).unwrap().events.len(), 1);
    }
}
