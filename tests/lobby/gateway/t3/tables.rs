//! The table of instances changes, or is no good.

use super::lab::{ANN, BOB, T3Lab};
use crate::support::wait::wait_until;
use std::time::{Duration, Instant};

#[test]
fn a_change_counts_within_a_second_and_a_bad_file_leaves_the_last_good_table() {
    let Some(lab) = T3Lab::bare("") else { return };
    let answer = lab.navigate("/", ANN, "");
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    let port = lab.instance("ann", "0.0.26");
    lab.serve(&[(ANN, "ann", port)]);
    let session = lab.session(ANN);
    let of_bob = lab.instance("bob", "0.0.26");
    lab.table(&[(ANN, "ann", port), (BOB, "bob", of_bob)]);
    let begin = Instant::now();
    wait_until("bob is served", || lab.navigate("/", BOB, "").status == 302);
    assert!(
        begin.elapsed() < Duration::from_secs(1) + Duration::from_secs(4),
        "with its pairing: {:?}",
        begin.elapsed()
    );
    for bad in [
        "{",
        "[]",
        r#"{"a": {"os_user": "../etc", "port": 1}}"#,
        r#"{"a": {"os_user": "ann", "port": 7}, "b": {"os_user": "bob", "port": 7}}"#,
    ] {
        lab.spoil(bad);
        wait_until("it is noticed", || lab.metrics().contains("lobby_t3_table_readable 0\n"));
        assert_eq!(lab.navigate("/", ANN, &session).status, 200, "{bad}");
        lab.table(&[(ANN, "ann", port)]);
        wait_until("it can be read again", || {
            lab.metrics().contains("lobby_t3_table_readable 1\n")
        });
    }
    lab.lab.host.sh("chmod 666 /etc/t3-serve/dispatch.json");
    wait_until("others can write it", || lab.metrics().contains("lobby_t3_table_readable 0\n"));
    lab.lab.says("the last good tables count for a minute");
    lab.lab.says("others than root");
}
