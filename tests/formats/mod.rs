//! Every released format stays a fixture that must still read.

use terminal_lobby::roster::{self, Layout, Tier, members, ports, tiers};
use terminal_lobby::snapshot::{State, decode, encode};

#[test]
fn version_1_as_it_was_first_released_reads() {
    let snapshot = decode(include_bytes!("fixtures/v1.tsv")).unwrap();
    assert_eq!(snapshot.rows.len(), 4);
    assert_eq!(snapshot.rows[0].session, b"#(touch x)\t\xff");
    assert_eq!(snapshot.rows[1].cwd, b"/home/alice/with\nline");
    assert_eq!(snapshot.rows[1].state, State::Live);
    assert_eq!(snapshot.rows[3].title.as_deref(), Some(&b"-"[..]));
    assert!(snapshot.server.is_empty() && snapshot.rows.iter().all(|row| row.pane_id.is_none()));
    assert_eq!(decode(&encode(&snapshot)).unwrap(), snapshot);
}

#[test]
fn version_1_with_what_is_lost_reads() {
    let snapshot = decode(include_bytes!("fixtures/v1-lost.tsv")).unwrap();
    let lost: Vec<bool> = snapshot.rows.iter().map(|row| row.state == State::Lost).collect();
    assert_eq!(lost, [false, true, true]);
    assert_eq!((snapshot.server.as_str(), snapshot.rows[1].pane_id), ("812-1795185000", Some(4)));
    let times = (snapshot.rows[2].last_seen, snapshot.rows[2].lost_since);
    assert_eq!(times, (Some(1_795_185_500), Some(1_795_185_800)));
    assert_eq!(decode(&encode(&snapshot)).unwrap(), snapshot);
}

#[test]
fn version_1_with_all_that_is_kept_reads_and_writes_back_the_same_bytes() {
    let bytes = include_bytes!("fixtures/v1-kept.tsv");
    let snapshot = decode(bytes).unwrap();
    let linked = snapshot.rows[2].linked.as_ref().unwrap();
    assert_eq!((&linked.0[..], linked.1), (&b"#(touch x)\t\xff"[..], 0));
    assert_eq!(snapshot.rows[2].stack, 2);
    assert_eq!(snapshot.rows[1].options.as_deref(), Some(&b"mouse=on mode-keys=vi"[..]));
    assert_eq!(snapshot.rows[1].environment.as_deref(), Some(&b"FOO=a\nb\xff\0"[..]));
    assert_eq!(snapshot.rows[3].program.as_deref(), Some(&b"vim\0a b\0\0"[..]));
    assert_eq!(encode(&snapshot), bytes);
}

#[test]
fn lesson_26_what_is_absent_has_a_mark_and_moves_no_other_field() {
    let snapshot = decode(include_bytes!("fixtures/v1-kept.tsv")).unwrap();
    let mut bare = snapshot.clone();
    for row in &mut bare.rows {
        (row.title, row.conversation, row.options, row.environment) = (None, None, None, None);
    }
    let text = encode(&bare);
    let rows = text.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"#"));
    let fields: Vec<Vec<&[u8]>> = rows
        .filter(|line| !line.is_empty())
        .map(|line| line.split(|b| *b == b'\t').collect())
        .collect();
    assert_eq!(fields.len(), bare.rows.len());
    for row in &fields {
        assert_eq!(row.len(), fields[0].len());
        assert!(
            row.iter().all(|field| !field.is_empty()),
            "a reader that splits at blanks loses it"
        );
        assert_eq!(row[2], b"-", "the conversation");
    }
    assert_eq!(decode(&text).unwrap(), bare);
}

#[test]
fn the_older_manifest_of_three_columns_reads() {
    let snapshot = decode(include_bytes!("fixtures/three-columns.tsv")).unwrap();
    let names: Vec<&[u8]> = snapshot.rows.iter().map(|row| row.session.as_slice()).collect();
    assert_eq!(names, [&b"web"[..], b"shell", b"empty"]);
    assert_eq!(snapshot.rows[0].state, State::Live);
    assert_eq!(snapshot.rows[2].conversation, None);
}

#[test]
fn the_roster_and_the_files_beside_it_read_as_first_released() {
    let document = roster::parse(include_bytes!("fixtures/roster.yaml")).unwrap();
    let builder = &document.roster.users["builder"];
    assert_eq!((builder.tier, builder.code_layout), (Tier::NamespaceOwner, Layout::Workspace));
    assert_eq!((&builder.namespaces[..], builder.parked), (&["builds".to_owned()][..], true));
    assert_eq!(document.roster.users["ops"].tier, Tier::Admin);
    let ledger = ports::read(include_bytes!("fixtures/ports.json")).unwrap();
    assert_eq!((ledger["ops"], ledger["gone"]), (3773, 3774));
    let users = tiers::read(include_bytes!("fixtures/k8s-users.json")).unwrap();
    assert!(tiers::check(&document, &users) == tiers::TierCheck::default());
    let members = members::read(
        include_bytes!("fixtures/members.json"),
        &roster::identity_source::IdentitySource::default(),
    )
    .unwrap();
    assert_eq!(members[0].active, Some(true));
    assert_eq!((members[1].active, members[1].os_user.as_deref()), (None, Some("builder")));
}
