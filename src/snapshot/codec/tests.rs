//! The file read back, damaged, cut, and written by older and later programs.

use super::*;
use crate::snapshot::record::{PaneFlags, Row, Snapshot, State, WindowFlags};
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
        (agent_environment, parent, agent_version) in (optional(), optional(), optional()),
        (origin, session_path, user_options) in (optional(), optional(), optional()),
        agent_program in optional(),
        plain_window_name in any::<bool>(),
        state in prop_oneof![Just(State::Live), Just(State::Suspended), Just(State::Lost), Just(State::Shell)],
        (window, pane) in (0..=0x7fff_ffff_u32, 0..=0x7fff_ffff_u32),
        (w, p, prompted) in any::<([bool; 4], [bool; 4], Option<bool>)>(),
        (pane_id, last_seen, lost_since) in (proptest::option::of(0..=0x7fff_ffff_u32), any::<Option<u64>>(), any::<Option<u64>>()),
    ) -> Row {
        let window_flags = WindowFlags { active: w[0], last: w[1], zoomed: w[2], automatic_rename: w[3] };
        let pane_flags = PaneFlags { active: p[0], last: p[1], dead: p[2], shell: p[3] };
        Row {
            session, cwd, conversation, agent, state, window, window_name, window_layout,
            window_flags, pane, pane_flags, title, command, evidence, prompted, group,
            pane_id, last_seen, lost_since,
            linked, stack, options, environment, program,
            agent_environment, parent, agent_version, origin, session_path, user_options, agent_program, plain_window_name,
        }
    }
}

fn sample() -> Snapshot {
    let row = Row { session: b"#a".to_vec(), cwd: b"/x".to_vec(), ..Row::default() };
    let second = Row { session: b"-".to_vec(), cwd: b"/y".to_vec(), ..Row::default() };
    let rows = vec![row, second];
    Snapshot {
        host: "h".into(),
        boot: "b".into(),
        server: "1-2".into(),
        rows,
        ..Snapshot::default()
    }
}

proptest! {
    #[test]
    fn any_snapshot_comes_back_and_equal_ones_are_equal_bytes(
        rows in proptest::collection::vec(row(), 0..5), host in ".*", boot in "[0-9a-f-]*",
        server in "[0-9-]*",
    ) {
        let config_files = if rows.len() % 2 == 0 {
            Vec::new()
        } else {
            vec![b"/a b\t\xff.conf".to_vec(), b"-".to_vec()]
        };
        let snapshot = Snapshot { host, boot, server, config_files, rows };
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
