//! What must hold for any bytes; called by the fuzzer and, on the stored corpus, by the tests.

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
