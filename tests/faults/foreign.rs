//! Files in the series that are not sound snapshots: torn by a crash, or of another making.

use super::points::{in_parallel, persist};
use super::state::{Prepared, State, prepared};
use crate::support::run;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Later than every snapshot of the tests.
fn later(n: usize) -> String {
    format!("29990101T{n:06}Z")
}

/// Makes something of another kind where a snapshot would be.
type Make<'a> = &'a dyn Fn(&Path);

fn sound(state: &State) -> (String, Vec<u8>) {
    let (name, bytes) = state.series().pop_last().unwrap();
    (name.trim_end_matches(".tsv").to_owned(), bytes)
}

/// `show` picks the sound snapshot and names each of the newer files; `list` marks them.
fn passes_over(prepared: &Prepared, state: &State, good: &str, newer: &[String]) {
    let run = persist(&prepared.sandbox, &["show", "--json"], &state.0).ok();
    assert!(run.took < Duration::from_secs(5), "{newer:?} took {:?}", run.took);
    let shown = run.json();
    assert_eq!(shown["snapshot"], *good, "{newer:?}: {shown}");
    let notes: Vec<_> =
        shown["notes"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    assert_eq!(notes.len(), newer.len(), "{notes:?}");
    for name in newer {
        let named = |note: &str| note.starts_with("skipped: ") && note.contains(name.as_str());
        assert!(notes.iter().any(|note| named(note)), "{name}: {notes:?}");
    }
    let list = persist(&prepared.sandbox, &["list", "--json"], &state.0).ok().json();
    for listed in list["snapshots"].as_array().unwrap() {
        let is_good = listed["id"] == *good;
        assert_eq!(
            (&listed["sound"], &listed["newest"]),
            (&is_good.into(), &is_good.into()),
            "{list}"
        );
    }
}

#[test]
fn files_of_another_making_are_passed_over_and_named() {
    let prepared = prepared();
    let state = prepared.old.copy(&prepared.sandbox, "foreign");
    let (good, bytes) = sound(&state);
    let dir = state.snapshots();
    let text = String::from_utf8(bytes.clone()).unwrap();
    let write = |at: &Path, text: &str| std::fs::write(at, text).unwrap();
    let cases: [(&str, Make<'_>); 11] = [
        ("empty", &|at| write(at, "")),
        ("only line feeds", &|at| write(at, "\n\n")),
        ("of a later version", &|at| write(at, &text.replace("# version 1", "# version 2"))),
        ("without its trailer", &|at| write(at, text.rsplit_once("# end").unwrap().0)),
        ("with another count of rows", &|at| write(at, &text.replace("# end 1", "# end 2"))),
        ("zeroes, as after a power cut", &|at| std::fs::write(at, vec![0; bytes.len()]).unwrap()),
        ("sparse", &|at| std::fs::File::create(at).unwrap().set_len(1 << 30).unwrap()),
        ("a directory", &|at| std::fs::create_dir(at).unwrap()),
        ("a fifo", &|at| drop(run(Command::new("mkfifo").arg(at)).ok())),
        ("a socket", &|at| drop(UnixListener::bind(at).unwrap())),
        ("a link", &|at| std::os::unix::fs::symlink(dir.join(format!("{good}.tsv")), at).unwrap()),
    ];
    let mut newer = Vec::new();
    for (n, (what, make)) in cases.iter().enumerate() {
        println!("{what}");
        newer.push(later(n));
        make(&dir.join(format!("{}.tsv", later(n))));
        passes_over(&prepared, &state, &good, &newer);
    }
    let saved = persist(&prepared.sandbox, &["save", "--json"], &state.0).ok().json();
    let id = saved["users"][0]["snapshot"].as_str().unwrap();
    assert!(id > later(cases.len() - 1).as_str(), "the next is newer than all: {saved}");
    assert_eq!(state.linked().as_ref(), Some(&prepared.new_bytes));
}

#[test]
fn a_newest_snapshot_cut_at_any_length_is_passed_over() {
    let prepared = prepared();
    let whole = &prepared.new_bytes;
    in_parallel(whole.len(), |length| {
        let state = prepared.old.copy(&prepared.sandbox, &format!("cut{length}"));
        let (good, _) = sound(&state);
        let torn = state.snapshots().join(format!("{}.tsv", later(0)));
        std::fs::write(torn, &whole[..length]).unwrap();
        passes_over(&prepared, &state, &good, &[later(0)]);
    });
    println!("a snapshot cut at {} lengths", whole.len());
}
