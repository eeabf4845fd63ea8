//! Every released format stays a fixture that must still read.

use terminal_lobby::snapshot::{State, decode, encode};

#[test]
fn version_1_reads_and_writes_back_the_same_bytes() {
    let bytes = include_bytes!("fixtures/v1.tsv");
    let snapshot = decode(bytes).unwrap();
    assert_eq!(snapshot.rows.len(), 4);
    assert_eq!(snapshot.rows[0].session, b"#(touch x)\t\xff");
    assert_eq!(snapshot.rows[1].cwd, b"/home/alice/with\nline");
    assert_eq!(snapshot.rows[1].state, State::Live);
    assert_eq!(snapshot.rows[3].title.as_deref(), Some(&b"-"[..]));
    assert_eq!(encode(&snapshot), bytes);
}

#[test]
fn the_older_manifest_of_three_columns_reads() {
    let snapshot = decode(include_bytes!("fixtures/three-columns.tsv")).unwrap();
    let names: Vec<&[u8]> = snapshot.rows.iter().map(|row| row.session.as_slice()).collect();
    assert_eq!(names, [&b"web"[..], b"shell", b"empty"]);
    assert_eq!(snapshot.rows[0].state, State::Live);
    assert_eq!(snapshot.rows[2].conversation, None);
}
